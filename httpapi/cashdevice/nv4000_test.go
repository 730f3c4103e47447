package cashdevice

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/internal/till"
)

// fakeNV4000 adds what a machine with several recyclers can do.
type fakeNV4000 struct{ fakeNotes }

func (d fakeNV4000) SetRecycler(_ context.Context, x cash.Denom, n byte) error {
	if err := d.did(fmt.Sprintf("recycler %s %d", x, n)); err != nil {
		return err
	}
	d.edit(func(s *devices.Snapshot) {
		for i := range s.Channels {
			if s.Channels[i].Denom == x {
				s.Channels[i].Recycler, s.Channels[i].ToPayout = n, true
			}
		}
	})
	return nil
}

func (d fakeNV4000) SetPayToBezel(_ context.Context, on bool) error {
	d.edit(func(s *devices.Snapshot) { s.PayToBezel = on })
	return d.did("bezel " + truth(on))
}

func (d fakeNV4000) RecyclerLevels(context.Context, byte) (cash.Counts, int, error) {
	return nil, 0, cash.ErrUnsupported
}

func (d fakeNV4000) CassetteMode(context.Context) (devices.CassetteMode, error) {
	return 0, cash.ErrUnsupported
}
func (d fakeNV4000) SetCassetteMode(context.Context, devices.CassetteMode) error {
	return cash.ErrUnsupported
}

// withNV4000 puts an NV4000 on COM18.
func (b *bench) withNV4000() *fakeDevice {
	s := payoutAt("COM18")
	s.ID, s.Model, s.Firmware, s.Serial = "NV4000-COM18", modelNV4000, "NVS2004281039NV4", "5000000"
	s.ModuleSerials = map[byte]string{
		0x11: "5001101", 0x12: "5001102", 0x13: "5001103", 0x14: "5001104", 0x15: "5002201", 0x16: "5003301", 0x17: "5004401", 0x18: "5005501",
	}
	d := &fakeDevice{errs: map[string]error{}, snap: s, acc: cash.Account{Kind: cash.CountersNote, Counters: make([]uint32, 5)}}
	b.station.ports = append(b.station.ports, "COM18")
	b.station.machines["COM18"] = fakeNV4000{fakeNotes{d}}
	return d
}

const nv4000Query = "?deviceID=NV4000-COM18"

func TestNV4000Routes(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		d := b.withNV4000()
		a := b.post("OpenConnection", `{"ComPort":"COM18","SspAddress":0,"EnableAcceptor":true,"EnablePayout":true,"DispenseToBezel":true,
			"SetRoutes":[{"Denomination":"500 GBP","Route":2},{"Denomination":"1000 GBP","Route":5},{"Denomination":"2000 GBP","Route":6},
			{"Denomination":"5000 GBP","Route":1}]}`)
		for _, want := range []string{
			`"routes":"SUCCESS: Set route for 500 GBP to RECYCLER_1.\nSUCCESS: Set route for 1000 GBP to RECYCLER_4.\n` +
				`SUCCESS: Set route for 2000 GBP to REPLENISHMENT_CASSETTE.\nSUCCESS: Set route for 5000 GBP to RECYCLER.\n"`,
			`"nV4000Fields":{"recycler1SerialNumber":5001101,"recycler2SerialNumber":5001102,"recycler3SerialNumber":5001103,` +
				`"recycler4SerialNumber":5001104,"interfaceSerialNumber":5002201,"dockSerialNumber":5003301,` +
				`"replenishmentCassetteSerialNumber":5004401,"conveyorSerialNumber":5005501,"currentRC_PayoutValue":0,"rcNoteCount":0}`,
		} {
			if a.status != 200 || !strings.Contains(a.body, want) {
				t.Errorf("%d %s\nwithout %s", a.status, a.body, want)
			}
		}
		if got := d.took(); !strings.HasPrefix(got, "recycler 500 GBP 1; recycler 1000 GBP 4; recycler 2000 GBP 5; route 5000 GBP True; bezel True; ") {
			t.Errorf("the machine was asked for %q", got)
		}
		b.post("SetDenominationRoute"+nv4000Query, `{"Value":2000,"CountryCode":"GBP","Route":3}`).text(t, 200,
			"NV4000-COM18: Set 2000 GBP route to RECYCLER_2 successfully!")
		if a := b.get("GetCurrencyAssignment" + nv4000Query); !strings.Contains(a.body, `"acceptRoute":3,`) || !strings.Contains(a.body, `"acceptRoute":5,`) {
			t.Errorf("assignment %d %s", a.status, a.body)
		}
		d.took()
		b.post("SetDenominationRoute"+nv4000Query, `{"Value":2000,"CountryCode":"GBP","Route":6}`).text(t, 200,
			"NV4000-COM18: Set 2000 GBP route to REPLENISHMENT_CASSETTE successfully!")
		if got := d.took(); got != "recycler 2000 GBP 5" {
			t.Errorf("the machine was asked for %q", got)
		}
		d.errs["recycler"] = cash.ErrUnsupported // a real one
		if a := b.post("SetDenominationRoute"+nv4000Query, `{"Value":2000,"CountryCode":"GBP","Route":2}`); a.status != 400 {
			t.Errorf("a route that no public bytes are known of: %d %s", a.status, a.body)
		}
	})
}

func TestRoutesToRecyclersOfOtherMachines(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.notes.took()
		if a := b.post("SetDenominationRoute"+q, `{"Value":2000,"CountryCode":"GBP","Route":2}`); a.status != 400 || b.notes.took() != "" {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestNV4000Modules(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.withNV4000()
		b.post("OpenConnection", `{"ComPort":"COM18","SspAddress":0}`)
		b.till.outcome = till.Outcome{Result: cash.OpDone}
		b.post("SmartEmpty"+nv4000Query, `{"ModuleNumber":3,"IsNV4000":true}`).is(t, 200, jsonText, `{"dispenseResult":"COMPLETED"}`)
		b.post("SmartEmpty"+nv4000Query, `{"ModuleNumber":0,"NV4000":true}`).is(t, 200, jsonText, `{"dispenseResult":"COMPLETED"}`)
		if got := b.till.took(); got != "empty 3; empty 0" {
			t.Errorf("the till was asked for %q", got)
		}
	})
}
