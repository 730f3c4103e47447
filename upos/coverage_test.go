package upos_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"coffer/upos"
	"coffer/upos/upostest"
)

var update = flag.Bool("update", false, "write docs/upos-coverage.md anew")

// TestCoveragePage makes the page from the code and compares.
func TestCoveragePage(t *testing.T) {
	const name = "../docs/upos-coverage.md"
	page := coveragePage(t)
	if *update {
		must(t, os.WriteFile(name, []byte(page), 0o644))
	}
	if have, err := os.ReadFile(name); err != nil || string(have) != page {
		t.Errorf("%s is not what the code says (%v): run go test ./upos -run TestCoveragePage -update", name, err)
	}
	for _, c := range upos.Coverage() {
		if !c.Done {
			t.Errorf("%s.%s is not done", c.Class, c.Member.Name)
		}
		if strings.HasPrefix(c.Member.Name, "Cap") && upos.WhyFalse[c.Member.Name] == "" {
			t.Errorf("%s: why may it be false?", c.Member.Name)
		}
	}
}

func coveragePage(t *testing.T) string {
	var b strings.Builder
	b.WriteString(coverageHead)
	raw := map[string]rawMember{}
	for class, members := range rawClasses(t) {
		for _, m := range append(members.Properties, members.Methods...) {
			raw[string(class)+"."+m.Name] = m
		}
	}
	last := upos.Class("")
	for _, c := range upos.Coverage() {
		if c.Class != last {
			last = c.Class
			fmt.Fprintf(&b, "\n## %s\n\n| member | since | closed | open | other | claimed | enabled | deposit | busy | state |\n|---|---|---|---|---|---|---|---|---|---|\n", last)
		}
		m := raw[string(c.Class)+"."+c.Member.Name]
		fmt.Fprintf(&b, "| %s | %s |", title(c.Member, m), c.Member.Since)
		for _, state := range states {
			fmt.Fprintf(&b, " %s |", cell(c.Class, c.Member, m, state))
		}
		fmt.Fprintf(&b, " %s |\n", stateText(c))
	}
	b.WriteString(capabilityTable(t))
	return b.String()
}

const coverageHead = `# UnifiedPOS coverage

Made from the code by ` + "`go test ./upos -run TestCoveragePage -update`" + `; a test compares it. How to use the classes stands in
[upos.md](upos.md).

Every member of the six classes in every life-cycle state, with what a valid call answers: ✓ for success, else the result code. A
property that can be written has two entries, reading / writing. The columns: before open and after close; open; open
while another instance holds the claim; claimed; enabled; in a deposit; while an asynchronous payout runs (of the acceptors: while
firmware is put into the machine). – is a cell that cannot arise. The capabilities are those of the machines in the last table's first
columns; a member whose capability is false answers E_ILLEGAL (106) in each state where it could be called.
The same table is played cell by cell by TestLifeCycleMatrix.
`

func title(m upos.Member, raw rawMember) string {
	if m.Method {
		var params []string
		for _, p := range m.Params {
			params = append(params, p.Name)
		}
		return m.Name + "(" + strings.Join(params, ", ") + ")"
	}
	return m.Name + " " + raw.Type
}

// cell is what the matrix test expects.
func cell(class upos.Class, m upos.Member, raw rawMember, state string) string {
	if impossible(class, state) != "" {
		return "–"
	}
	mark := func(code int32) string {
		if code == 0 {
			return "✓"
		}
		return fmt.Sprint(code)
	}
	code := precondition(class, raw.Access, state)
	if m.Method && code == 0 {
		code = outcomeOf(class, m.Name, state)
	}
	if !m.Writable {
		return mark(code)
	}
	access := raw.Access
	if raw.WriteAccess != "" {
		access = raw.WriteAccess
	}
	write := precondition(class, access, state)
	if write == 0 {
		_, write = settable(class, m.Name, state)
	}
	return mark(code) + " / " + mark(write)
}

func stateText(c upos.Covered) string {
	text := "not done"
	if c.Done {
		text = "done"
	}
	if len(c.Needs) > 0 {
		text += "; needs " + strings.Join(c.Needs, " and ")
	}
	if why := upos.WhyFalse[c.Member.Name]; why != "" {
		text += "; false: " + why
	}
	if c.Note != "" {
		text += "; " + c.Note
	}
	return text
}

// capabilityTable shows what the kinds of machines can do, read from open handles on fakes like the machines of the demo.
func capabilityTable(t *testing.T) string {
	kinds := []struct {
		name   string
		class  upos.Class
		parts  []upos.Part
		drawer *upostest.Drawer
	}{
		{"recycler + coin system", upos.CashChanger, []upos.Part{partial(upostest.Recycler()), upostest.CoinSystem()}, nil},
		{"coin system", upos.CashChanger, []upos.Part{upostest.CoinSystem()}, nil},
		{"validator", upos.BillAcceptor, []upos.Part{upostest.Validator()}, nil},
		{"hopper with coin mech", upos.CoinAcceptor, []upos.Part{upostest.Hopper()}, nil},
		{"recycler", upos.BillDispenser, []upos.Part{upostest.Recycler()}, nil},
		{"hopper", upos.CoinDispenser, []upos.Part{upostest.Hopper()}, nil},
		{"drawer", upos.CashDrawer, nil, &upostest.Drawer{}},
		{"drawer without sensor", upos.CashDrawer, nil, &upostest.Drawer{Blind: true}},
	}
	head, line := "| capability |", "|---|"
	var handles []*upos.Handle
	for _, k := range kinds {
		head += fmt.Sprintf(" %s: %s |", k.class, k.name)
		line += "---|"
		d := upos.Device{Config: upos.Config{Name: "X", Class: k.class, Devices: []string{"x"}}, Mechanism: upostest.New(k.parts...), Drawer: k.drawer}
		s, err := upos.New([]upos.Device{d}, upos.Options{})
		must(t, err)
		t.Cleanup(s.Close)
		h, err := s.Open(k.class, "X")
		must(t, err)
		handles = append(handles, h)
	}
	out := "\n## Capabilities by machine\n\nWithout near_empty and near_full in the configuration, and without a way to put firmware in.\n\n" + head + "\n" + line + "\n"
	seen := map[string]bool{}
	for _, c := range upos.Coverage() {
		name := c.Member.Name
		if seen[name] || !strings.HasPrefix(name, "Cap") && name != "DeviceExits" && name != "ServiceCount" {
			continue
		}
		seen[name] = true
		out += "| " + name + " |"
		for _, h := range handles {
			v, err := h.Get(name)
			if err != nil {
				v = "–"
			}
			out += fmt.Sprintf(" %v |", v)
		}
		out += "\n"
	}
	return out
}

// partial is a recycler that keeps some of what it accepts.
func partial(p upos.Part) upos.Part {
	p.CanRepay = false
	return p
}
