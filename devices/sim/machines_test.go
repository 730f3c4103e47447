package sim

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"coffer/ssp"
)

var update = flag.Bool("update", false, "write docs/machines.md anew")

// How well a thing is known.
const (
	confirmed = "C" // two independent public sources or more
	oneSource = "1" // one public source
	inferred  = "I" // taken over from a neighbouring family
	project   = "P" // no public bytes: our own coding, simulated only
	unrated   = "?" // nobody has said yet
)

// capability is a row of the page: what a machine can do where its profile has all of the commands and the feature.
type capability struct {
	group, name string
	commands    string // hexadecimal codes
	feature     string
	evidence    string
	coinsOnly   string // evidence where the machine handles coins, if it is another
}

// capabilities rate every command that a profile may have, after the marks of the protocol's fact sheet (ssp.md 9, 10, 16).
var capabilities = []capability{
	{group: "All machines", name: "Identity, protocol version, reset", commands: "01 05 06 0C 11 20 21", evidence: confirmed},
	{name: "Polling", commands: "07", evidence: confirmed},
	{name: "Polling with acknowledgement", commands: "56 57", evidence: confirmed},
	{name: "Switching on and off", commands: "09 0A", evidence: confirmed},
	{name: "Encryption", commands: "4A 4B 4C", evidence: confirmed},
	{name: "Changing the fixed key", commands: "60 61", evidence: confirmed},
	{name: "Build revisions", commands: "4F", evidence: confirmed},
	{name: "Counters", commands: "58 59", evidence: confirmed},
	{name: "Line speed", commands: "4D", evidence: confirmed},
	{name: "Firmware and dataset download", commands: "0B", evidence: oneSource},
	{name: "Real-time clock", commands: "62 63 64", evidence: project},
	{group: "Taking notes", name: "Inhibits by channel", commands: "02", evidence: confirmed},
	{name: "Channel values, security, unit data", commands: "0D 0E 0F 10", evidence: confirmed},
	{name: "Holding and giving back", commands: "08 18", evidence: confirmed},
	{name: "Reason of the last reject", commands: "17", evidence: confirmed},
	{name: "Bezel lights on and off", commands: "03 04", evidence: confirmed},
	{name: "Bezel colour", commands: "54", feature: "bezel_light", evidence: confirmed},
	{name: "Barcode tickets", commands: "23 24 25 26 27", feature: "barcode", evidence: confirmed},
	{name: "Service book", commands: "30", feature: "service_book", evidence: project},
	{name: "Several datasets on a card", commands: "30", feature: "smart_currency", evidence: project},
	{name: "Multi escrow", commands: "76 77 78 79 7A", evidence: project},
	{group: "Paying out", name: "Levels by denomination", commands: "22 35", evidence: confirmed},
	{name: "Payout by value, tested and committed", commands: "33", evidence: confirmed},
	{name: "Payout by denomination", commands: "46", evidence: confirmed},
	{name: "Stopping a payout", commands: "38", evidence: confirmed},
	{name: "Routes to store or cashbox", commands: "3B 3C", evidence: confirmed},
	{name: "Float by amount", commands: "3D", evidence: confirmed},
	{name: "Float by denomination", commands: "44", evidence: confirmed},
	{name: "Smallest payout", commands: "3E", evidence: confirmed},
	{name: "Emptying", commands: "3F", evidence: confirmed},
	{name: "Smart emptying, with what was moved", commands: "52 53", evidence: confirmed},
	{name: "Limit of what stays in the store", commands: "4E", evidence: inferred, coinsOnly: oneSource},
	{name: "Payout store on and off", commands: "5B 5C", evidence: confirmed},
	{name: "Free places in the store", commands: "6F", evidence: project},
	{name: "Refill mode", commands: "30", feature: "refill", evidence: confirmed},
	{name: "Recyclers, replenishment cassette and dock", commands: "30", feature: "cassette", evidence: project},
	{group: "Note float", name: "Positions, paying and stacking the last note", commands: "41 42 43 45", evidence: confirmed},
	{name: "One pile, last in first out", feature: "float", evidence: confirmed},
	{group: "Coins", name: "Inhibits by denomination", commands: "40", evidence: confirmed},
	{name: "Coin mech or feeder on and off", commands: "49", evidence: confirmed},
	{name: "Setting levels", commands: "34", evidence: confirmed},
	{name: "Option registers", commands: "50 51", evidence: confirmed},
	{name: "Calibration", commands: "47 48", evidence: confirmed},
	{name: "Coin mech options", commands: "5A", evidence: confirmed},
	{name: "Pass-through to the coin mech", commands: "37", evidence: confirmed},
	{name: "Payout split by a denomination", commands: "39", evidence: project},
	{name: "Holding coins in the feeder", commands: "3A", evidence: project},
	{name: "Stirring", commands: "5D", evidence: project},
	{name: "Coin mech attached", feature: "coin_mech", evidence: confirmed},
	{name: "Feeder", feature: "feeder", evidence: confirmed},
	{name: "Acceptance, error code, limits of payouts, cashbox counts, service book", commands: "30", feature: "books", evidence: project},
	{name: "Two hoppers and a sorter", commands: "30", feature: "twin", evidence: project},
	{name: "Lifter", commands: "30", feature: "lifter", evidence: project},
}

// unproven are machines whose bytes beyond those of a validator nobody has published: that they are those of the
// neighbouring family is inferred.
var unproven = map[string]bool{"nv4000": true}

// beyondValidator are the groups that unproven is about.
var beyondValidator = []string{"Paying out", "Coins"}

// in returns the evidence for c in a profile, "" if the profile does not have it.
func (c capability) in(p *profile, group string) string {
	codes, _ := hex.DecodeString(strings.ReplaceAll(c.commands, " ", ""))
	for _, code := range codes {
		if !p.commands[ssp.Command(code)] {
			return ""
		}
	}
	switch {
	case c.feature != "" && !p.has(c.feature):
		return ""
	case c.coinsOnly != "" && p.Family == familyCoin:
		return c.coinsOnly
	case unproven[p.Name] && c.evidence == confirmed && slices.Contains(beyondValidator, group):
		return inferred
	}
	return c.evidence
}

// TestMachinesPage holds docs/machines.md to the profiles.
func TestMachinesPage(t *testing.T) {
	const page = "../../docs/machines.md"
	all, err := profiles()
	if err != nil {
		t.Fatal(err)
	}
	want := machinesPage(t, all)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("%s is old (%v); run the command that it names", page, err)
	}
}

const machinesHead = `# Machines: what is certain, and what was only simulated

Made by ` + "`go test ./devices/sim -run TestMachinesPage -update`" + ` from the profiles of the simulated machines.

Nobody has connected a real machine yet: the simulator and the drivers follow what is public about SSP, and agree byte
for byte. How well that is known differs:

| Mark | Means |
|---|---|
| C | confirmed by two public sources or more that do not copy each other |
| 1 | one public source only |
| I | inferred from a neighbouring family |
| P | nobody has published the bytes: our own coding, which simulated machines understand; a real one gets it only where its configuration says extensions: true |
| ? | not rated yet |
| (blank) | the machine does not have it |

`

func machinesPage(t *testing.T, all map[string]*profile) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(machinesHead)
	b.WriteString("| Profile | Machine | Unit type | Currencies | Store | Encryption |\n|---|---|---|---|---|---|\n")
	for _, name := range Profiles() {
		p := all[name]
		unit := fmt.Sprintf("%02X", p.UnitType)
		if unproven[name] {
			unit += " (" + project + ")"
		}
		currencies := []string{}
		for c := range p.Denominations {
			currencies = append(currencies, c)
		}
		slices.Sort(currencies)
		store := "none"
		if p.Store > 0 {
			store = fmt.Sprint(p.Store)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", name, machineName(t, name), unit, strings.Join(currencies, ", "), store, p.Encryption)
	}
	b.WriteString("\nHow many pieces a store holds, and firmware and dataset names, are examples.\n")
	writeCapabilities(&b, all)
	return b.String()
}

// machineName is the first sentence of the profile's comment.
func machineName(t *testing.T, name string) string {
	t.Helper()
	text, err := profileFiles.ReadFile("profiles/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(string(text), "# "), "\n")
	first, _, _ = strings.Cut(first, ". ")
	return strings.TrimSuffix(strings.ReplaceAll(first, "|", "/"), ".")
}

// writeCapabilities writes a table for each group, with the machines that have something of it.
func writeCapabilities(b *strings.Builder, all map[string]*profile) {
	rows := append(slices.Clone(capabilities), unratedCapabilities(all)...)
	for begin := 0; begin < len(rows); {
		group, end := rows[begin].group, begin+1
		for end < len(rows) && rows[end].group == "" {
			end++
		}
		writeGroup(b, all, group, rows[begin:end])
		begin = end
	}
}

func writeGroup(b *strings.Builder, all map[string]*profile, group string, rows []capability) {
	var names []string
	for _, name := range Profiles() {
		if slices.ContainsFunc(rows, func(c capability) bool { return c.in(all[name], group) != "" }) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n| | Commands | %s |\n|---|---|%s\n", group, strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for _, c := range rows {
		cells, any := "", false
		for _, name := range names {
			e := c.in(all[name], group)
			cells, any = cells+" "+e+" |", any || e != ""
		}
		if any {
			fmt.Fprintf(b, "| %s | %s |%s\n", c.name, c.commands, cells)
		}
	}
}

// unratedCapabilities are what profiles have and no row speaks of.
func unratedCapabilities(all map[string]*profile) []capability {
	codes, features := map[string]bool{"30": true}, map[string]bool{} // 30 is an envelope: what is in it are features
	for _, c := range capabilities {
		features[c.feature] = true
		for _, code := range strings.Fields(c.commands) {
			codes[code] = true
		}
	}
	var out []capability
	for _, name := range Profiles() {
		for code := range 256 {
			h := fmt.Sprintf("%02X", code)
			if all[name].commands[ssp.Command(code)] && !codes[h] {
				codes[h] = true
				out = append(out, capability{name: ssp.Command(code).String(), commands: h, evidence: unrated})
			}
		}
		for _, f := range all[name].Features {
			if !features[f] {
				features[f] = true
				out = append(out, capability{name: f, feature: f, evidence: unrated})
			}
		}
	}
	if len(out) > 0 {
		out[0].group = "Others"
	}
	return out
}
