package line

import "go.bug.st/serial/enumerator"

// ports asks the system's list of devices, which opens none.
func ports() ([]PortInfo, error) {
	found, err := enumerator.GetDetailedPortsList()
	var all []PortInfo
	for _, f := range found {
		all = append(all, PortInfo{
			Name: f.Name, USB: f.IsUSB, Vendor: f.VID, Product: f.PID, Serial: f.SerialNumber, Text: f.Product,
		})
	}
	return all, err
}
