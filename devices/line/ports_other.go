//go:build !linux && !windows

package line

import "go.bug.st/serial"

// ports lists names alone: the library's reader of USB details needs a C compiler on some of these systems.
func ports() ([]PortInfo, error) {
	names, err := serial.GetPortsList()
	var all []PortInfo
	for _, n := range names {
		all = append(all, PortInfo{Name: n})
	}
	return all, err
}
