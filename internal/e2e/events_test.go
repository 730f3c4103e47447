package e2e

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/ssp"
)

// familyEvents is the table of ssp.md section 11.3: which family has which events. P, F and N4 contain a validator, S is
// a hopper with a feeder, T a twin one. Rows of printers (A0 to AF) and of TEBS (90 to 93) are left out, since there is no
// such machine here. M and C are what the project has made up for multi escrow and for replenishment cassettes.
var familyEvents = map[string]string{
	"V": "F1 EF EE ED EC EB EA E9 E8 E7 E6 E5 E4 E3 E2 E1 E0 D1 CC C0 B6 B5",
	"P": "DD DC DB DA D9 D8 D7 D6 D5 D2 CF CE CD CB CA C9 C6 C3 C2 B4 B3 B1 B0 8B",
	"F": "DC DB DA D9 D6 D5 D2 CF CE CD CB CA C9 C8 C7 C6 C3 C2 B4 B3",
	"H": "F1 E8 E6 E4 E3 DF DE DD DC DA D9 D8 D7 D6 D5 D4 D3 D2 CF C5 C4 C3 C2 BF BE BD BA B7 B4 B3 83",
	"S": "C1 C0",
	"T": "9F",
	"M": "94 95 96 97 98 99",
	"C": "9A 9B 9C 9D 9E",
}

// families are the machines on which events are raised, with the rows of familyEvents that hold for them.
var families = []struct {
	kind model
	rows string
}{
	{nv200, "V"}, {recycler, "VPM"}, {nv22, "VP"}, {nv4000, "VPC"}, {noteFloat, "VF"},
	{coinMachines[1], "H"}, {coinMachines[2], "H"}, {coinMachines[0], "HS"}, {coinMachines[3], "HST"},
}

// unraised are events that a family cannot raise, or that have no meaning of their own on the bus, and why.
func unraised(rows string, code ssp.EventCode) string {
	store, coins := strings.ContainsAny(rows, "PF"), strings.Contains(rows, "H")
	switch code {
	case ssp.EvCoinsLow, ssp.EvCoinsEmpty:
		return "legacy: no firmware of these machines has it"
	case ssp.EvEscrowActive:
		if !strings.Contains(rows, "M") {
			return "this machine has no multi escrow"
		}
	case ssp.EvClearedIntoCashbox:
		if store {
			return "the machine names the note by its value, with NOTE INTO STACKER AT RESET"
		}
	case ssp.EvTransferredToStacker:
		if strings.Contains(rows, "P") {
			return "notes leave the store in floats and emptying alone, which have events of their own"
		}
	case ssp.EvCoinReturnPressed, ssp.EvCoinMechError:
		if coins && strings.Contains(rows, "S") {
			return "there is no coin mech on a coin system, its feeder has neither lever nor ccTalk"
		}
	}
	return ""
}

// raise is how an event comes about, and what the bus has of it.
type raise struct {
	on   string // rows: on machines that have one of them
	code ssp.EventCode
	do   func(r *raiser)
	bus  []string // parts of events as told writes them; $P is the small piece, $A its amount, $2 twice that, $L and $B the large
}

// told writes an event with all of its fields.
func told(e cash.Event) string {
	if end, ok := e.(cash.Ended); ok {
		end.Account = nil
		e = end
	}
	return strings.TrimPrefix(fmt.Sprintf("%T%+v", e, e), "cash.")
}

// TestEventsReachTheBus raises every event of a family's table and finds it on the wire, and on the bus with its value.
func TestEventsReachTheBus(t *testing.T) {
	for _, f := range families {
		t.Run(f.kind.profile, func(t *testing.T) {
			t.Parallel()
			onTabletop(t, f.kind, func(tt *tabletop) {
				tt.loose = true // hands take and fill
				r := newRaiser(tt)
				defer r.deafen()
				if err := tt.world.SetSpeed(1); err != nil { // so that polls see every state
					t.Fatal(err)
				}
				r.settle()
				for _, row := range strings.Split(f.rows, "") {
					for _, code := range strings.Fields(familyEvents[row]) {
						r.one(f.rows, code)
					}
				}
			})
		})
	}
}

// raiser raises events on a tabletop.
type raiser struct {
	*tabletop
	d            devices.Device
	small, large int64
	wire         *recorder // since the event was called for
}

func newRaiser(tt *tabletop) *raiser {
	r := &raiser{tabletop: tt, small: 500, large: 2000}
	if tt.kind.coins {
		r.small, r.large = 50, 200
	}
	return r
}

// one raises one event of the table, or has a reason not to.
func (r *raiser) one(rows, code string) {
	var c ssp.EventCode
	if _, err := fmt.Sscanf(code, "%X", &c); err != nil {
		r.t.Fatal(err)
	}
	if why := unraised(rows, c); why != "" {
		r.t.Logf("%s %v: %s", code, c, why)
		return
	}
	i := slices.IndexFunc(raises, func(x raise) bool { return x.code == c && strings.ContainsAny(x.on, rows) })
	if i < 0 {
		r.t.Errorf("%s %v: nothing raises it on a %s, and there is no reason", code, c, r.kind.profile)
		return
	}
	r.listen()
	raises[i].do(r)
	for _, want := range raises[i].bus {
		want = r.fill(want)
		r.within(20*time.Second, func() bool {
			return slices.ContainsFunc(r.seen, func(e cash.Event) bool { return strings.Contains(told(e), want) })
		})
		if !slices.ContainsFunc(r.seen, func(e cash.Event) bool { return strings.Contains(told(e), want) }) {
			var all []string
			for _, e := range r.seen {
				all = append(all, told(e))
			}
			r.t.Errorf("%s %v: no %q on the bus, which has\n  %s", code, c, want, strings.Join(all, "\n  "))
		}
	}
	if !r.within(20*time.Second, func() bool { return r.onWire(c) }) {
		r.t.Errorf("%s %v was not on the wire", code, c)
	}
	r.settle()
}

// fill puts pieces and amounts into what is wanted.
func (r *raiser) fill(want string) string {
	return strings.NewReplacer("$P", r.piece(r.small).String(), "$A", eur(r.small).String(), "$2", eur(2*r.small).String(),
		"$L", r.piece(r.large).String(), "$B", eur(r.large).String()).Replace(want)
}

func (r *raiser) piece(v int64) cash.Denom { return cash.Denom{Value: v, Currency: "EUR"} }

// listen forgets what was heard so far, and hears every answer from now on.
func (r *raiser) listen() {
	r.read()
	r.seen = nil
	r.deafen()
	r.wire = r.record(time.Now())
}

// deafen ends listening.
func (r *raiser) deafen() {
	if r.wire != nil {
		r.wire.end()
	}
	r.wire = nil
}

// onWire says whether an answer held the event.
func (r *raiser) onWire(code ssp.EventCode) bool {
	r.wire.mu.Lock()
	defer r.wire.mu.Unlock()
	return slices.ContainsFunc(r.wire.list, func(x heard) bool {
		if len(x.answer) == 0 || x.cmd[0] != byte(ssp.CmdPoll) && x.cmd[0] != byte(ssp.CmdPollWithAck) {
			return false
		}
		events, err := ssp.ParsePoll(x.answer[1:], 8, r.kind.coins, nil)
		if err != nil {
			r.t.Errorf("% X: %v", x.answer, err)
		}
		return slices.ContainsFunc(events, func(e ssp.Event) bool { return e.Code == code })
	})
}

// within lets time pass until cond holds.
func (r *raiser) within(limit time.Duration, cond func() bool) bool {
	r.pass(limit, cond)
	return cond()
}

// settle brings the machine back to where every event can be raised: on, taking money, with some of it.
func (r *raiser) settle() {
	r.machine.OnStep(nil)
	r.powerOn(time.Second)
	for _, kind := range []string{sim.FaultUnjam, sim.FaultCashboxReplaced, sim.FaultStackerOK, sim.FaultPathClosed, sim.FaultPlug,
		sim.FaultPayoutBack, sim.FaultCassetteBack, sim.FaultServiceDone, sim.FaultFloatAttached, sim.FaultMechOn, sim.FaultMechOK} {
		_ = r.machine.Fault(sim.Fault{Kind: kind}) // as far as the machine knows it
	}
	r.pass(time.Second, func() bool { return false })
	r.d = r.device()
	r.enable(r.d)
	if e, ok := r.d.(devices.Escrow); ok {
		_ = e.SetAutoAccept(context.Background(), true)
	}
	if r.d.Snapshot().Escrow != nil {
		_ = r.till.AcceptEscrow(context.Background(), me, r.d)
	}
	r.within(30*time.Second, func() bool {
		s := r.d.Snapshot()
		return !r.truth().Moving && s.Operation == "" && s.Escrow == nil && s.Ready
	})
	r.undecided()
	r.pass(time.Second, func() bool { return false }) // until the driver has seen it too
	r.audited()                                       // before a hand changes anything
	r.stock()
	r.audited()
	r.settled()
}

// audited has the books compared.
func (r *raiser) audited() {
	if err := r.d.(devices.Auditor).Audit(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// undecided gives back what a multi escrow holds, and turns it off.
func (r *raiser) undecided() {
	e, ok := r.d.(devices.MultiEscrow)
	if !ok || r.kind.profile != recycler.profile {
		return
	}
	ctx := context.Background()
	held := func() bool { return r.d.Snapshot().MultiHeld.Pieces() > 0 }
	if held() {
		r.within(30*time.Second, func() bool { return !held() || e.CancelMultiEscrow(ctx) == nil }) // busy while it decides
		r.within(30*time.Second, func() bool { return r.d.Snapshot().MultiHeld.Pieces() == 0 && !r.truth().Moving })
	}
	if n, err := e.MultiEscrowSize(ctx); err == nil && n > 0 {
		_ = e.SetMultiEscrowSize(ctx, 0) // which a restart does
		r.pass(2*time.Second, func() bool { return !r.d.Snapshot().Ready })
		r.d = r.device()
		r.enable(r.d)
	}
}

// stock fills the store with four small and four large pieces, which a payout has to be made of.
func (r *raiser) stock() {
	if !r.kind.hasPayout() {
		return
	}
	for _, v := range r.kind.dataset() {
		n := 0
		if v == r.small || v == r.large && r.kind.profile != noteFloat.profile {
			n = 4
		}
		if r.kind.profile == nv4000.profile {
			r.cassette(v, 0)
		}
		if err := r.machine.SetLevel(v, "EUR", n); err != nil {
			r.t.Fatal(err)
		}
	}
}

// cassette lets a hand fill the cassette.
func (r *raiser) cassette(value int64, n int) {
	if err := r.machine.SetCassette(value, "EUR", n); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raiser) insert(in sim.Insert) {
	in.Currency = "EUR"
	if _, err := r.machine.Insert(in); err != nil {
		r.t.Fatalf("insert: %v", err)
	}
}

func (r *raiser) fault(kind string) { r.faultWith(sim.Fault{Kind: kind}) }

func (r *raiser) faultWith(f sim.Fault) {
	if err := r.machine.Fault(f); err != nil {
		r.t.Fatal(err)
	}
}

// cutAt lets the power go instead of the n-th of the named steps, and come back a second later.
func (r *raiser) cutAt(step string, n int, begin func()) {
	r.machine.OnStep(func(s string) bool {
		if s == step {
			n--
		}
		return s == step && n == 0
	})
	begin()
	if !r.within(time.Minute, func() bool { return !r.machine.Truth().Power }) {
		r.t.Errorf("no step %s came", step)
	}
	r.machine.OnStep(nil)
	r.powerOn(time.Second)
	r.pass(2*time.Second, func() bool { return !r.d.Snapshot().Ready })
	r.d = r.device()
}

// pay begins a payout of n small pieces.
func (r *raiser) pay(n int64) {
	if _, err := r.till.Dispense(context.Background(), me, r.d, eur(n*r.small)); err != nil {
		r.t.Errorf("payout: %v", err)
	}
}

func (r *raiser) float(keep int) {
	want := cash.Counts{r.piece(r.small): keep, r.piece(r.large): 4}
	if r.kind.profile == noteFloat.profile {
		delete(want, r.piece(r.large))
	}
	if _, err := r.till.Float(context.Background(), me, r.d, want); err != nil {
		r.t.Errorf("float: %v", err)
	}
}

// route sends the large piece to the store or the cashbox.
func (r *raiser) route(store bool) {
	if err := r.d.(devices.Router).SetRoute(context.Background(), r.piece(r.large), store); err != nil {
		r.t.Logf("route: %v", err) // the power was cut
	}
}

// raw sends commands that move no money past the driver.
func (r *raiser) raw(cmds ...[]byte) {
	for _, c := range cmds {
		if answer, err := r.d.Raw(context.Background(), c); err != nil || !bytes.Equal(answer, []byte{0xF0}) {
			r.t.Errorf("% X: % X, %v", c, answer, err)
		}
	}
}

// another lets another host, which then goes, begin something that coffer never begins; coffer finds it under way.
func (r *raiser) another(cmd []byte) {
	r.crash()
	conn, err := r.cable.Pipe()(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	h := &otherHost{t: r.t, conn: conn, addr: r.kind.address()}
	for _, c := range [][]byte{{0x11}, {0x06, 8}, {0x4A}, {0x4B}, {0x4C}, cmd} {
		if answer := h.ask(c, time.Now().Add(time.Second)); len(answer) == 0 || answer[0] != 0xF0 {
			r.t.Errorf("% X is answered % X", c, answer)
		}
	}
	conn.Close()
	r.read()
	r.seen = nil
	r.deafen()
	r.setUp(func(tt *tabletop) { r.wire = tt.record(time.Now()) }) // what is under way is told as soon as it connects
	r.d = r.device()
}
