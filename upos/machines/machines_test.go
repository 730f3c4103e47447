package machines_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/internal/till"
	"coffer/ssp"
	"coffer/upos"
	"coffer/upos/machines"
	"coffer/upos/upostest"
)

var (
	bill = upostest.Bill
	mint = upostest.Coin
	mine = upos.Request{Owner: "pos", Actor: "eva", Exit: 1}
)

// told collects changes.
type told struct {
	mu   sync.Mutex
	list []upos.Change
}

func (l *told) add(c upos.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, c)
}

func (l *told) taken() map[upos.Piece]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[upos.Piece]int{}
	for _, c := range l.list {
		for p, n := range c.Taken {
			out[p] += n
		}
	}
	return out
}

func (l *told) has(f func(upos.Change) bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.list, f)
}

func (b *realBench) fails(what string, err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("%s: %v; want %v", what, err, want)
	}
}

func TestNew(t *testing.T) {
	onBench(t, 64, func(b *realBench) {
		deps := machines.Deps{Station: b.station, Till: b.till, Bus: b.bus, Log: logrus.New()}
		_, err := machines.New(deps, "notes", "nobody")
		b.fails("an id that is not configured", err, cash.ErrUnknown)
		_, err = machines.New(deps)
		b.fails("no machine", err, cash.ErrInvalid)
	}, notes)
}

// Events that were overwritten before they were told are made up for from the ledger: no piece is lost, none doubled.
func TestGap(t *testing.T) {
	onBench(t, 4, func(b *realBench) {
		var l told
		gate := make(chan struct{})
		defer b.m.Watch(func(c upos.Change) { <-gate; l.add(c) })()
		b.must(b.m.Claim("pos"))
		b.must(b.m.Accept(b.Context(), mine, true))
		want := map[upos.Piece]int{}
		for i := range 12 {
			p := []upos.Piece{bill(500), bill(1000), mint(50), mint(200)}[i%4]
			b.Insert(p)
			want[p]++
		}
		b.await("all taken", func() bool {
			return !slices.ContainsFunc(b.machines, func(m *sim.Machine) bool { return m.Truth().Moving })
		})
		time.Sleep(5 * time.Second)
		close(gate)
		b.await("told", func() bool { return fmt.Sprint(l.taken()) == fmt.Sprint(want) })
		b.Insert(bill(2000))
		want[bill(2000)]++
		b.must(b.m.Accept(b.Context(), mine, false))
		b.must(b.m.Settle(b.Context(), mine))
		time.Sleep(time.Minute)
		got := l.taken()
		if got[bill(2000)] == 0 {
			delete(want, bill(2000)) // it came back
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("taken %v; want %v", got, want)
		}
	}, notes, coins)
}

// A machine that is configured to hold notes takes them at once while acceptance is on.
func TestEscrow(t *testing.T) {
	held := notes
	held.escrow = true
	onBench(t, 4096, func(b *realBench) {
		d, _ := b.station.Device("SPECTRAL_PAYOUT-COM5")
		if d.Snapshot().AutoAccept {
			t.Fatal("it takes notes by itself")
		}
		b.must(b.m.Claim("pos"))
		b.must(b.m.Accept(b.Context(), mine, true))
		b.Insert(bill(500))
		b.await("taken", func() bool { return b.m.Parts()[0].Store[bill(500)] == 5 })
		b.must(b.m.Accept(b.Context(), mine, false))
		b.must(b.m.Settle(b.Context(), mine))
		if d.Snapshot().AutoAccept {
			t.Error("it is not as it was")
		}
		b.must(b.till.Enable(b.Context(), till.Call{Owner: "pos"}, d))
		b.Insert(bill(1000))
		b.await("held", func() bool { return d.Snapshot().Escrow != nil })
		if !b.m.Parts()[0].Moving {
			t.Error("a held note is under way")
		}
		b.must(b.m.Accept(b.Context(), mine, false))
		b.must(b.m.Settle(b.Context(), mine))
		if p := b.m.Parts()[0]; p.Store[bill(1000)]+p.Box[bill(1000)] != 5 {
			t.Errorf("notes %v and %v: what was held is taken", p.Store, p.Box)
		}
	}, held)
}

// Settle returns when every watcher has heard of what was taken.
func TestSettleWaitsForTheWatchers(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		var heard atomic.Bool
		defer b.m.Watch(func(c upos.Change) {
			if len(c.Taken) > 0 {
				time.Sleep(time.Minute) // as on a busy machine
				heard.Store(true)
			}
		})()
		b.must(b.m.Claim("pos"))
		b.must(b.m.Accept(b.Context(), mine, true))
		b.Insert(bill(500))
		b.await("credited", func() bool { return b.m.Parts()[0].Store[bill(500)] == 5 })
		b.must(b.m.Accept(b.Context(), mine, false))
		b.must(b.m.Settle(b.Context(), mine))
		if !heard.Load() {
			t.Error("a credit is not told when all is settled")
		}
	}, notes)
}

func quiet() logrus.FieldLogger {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return l
}

// The levels of a coin machine are set, and the ledger says who did it.
func TestCoinStoreCounted(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		b.must(b.m.Claim("pos"))
		r := mine
		r.Pieces = upos.Pieces{mint(50): 7, mint(200): 25}
		b.must(b.m.Adjust(b.Context(), r, cash.Payout))
		got, _, err := b.m.Counts(b.Context(), mine, cash.Payout)
		if b.must(err); got[mint(50)] != 7 || got[mint(200)] != 25 || got[mint(10)] != 20 {
			t.Errorf("counts %v", got)
		}
		if p := b.m.Parts()[0]; p.Store[mint(50)] != 7 || p.Store[mint(200)] != 25 {
			t.Errorf("part %+v", p)
		}
		rows, err := b.ledger.Entries(b.Context(), 0, 1000)
		b.must(err)
		if last := rows[len(rows)-1]; last.Kind != cash.KindAdjust || last.Detail != "counted by eva via upos" {
			t.Errorf("row %+v", last)
		}
		r.Pieces = upos.Pieces{bill(500): 1}
		b.fails("notes in a coin machine", b.m.Adjust(b.Context(), r, cash.Payout), cash.ErrInvalid)
		b.fails("a place that is none", b.m.Adjust(b.Context(), r, cash.Escrow), cash.ErrInvalid)
		_, _, err = b.m.Counts(b.Context(), mine, cash.Escrow)
		b.fails("counts of no place", err, cash.ErrInvalid)
	}, coins)
}

// A discrepancy leaves doubt, over a restart too, until somebody has counted.
func TestDoubt(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		var l told
		defer b.m.Watch(l.add)()
		b.must(b.m.Claim("pos"))
		b.must(b.machines[0].SetLevel(500, "EUR", 3))
		d, _ := b.station.Device("SPECTRAL_PAYOUT-COM5")
		b.must(d.(devices.Auditor).Audit(b.Context()))
		if _, doubt, err := b.m.Counts(b.Context(), mine, cash.Payout); err != nil || !doubt {
			t.Errorf("at once: doubt %v, %v", doubt, err)
		}
		b.await("doubt", func() bool { return b.m.Parts()[0].InDoubt && l.has(func(c upos.Change) bool { return c.Doubt }) })
		if _, doubt, err := b.m.Counts(b.Context(), mine, cash.Payout); err != nil || !doubt {
			t.Errorf("doubt %v, %v", doubt, err)
		}
		again, err := machines.New(machines.Deps{Station: b.station, Till: b.till, Bus: b.bus, Log: quiet()}, "notes")
		b.must(err)
		if !again.Parts()[0].InDoubt {
			t.Error("forgotten over a restart")
		}
		again.Close()
		r := mine
		r.Pieces = upos.Pieces{bill(500): 0}
		b.must(b.m.Adjust(b.Context(), r, cash.Cashbox))
		if b.m.Parts()[0].InDoubt {
			t.Error("still in doubt")
		}
		b.must(b.machines[0].SetLevel(500, "EUR", 1))
		b.must(d.(devices.Auditor).Audit(b.Context()))
		b.must(b.m.Adjust(b.Context(), r, cash.Cashbox))
		if time.Sleep(time.Second); b.m.Parts()[0].InDoubt {
			t.Error("in doubt again over what was found before the count")
		}
	}, notes)
}

func TestUnusual(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		var l told
		defer b.m.Watch(l.add)()
		b.must(b.m.Claim("pos"))
		b.must(b.m.Accept(b.Context(), mine, true))
		_, err := b.machines[0].Insert(sim.Insert{Unreadable: true})
		b.must(err)
		b.await("returned", func() bool { return l.has(func(c upos.Change) bool { return c.Returned && c.Part == 0 }) })
		time.Sleep(10 * time.Second)
		_, err = b.machines[0].Insert(sim.Insert{Value: 500, Currency: "EUR", Fraud: true})
		b.must(err)
		b.await("fraud", func() bool { return l.has(func(c upos.Change) bool { return c.Fraud && c.Part == 0 }) })
		if got := l.taken(); len(got) != 0 {
			t.Errorf("taken %v", got)
		}
	}, notes, coins)
}

// A note whose credit coffer learns of only after a power cut is told once.
func TestLateCredit(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		var l told
		defer b.m.Watch(l.add)()
		b.must(b.m.Claim("pos"))
		b.must(b.m.Accept(b.Context(), mine, true))
		b.Insert(bill(1000))
		time.Sleep(600 * time.Millisecond)
		b.Plug(0, false)
		b.await("away", func() bool { return !b.m.Parts()[0].Online })
		b.Plug(0, true)
		b.online()
		b.must(b.m.Accept(b.Context(), mine, false))
		b.must(b.m.Settle(b.Context(), mine))
		store, box := b.Truth(0)
		if got, in := l.taken()[bill(1000)], store[bill(1000)]+box[bill(1000)]-4; got != in {
			t.Errorf("told %d, taken %d", got, in)
		}
	}, notes)
}

// A payout that a power cut ends has its outcome once the machine is back.
func TestPowerCutInPayout(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		b.must(b.m.Claim("pos"))
		job, err := b.m.Dispense(b.Context(), upos.Request{Owner: "pos", Amount: cash.Amount{Value: 13500, Currency: "EUR"}})
		b.must(err)
		out := func() (v int64) {
			for _, r := range b.machines[0].Truth().Dispensed {
				v += r.Value * int64(r.Count)
			}
			return v
		}
		b.await("a note is out", func() bool { return out() > 0 })
		b.must(b.machines[0].Fault(sim.Fault{Kind: sim.FaultPowerOff}))
		time.Sleep(20 * time.Second)
		b.must(b.machines[0].Fault(sim.Fault{Kind: sim.FaultPowerOn}))
		paid, err := job.Wait(b.Context())
		var partial *cash.PartialError
		if !errors.As(err, &partial) || !paid.Sure || paid.Amount.Value >= 13500 || paid.Amount.Value < 500 {
			t.Errorf("paid %+v, %v", paid, err)
		}
		if out() != paid.Amount.Value {
			t.Errorf("the machine has paid %d, told %+v", out(), paid)
		}
	}, notes)
}

func TestRawAndStatistics(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		b.must(b.m.Claim("pos"))
		answer, err := b.m.Raw(b.Context(), mine, 0, []byte{byte(ssp.CmdGetSerialNumber)})
		if b.must(err); len(answer) < 2 || answer[0] != byte(ssp.OK) {
			t.Errorf("answer % X", answer)
		}
		_, err = b.m.Raw(b.Context(), mine, 0, []byte{byte(ssp.CmdPayoutAmount)})
		b.fails("a payout by hand", err, cash.ErrInvalid)
		_, err = b.m.Raw(b.Context(), upos.Request{Owner: "other"}, 0, []byte{byte(ssp.CmdGetSerialNumber)})
		b.fails("another", err, cash.ErrClaimed)
		_, err = b.m.Raw(b.Context(), mine, 2, []byte{byte(ssp.CmdGetSerialNumber)})
		b.fails("no such part", err, cash.ErrInvalid)
		b.fails("no such part", b.m.Ping(b.Context(), -1), cash.ErrInvalid)
		job, err := b.m.Dispense(b.Context(), upos.Request{Owner: "pos", Amount: cash.Amount{Value: 520, Currency: "EUR"}})
		b.must(err)
		_, err = job.Wait(b.Context())
		b.must(err)
		b.await("counted", func() bool {
			s := b.m.Statistics()
			return s["NotesDispensed"] == 1 && s["CoinsPaidOut"] == 1
		})
	}, notes, coins)
}

// loader is a Downloader that does what it is told.
type loader struct {
	got   devices.Download
	steps []devices.DownloadProgress
	err   error
}

func (l *loader) CheckDownload(image []byte) error {
	if strings.HasPrefix(string(image), "no") {
		return cash.ErrInvalid
	}
	return nil
}

func (l *loader) Download(_ context.Context, d devices.Download) error {
	l.got = d
	for _, s := range l.steps {
		d.Progress(s)
	}
	return l.err
}

func TestUpdate(t *testing.T) {
	onBench(t, 64, func(b *realBench) {
		b.must(b.m.Claim("other"))
		b.m.Release("other")
		_, err := b.m.CheckImage([]byte("x"))
		b.fails("nothing to load with", err, cash.ErrUnsupported)
		if b.m.Parts()[0].CanUpdate {
			t.Error("it can be updated")
		}
		l := &loader{steps: []devices.DownloadProgress{
			{Stage: devices.DownloadChecking}, {Stage: devices.DownloadRAM, RAMBlock: 0, RAMBlocks: 4},
			{Stage: devices.DownloadRAM, RAMBlock: 4, RAMBlocks: 4}, {Stage: devices.DownloadUpdating, Block: 50, Blocks: 100},
			{Stage: devices.DownloadUpdating, Block: 100, Blocks: 100}, {Stage: devices.DownloadRestarting},
		}}
		m, err := machines.New(machines.Deps{Station: b.station, Till: b.till, Bus: b.bus, Downloader: l, Log: quiet()}, "notes")
		b.must(err)
		defer m.Close()
		if !m.Parts()[0].CanUpdate {
			t.Error("it cannot be updated")
		}
		_, err = m.CheckImage([]byte("nonsense"))
		b.fails("nonsense", err, cash.ErrInvalid)
		b.fails("without the claim", m.Update(b.Context(), mine, 0, nil, nil), cash.ErrClaimed)
		b.must(m.Claim("pos"))
		image := ssp.MakeDownload(ssp.DownloadFile{Payload: ssp.Payload{Firmware: "NVS2004301099000"}.Append(nil, 300), RAM: make([]byte, 300)})
		if name, err := m.CheckImage(image); err != nil || name != "NVS2004301099000" {
			t.Errorf("firmware %q, %v", name, err)
		}
		var seen []int
		b.must(m.Update(b.Context(), mine, 0, image, func(n int) { seen = append(seen, n) }))
		if !slices.Equal(seen, []int{1, 10, 54, 99, 100}) || l.got.Port != "COM5" || len(l.got.Image) != len(image) {
			t.Errorf("told %v; got %s", seen, l.got.Port)
		}
		l.err = cash.ErrBusy
		b.fails("busy", m.Update(b.Context(), mine, 0, image, nil), cash.ErrBusy)
	}, notes)
}

// A machine in a jam refuses as jammed, not as busy, alone and beside another one, and the error names it.
func TestPayoutInJam(t *testing.T) {
	pay := func(r upos.Request) upos.Request {
		r.Owner, r.Actor, r.Exit = mine.Owner, mine.Actor, 1
		return r
	}
	byAmount := pay(upos.Request{Amount: cash.Amount{Value: 13500, Currency: "EUR"}})
	byPieces := pay(upos.Request{Pieces: upos.Pieces{bill(500): 1}})
	for _, list := range [][]machine{{notes}, {notes, coins}} {
		onBench(t, 4096, func(b *realBench) {
			b.must(b.m.Claim("pos"))
			b.Jam(0, true)
			b.await("jammed", func() bool { return b.m.Parts()[0].Jammed })
			for _, r := range []upos.Request{byAmount, byPieces} {
				b.fails("asked whether", b.m.CanDispense(b.Context(), r), cash.ErrJam)
				_, err := b.m.Dispense(b.Context(), r)
				b.fails("payout", err, cash.ErrJam)
				if err != nil && !strings.Contains(err.Error(), "SPECTRAL_PAYOUT-COM5") {
					t.Errorf("%v does not name the machine", err)
				}
			}
		}, list...)
	}
}

// What a machine can do and holds is known while it is away, and does not flicker when it comes back.
func TestReconnect(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		before := b.m.Parts()[0]
		var l told
		defer b.m.Watch(func(c upos.Change) {
			now := b.m.Parts()[0]
			if len(now.Pays) != len(before.Pays) || len(now.Accepts) != len(before.Accepts) || len(now.Holds) != len(before.Holds) {
				t.Errorf("parts while it comes back: %+v", now)
			}
			l.add(c)
		})()
		for _, in := range []bool{false, true} {
			b.Plug(0, in)
			b.await("plugged", func() bool { return b.m.Parts()[0].Online == in })
		}
		if !l.has(func(c upos.Change) bool { return c.Status }) {
			t.Error("nothing was told")
		}
	}, notes)
}
