package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/line"
	"coffer/service/config"
	"coffer/ssp"
)

// scanTimeout is how long the questions to the running coffer may take before a scan.
const scanTimeout = 10 * time.Second

type deviceScan struct {
	remote
	Port      []string `placeholder:"PORT" sep:"none" help:"Look for machines on this port: /dev/ttyACM0, COM3 or tcp://HOST:PORT. Again for more ports."`
	All       bool     `help:"Look for machines on every serial port that nobody drives."`
	Addresses string   `default:"0,16" placeholder:"LIST" help:"SSP addresses to try, as 0,16 or 0-125 (a minute a port)."`
	JSON      bool     `name:"json" help:"For programs."`
}

// scannedPort is a port of the scan's answer.
type scannedPort struct {
	line.PortInfo
	Maker    string          `json:"maker,omitempty"`     // whose USB device it is, where that is known
	DrivenBy string          `json:"driven_by,omitempty"` // why it was left alone
	Scanned  bool            `json:"scanned"`             // it was opened and asked
	Error    string          `json:"error,omitempty"`     // why it could not be
	Machines []devices.Found `json:"machines,omitempty"`
}

// Run lists the serial ports, and asks those that it may ask. It fails when a port that was named could not be asked.
func (c *deviceScan) Run(s *session) error {
	addrs, err := parseAddresses(c.Addresses)
	if err != nil {
		return &misuse{fmt.Sprintf("device scan: --addresses %s: %v", c.Addresses, err), "coffer device scan --port tcp://10.0.0.5:4001 --addresses 0-125"}
	}
	probing := c.All || len(c.Port) > 0
	driven, err := c.driven(s, probing)
	if err != nil {
		return err
	}
	ports, err := c.ports()
	if err != nil {
		return err
	}
	failed := c.probe(s, ports, addrs, driven)
	switch {
	case c.JSON:
		err = s.json(map[string]any{"ports": ports})
	case failed == nil || len(ports) > 1:
		err = printScan(s, ports, probing)
	}
	return cmp.Or(err, failed)
}

// ports are those of the machine, and those that were named, which come alone without --all.
func (c *deviceScan) ports() ([]*scannedPort, error) {
	local, err := line.Ports()
	if err != nil {
		return nil, fmt.Errorf("device scan: list the serial ports: %w; name them with --port", err)
	}
	out := []*scannedPort{}
	for _, p := range local {
		if c.All || len(c.Port) == 0 || slices.ContainsFunc(c.Port, func(n string) bool { return samePort(n, p.Name) }) {
			out = append(out, &scannedPort{PortInfo: p, Maker: p.Maker()})
		}
	}
	for _, name := range c.Port {
		if !slices.ContainsFunc(out, func(p *scannedPort) bool { return samePort(name, p.Name) }) {
			out = append(out, &scannedPort{PortInfo: line.PortInfo{Name: name}})
		}
	}
	return out, nil
}

// probe fills in who drives each port and, where nobody does and it is wanted, who is there. It returns an error if a
// port that was named could not be asked.
func (c *deviceScan) probe(s *session, ports []*scannedPort, addrs []ssp.Address, driven map[string]string) (failed error) {
	quiet := logrus.New()
	quiet.SetOutput(io.Discard)
	for _, p := range ports {
		named := slices.ContainsFunc(c.Port, func(n string) bool { return samePort(n, p.Name) })
		p.DrivenBy = driven[canonical(p.Name)]
		switch {
		case !named && !c.All:
			continue
		case p.DrivenBy != "":
			if named {
				failed = cmp.Or(failed, fmt.Errorf("device scan: %s is left alone, %s; look at it with `coffer device list`", p.Name, p.DrivenBy))
			}
			continue
		}
		found, err := devices.Scan(s.ctx, devices.LineConfig{Port: p.Name}, nil, addrs, families(), quiet)
		p.Machines, p.Scanned = found, err == nil
		if err != nil {
			p.Error = err.Error()
			if named {
				failed = cmp.Or(failed, fmt.Errorf("device scan: %w", err))
			}
		}
	}
	return failed
}

// driven returns who drives which port: the lines of the configuration, and those of the running coffer, which may have
// opened more. A coffer that runs and does not tell is an error where ports are to be opened.
func (c *deviceScan) driven(s *session, probing bool) (map[string]string, error) {
	out := map[string]string{}
	path, named := c.file(s)
	if _, err := os.Stat(path); err == nil || named {
		cfg, err := config.Load(path, s.Env)
		if err != nil {
			return nil, fmt.Errorf("configuration %w; the scan must know which ports it drives", err)
		}
		for _, l := range cfg.Lines {
			if !l.Simulated() {
				out[canonical(cmp.Or(l.Link, l.Port))] = fmt.Sprintf("the configuration drives it as line %s", l.Port)
			}
		}
	}
	ctx, stop := context.WithTimeout(s.ctx, scanTimeout)
	defer stop()
	asking := *s
	asking.ctx = ctx
	all, err := c.devices(&asking)
	var refused *answerError
	switch {
	case errors.As(err, &refused) && probing:
		return nil, fmt.Errorf("device scan: a coffer runs and does not say which ports it drives: %w", err)
	case err != nil:
		return out, nil // none runs
	}
	for _, l := range all.Lines {
		out[canonical(cmp.Or(l.Link, l.Port))] = fmt.Sprintf("the running coffer drives it as line %s", l.Port)
	}
	return out, nil
}

// canonical is a name that all names of a port share.
func canonical(port string) string {
	if strings.HasPrefix(port, "tcp://") {
		return strings.ToLower(port)
	}
	if runtime.GOOS == "windows" {
		return strings.ToUpper(strings.TrimPrefix(port, `\\.\`))
	}
	if real, err := filepath.EvalSymlinks(port); err == nil {
		return real
	}
	return port
}

func samePort(a, b string) bool { return canonical(a) == canonical(b) }

// parseAddresses reads "0,16" and "0-125". No address comes twice.
func parseAddresses(list string) ([]ssp.Address, error) {
	var out []ssp.Address
	for _, part := range strings.Split(list, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 8)
		to, err2 := strconv.ParseUint(last, 10, 8)
		if err != nil || err2 != nil || from > to || to > maxAddress {
			return nil, fmt.Errorf("%q is not an address or a range of them, from 0 to %d", part, maxAddress)
		}
		for a := ssp.Address(from); a <= ssp.Address(to); a++ {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	usual := func(a ssp.Address) int { return slices.Index([]ssp.Address{16, 0}, a) }
	slices.SortStableFunc(out, func(a, b ssp.Address) int { return usual(b) - usual(a) })
	return out, nil
}

// maxAddress is the highest SSP address (ssp.md section 1).
const maxAddress = 0x7D

func printScan(s *session, ports []*scannedPort, probed bool) error {
	if len(ports) == 0 {
		s.printf("no serial ports\n")
		return nil
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PORT\tWHAT\tSTATE")
	machines := 0
	for _, p := range ports {
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, p.what(), p.state())
		for _, n := range p.ByID {
			fmt.Fprintf(w, "  %s\t\t\n", n)
		}
		machines += len(p.Machines)
	}
	if machines > 0 {
		fmt.Fprintln(w, "\nPORT\tADDRESS\tFAMILY\tFIRMWARE\tDATASET\tSERIAL\tPROTOCOL\tERROR")
	}
	for _, p := range ports {
		for _, m := range p.Machines {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%d\t%s\n", p.Name, m.Address, cmp.Or(m.Model, m.UnitType), m.Firmware, m.Dataset,
				m.Serial, m.Protocol, m.Error)
		}
	}
	if err := w.Flush(); err != nil || probed {
		return err
	}
	s.printf("\nTo look for machines: coffer device scan --port PORT, or --all\n")
	return nil
}

// what says whose port it is.
func (p *scannedPort) what() string {
	switch {
	case p.USB:
		return strings.Join(strings.Fields(fmt.Sprintf("USB %s:%s %s %s", p.Vendor, p.Product, p.Maker, p.Text)), " ")
	case strings.HasPrefix(p.Name, "tcp://"):
		return "network"
	}
	return "serial"
}

func (p *scannedPort) state() string {
	switch {
	case p.DrivenBy != "":
		return "left alone: " + p.DrivenBy
	case p.Error != "":
		return p.Error
	case !p.Scanned:
		return "not driven by coffer"
	case len(p.Machines) == 0:
		return "nobody answers"
	case len(p.Machines) == 1:
		return "1 machine"
	}
	return fmt.Sprintf("%d machines", len(p.Machines))
}
