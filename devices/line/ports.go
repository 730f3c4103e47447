package line

import (
	"cmp"
	"slices"
	"strings"
)

// vendorITL is the USB vendor of Innovative Technology (ssp.md section 1).
const vendorITL = "191C"

// PortInfo is a serial port of this machine.
type PortInfo struct {
	Name    string   `json:"name"`              // as a configuration's link names it: /dev/ttyACM0, COM3
	ByID    []string `json:"by_id,omitempty"`   // other names that stay when the cable moves: /dev/serial/by-id/…
	USB     bool     `json:"usb"`               //
	Vendor  string   `json:"vendor,omitempty"`  // USB vendor, four hexadecimal capitals
	Product string   `json:"product,omitempty"` // USB product, likewise
	Serial  string   `json:"serial,omitempty"`  // of the USB device, not of the machine behind an adapter
	Text    string   `json:"text,omitempty"`    // what the USB device calls itself
}

// Maker returns whose port it is, as far as USB tells: "Innovative Technology", else "".
func (p PortInfo) Maker() string {
	if p.Vendor == vendorITL {
		return "Innovative Technology"
	}
	return ""
}

// Ports lists the serial ports of this machine by name. It opens none of them, so that it disturbs nobody who drives one.
func Ports() ([]PortInfo, error) {
	all, err := ports()
	slices.SortFunc(all, func(a, b PortInfo) int {
		// COM10 after COM9.
		return cmp.Or(cmp.Compare(strings.TrimRight(a.Name, "0123456789"), strings.TrimRight(b.Name, "0123456789")),
			cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return all, err
}
