package line

import (
	"os"
	"path/filepath"
	"strings"
)

// ports reads what the kernel says under /sys. The serial library's own list opens every ttyS to see whether it is one.
func ports() ([]PortInfo, error) { return portsUnder("/sys/class/tty", "/dev") }

// portsUnder is ports for the given directories.
func portsUnder(class, dev string) ([]PortInfo, error) {
	entries, err := os.ReadDir(class)
	if os.IsNotExist(err) {
		return nil, nil // no terminals of any kind
	}
	if err != nil {
		return nil, err
	}
	stable := namesByID(filepath.Join(dev, "serial", "by-id"))
	var all []PortInfo
	for _, e := range entries {
		// What has no device behind it is a console or a pseudo-terminal.
		node, err := filepath.EvalSymlinks(filepath.Join(class, e.Name(), "device"))
		if err != nil || !isUART(filepath.Join(class, e.Name())) {
			continue
		}
		p := PortInfo{Name: filepath.Join(dev, e.Name())}
		p.ByID = stable[p.Name]
		p.readUSB(node)
		all = append(all, p)
	}
	return all, nil
}

// isUART says whether a terminal of the kernel's serial driver has a chip behind it: its type is 0 where there is none.
// Other drivers have no type.
func isUART(dir string) bool {
	kind := attribute(dir, "type")
	return kind != "0"
}

// readUSB looks for the USB device that node is part of.
func (p *PortInfo) readUSB(node string) {
	for dir := node; len(dir) > 1; dir = filepath.Dir(dir) {
		vendor := attribute(dir, "idVendor")
		if vendor == "" {
			continue
		}
		p.USB, p.Vendor, p.Product = true, strings.ToUpper(vendor), strings.ToUpper(attribute(dir, "idProduct"))
		p.Serial = attribute(dir, "serial")
		p.Text = strings.TrimSpace(attribute(dir, "manufacturer") + " " + attribute(dir, "product"))
		return
	}
}

// attribute is the text of a file of /sys, "" if there is none.
func attribute(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// namesByID are the links of dir, by what they point to.
func namesByID(dir string) map[string][]string {
	links, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	out := map[string][]string{}
	for _, l := range links {
		path := filepath.Join(dir, l.Name())
		if target, err := os.Readlink(path); err == nil {
			if !filepath.IsAbs(target) {
				target = filepath.Join(dir, target)
			}
			out[target] = append(out[target], path)
		}
	}
	return out
}
