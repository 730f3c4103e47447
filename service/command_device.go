package service

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"coffer/httpapi/ops"
)

type deviceCommand struct {
	List   deviceList   `cmd:"" help:"List the machines of the running coffer."`
	Scan   deviceScan   `cmd:"" help:"List the serial ports; with --port or --all look for machines on those that are idle."`
	Status deviceStatus `cmd:"" help:"Show one machine, or all, in full."`
	Trace  deviceTrace  `cmd:"" help:"Show the frames on a line."`
}

func (r remote) devices(s *session) (ops.Devices, error) {
	var out ops.Devices
	c, err := r.main(s)
	if err == nil {
		err = c.call(s.ctx, http.MethodGet, "/devices/v1", nil, &out)
	}
	return out, err
}

type deviceList struct {
	remote
	JSON bool `name:"json" help:"For programs."`
}

// Run lists the machines.
func (c *deviceList) Run(s *session) error {
	all, err := c.devices(s)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(all)
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PORT\tADDRESS\tDEVICE\tSTATE\tREADY\tWHY NOT")
	for _, l := range all.Lines {
		for _, d := range l.Devices {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%t\t%s\n", l.Port, d.Address, deviceName(d), d.State, d.Ready, d.Error)
		}
	}
	return w.Flush()
}

// deviceName is the deviceID, or the configuration's name of a machine that was never identified.
func deviceName(d ops.Device) string {
	if d.ID != "" {
		return string(d.ID)
	}
	return d.ConfigID
}

type deviceStatus struct {
	remote
	Device string `arg:"" optional:"" help:"Its deviceID, or its id in the configuration."`
	JSON   bool   `name:"json" help:"For programs."`
}

// Run shows machines in full.
func (c *deviceStatus) Run(s *session) error {
	all, err := c.devices(s)
	if err != nil {
		return err
	}
	found := []ops.Device{}
	for _, l := range all.Lines {
		for _, d := range l.Devices {
			if c.Device == "" || strings.EqualFold(string(d.ID), c.Device) || d.ConfigID == c.Device {
				found = append(found, d)
			}
		}
	}
	if len(found) == 0 && c.Device != "" {
		return fmt.Errorf("device status: no device %s; `coffer device list` lists them", c.Device)
	}
	if c.JSON {
		return s.json(map[string]any{"devices": found})
	}
	for _, d := range found {
		printDevice(s, d)
	}
	return nil
}

func printDevice(s *session, d ops.Device) {
	s.printf("%s\n", deviceName(d))
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	row := func(name string, v any) { fmt.Fprintf(w, "  %s\t%v\n", name, v) }
	row("model", d.Model)
	row("state", d.State)
	row("connected", d.Connected)
	row("ready", d.Ready)
	if d.Error != "" {
		row("why not", d.Error)
	}
	row("firmware", d.Firmware)
	row("dataset", d.Dataset)
	row("serial number", d.Serial)
	row("protocol", fmt.Sprintf("SSP %d, encrypted %t", d.Protocol, d.Encrypted))
	row("acceptor", onOff(d.AcceptorEnabled))
	row("payout", onOff(d.PayoutEnabled))
	row("auto accept", onOff(d.AutoAccept))
	if d.Escrow != nil {
		row("in escrow", d.Escrow.Amount(1))
	}
	if d.Operation != "" {
		row("operation", d.Operation)
	}
	for _, r := range d.Levels.Rows() {
		row("in store", fmt.Sprintf("%d × %s", r.Count, r.Denom().Amount(1)))
	}
	w.Flush()
}

type deviceTrace struct {
	remote
	Port   string `arg:"" help:"Port name of the line, as COM5."`
	Follow bool   `short:"f" help:"Go on with each new frame."`
	JSON   bool   `name:"json" help:"For programs."`
}

// Run prints the frames.
func (c *deviceTrace) Run(s *session) error {
	coffer, err := c.main(s)
	if err != nil {
		return err
	}
	q := url.Values{"port": {c.Port}, "follow": {fmt.Sprint(c.Follow)}}
	body, err := coffer.open(s.ctx, http.MethodGet, "/devices/v1/trace?"+q.Encode(), nil)
	var refused *answerError
	switch {
	case errors.As(err, &refused) && refused.status == http.StatusNotFound:
		return fmt.Errorf("device trace: no line %s; `coffer device list` lists them", c.Port)
	case err != nil:
		return err
	}
	defer body.Close()
	for lines := bufio.NewScanner(body); ; {
		if !lines.Scan() {
			return lines.Err()
		}
		if c.JSON {
			s.printf("%s\n", lines.Bytes())
			continue
		}
		var f ops.Frame
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return err
		}
		s.printf("%s %s %3d  %s  %s\n", f.At.Local().Format(time.StampMilli), f.Dir, f.Address, f.Text, f.Data)
	}
}
