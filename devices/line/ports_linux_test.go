package line

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPorts: a USB device of the maker, an adapter, a chip on the board and one that is only a name; consoles and
// pseudo-terminals are no serial ports. Nothing of it exists, so that nothing can have been opened.
func TestPorts(t *testing.T) {
	root := t.TempDir()
	class, dev := filepath.Join(root, "class"), filepath.Join(root, "dev")
	put := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(root, path)); err != nil {
			t.Fatal(err)
		}
	}
	put("devices/usb1/1-1/idVendor", "191c\n")
	put("devices/usb1/1-1/idProduct", "4104\n")
	put("devices/usb1/1-1/product", "NV200\n")
	put("devices/usb1/1-1/manufacturer", "ITL\n")
	put("devices/usb1/1-1/serial", "42\n")
	put("devices/usb1/1-1/1-1:1.0/x", "")
	put("devices/usb1/1-2/idVendor", "0403\n")
	put("devices/usb1/1-2/idProduct", "6001\n")
	put("devices/usb1/1-2/1-2:1.0/ttyUSB0/x", "")
	put("devices/pnp/x", "")
	link(filepath.Join(root, "devices/usb1/1-1/1-1:1.0"), "class/ttyACM0/device")
	link(filepath.Join(root, "devices/usb1/1-2/1-2:1.0/ttyUSB0"), "class/ttyUSB0/device")
	link(filepath.Join(root, "devices/pnp"), "class/ttyS0/device")
	put("class/ttyS0/type", "4\n")
	link(filepath.Join(root, "devices/pnp"), "class/ttyS1/device")
	put("class/ttyS1/type", "0\n")
	put("class/tty1/x", "")
	put("class/ptmx/x", "")
	link("../../ttyACM0", "dev/serial/by-id/usb-ITL_NV200_42-if00")

	got, err := portsUnder(class, dev)
	if err != nil {
		t.Fatal(err)
	}
	want := []PortInfo{
		{Name: dev + "/ttyACM0", ByID: []string{dev + "/serial/by-id/usb-ITL_NV200_42-if00"}, USB: true,
			Vendor: "191C", Product: "4104", Serial: "42", Text: "ITL NV200"},
		{Name: dev + "/ttyS0"},
		{Name: dev + "/ttyUSB0", USB: true, Vendor: "0403", Product: "6001"},
	}
	if !slices.EqualFunc(got, want, func(a, b PortInfo) bool {
		return slices.Equal(a.ByID, b.ByID) && a.Name == b.Name && a.USB == b.USB && a.Vendor == b.Vendor &&
			a.Product == b.Product && a.Serial == b.Serial && a.Text == b.Text
	}) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got[0].Maker() != "Innovative Technology" || got[2].Maker() != "" {
		t.Errorf("makers %q, %q", got[0].Maker(), got[2].Maker())
	}
	if none, err := portsUnder(filepath.Join(root, "nothing"), dev); err != nil || none != nil {
		t.Errorf("no terminals at all: %v, %v", none, err)
	}
	if _, err := Ports(); err != nil {
		t.Errorf("this machine's ports: %v", err)
	}
}
