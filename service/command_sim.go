package service

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"coffer/internal/cash"
)

type simCommand struct {
	List   simList        `cmd:"" help:"List the simulated machines."`
	Show   simShow        `cmd:"" help:"Show the physical truth of a machine: what is where."`
	Insert simInsert      `cmd:"" help:"Feed notes or coins in, as a customer would."`
	Fault  simFault       `cmd:"" help:"Break something, or mend it."`
	Power  simPower       `cmd:"" help:"Cut or restore the power of a machine."`
	Run    simRunScenario `cmd:"" help:"Play a scenario: a day at a kiosk, a jam and its repair."`
	Serve  simServe       `cmd:"" help:"Host the simulated machines of a configuration in this process."`
}

// simMachine is one row of GET /sim/v1/machines.
type simMachine struct {
	Port    string `json:"port"`
	Address int    `json:"address"`
	Profile string `json:"profile"`
}

type simList struct {
	remote
	JSON bool `name:"json" help:"For programs."`
}

// Run lists the machines.
func (c *simList) Run(s *session) error {
	sim, err := c.simulator(s)
	if err != nil {
		return err
	}
	var machines []simMachine
	if err := sim.call(s.ctx, http.MethodGet, "/sim/v1/machines", nil, &machines); err != nil {
		return err
	}
	if c.JSON {
		return s.json(machines)
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PORT\tADDRESS\tPROFILE")
	for _, m := range machines {
		fmt.Fprintf(w, "%s\t%d\t%s\n", m.Port, m.Address, m.Profile)
	}
	return w.Flush()
}

// simTarget names one machine.
type simTarget struct {
	remote
	Port    string `arg:"" help:"Port name of the line, as COM5."`
	Address int    `default:"-1" placeholder:"N" help:"SSP address; needed where two machines share the port."`
}

// path returns the client and the path of the machine.
func (t simTarget) path(s *session) (*client, string, error) {
	sim, err := t.simulator(s)
	if err != nil {
		return nil, "", err
	}
	port, address := t.Port, t.Address
	if address < 0 {
		only, err := t.only(s, sim)
		if err != nil {
			return nil, "", err
		}
		port, address = only.Port, only.Address
	}
	return sim, "/sim/v1/machines/" + url.PathEscape(port) + "/" + strconv.Itoa(address), nil
}

// only returns the one machine on the port, whose name is taken in any letter case.
func (t simTarget) only(s *session, sim *client) (simMachine, error) {
	var machines []simMachine
	if err := sim.call(s.ctx, http.MethodGet, "/sim/v1/machines", nil, &machines); err != nil {
		return simMachine{}, err
	}
	var found []string
	var only simMachine
	for _, m := range machines {
		if strings.EqualFold(m.Port, t.Port) {
			found, only = append(found, strconv.Itoa(m.Address)), m
		}
	}
	switch len(found) {
	case 0:
		return only, fmt.Errorf("no simulated machine on port %s; `coffer sim list` lists them", t.Port)
	case 1:
		return only, nil
	}
	return only, &misuse{fmt.Sprintf("port %s has machines at %s", t.Port, strings.Join(found, " and ")), "--address " + found[0]}
}

type simShow struct {
	simTarget
	JSON bool `name:"json" help:"For programs."`
}

// truth is the part of a machine's physical truth that people ask for.
type truth struct {
	Port    string `json:"port"`
	Address int    `json:"address"`
	Profile string `json:"profile"`
	Power   bool   `json:"power"`
	Plugged bool   `json:"plugged"`
	Enabled bool   `json:"enabled"`
	Moving  bool   `json:"moving"`

	Payout    []cash.Row `json:"payout"`
	Cashbox   []cash.Row `json:"cashbox"`
	Escrow    []cash.Row `json:"escrow"`
	Transit   []cash.Row `json:"transit"`
	Inserted  []cash.Row `json:"inserted"`
	Dispensed []cash.Row `json:"dispensed"`
	Returned  []cash.Row `json:"returned"`
}

// Run shows one machine.
func (c *simShow) Run(s *session) error {
	sim, path, err := c.path(s)
	if err != nil {
		return err
	}
	if c.JSON {
		var all any
		if err := sim.call(s.ctx, http.MethodGet, path, nil, &all); err != nil {
			return err
		}
		return s.json(all)
	}
	var t truth
	if err := sim.call(s.ctx, http.MethodGet, path, nil, &t); err != nil {
		return err
	}
	s.printf("%s at %s, address %d: power %s, %s, acceptor %s, %s\n", t.Profile, t.Port, t.Address, onOff(t.Power),
		map[bool]string{true: "plugged in", false: "unplugged"}[t.Plugged], onOff(t.Enabled), map[bool]string{true: "moving", false: "at rest"}[t.Moving])
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, place := range []struct {
		name string
		rows []cash.Row
	}{
		{"payout", t.Payout}, {"cashbox", t.Cashbox}, {"escrow", t.Escrow}, {"transit", t.Transit},
		{"inserted", t.Inserted}, {"dispensed", t.Dispensed}, {"returned", t.Returned},
	} {
		for _, r := range cash.CountsOf(place.rows...).Rows() {
			fmt.Fprintf(w, "%s\t%d ×\t%s\n", place.name, r.Count, r.Denom().Amount(1))
		}
	}
	return w.Flush()
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

type simInsert struct {
	simTarget
	Value      int64  `arg:"" optional:"" help:"Denomination in minor units: 2000 is 20.00."`
	Currency   string `arg:"" optional:"" help:"Its currency, as EUR."`
	Count      int    `default:"1" help:"How many pieces, all or none."`
	Fraud      bool   `help:"A manipulation attempt instead."`
	Unreadable bool   `help:"A piece the machine cannot read."`
	Barcode    string `placeholder:"TEXT" help:"A ticket with this code."`
	JSON       bool   `name:"json" help:"For programs."`
}

// Run feeds pieces in.
func (c *simInsert) Run(s *session) error {
	in := map[string]any{}
	switch {
	case c.Fraud:
		in["fraud"] = true
	case c.Unreadable:
		in["unreadable"] = true
	case c.Barcode != "":
		in["barcode"] = c.Barcode
	case c.Value < 1 || c.Currency == "":
		return &misuse{"say what to insert", "coffer sim insert " + c.Port + " 2000 EUR"}
	}
	if c.Value > 0 {
		in["value"], in["currency"], in["count"] = c.Value, strings.ToUpper(c.Currency), c.Count
	}
	sim, path, err := c.path(s)
	if err != nil {
		return err
	}
	var taken struct {
		ID string `json:"id"`
	}
	if err := sim.call(s.ctx, http.MethodPost, path+"/insert", in, &taken); err != nil {
		return err
	}
	if c.JSON {
		return s.json(taken)
	}
	s.printf("inserted, id %s\n", taken.ID)
	return nil
}

type simFault struct {
	simBreak
	Kind  string      `arg:"" help:"jam, unjam, cashbox_removed, cashbox_replaced, unplug, plug, bit_flips, drop_bytes, mute, lose_key, clear, …"`
	ForMS int         `name:"for-ms" placeholder:"N" help:"For so long."`
	Rate  json.Number `placeholder:"0.01" help:"Of bit_flips and drop_bytes: the share of bytes."`
	Paid  int64       `placeholder:"N" help:"Of halt_payout_after: minor units."`
	Empty bool        `help:"Of cashbox_replaced: it comes back empty."`
}

// Run breaks or mends something.
func (c *simFault) Run(s *session) error {
	in := map[string]any{"kind": c.Kind}
	if c.ForMS > 0 {
		in["for_ms"] = c.ForMS
	}
	if c.Rate != "" {
		in["rate"] = c.Rate
	}
	if c.Paid > 0 {
		in["paid"] = c.Paid
	}
	if c.Empty {
		in["empty"] = true
	}
	return c.fault(s, in)
}

// simBreak names one machine that something is done to.
type simBreak struct {
	simTarget
	JSON bool `name:"json" help:"For programs."`
}

func (t simBreak) fault(s *session, in map[string]any) error {
	sim, path, err := t.path(s)
	if err != nil {
		return err
	}
	if err := sim.call(s.ctx, http.MethodPost, path+"/fault", in, nil); err != nil {
		return err
	}
	if t.JSON {
		in["port"] = t.Port
		return s.json(in)
	}
	s.printf("%s: %s\n", t.Port, in["kind"])
	return nil
}

type simPower struct {
	simBreak
	State string `arg:"" enum:"on,off" help:"on or off."`
}

// Run cuts or restores the power.
func (c *simPower) Run(s *session) error {
	return c.fault(s, map[string]any{"kind": "power_" + c.State})
}
