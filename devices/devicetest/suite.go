package devicetest

import (
	"slices"
	"testing"
	"testing/synctest"

	"coffer/devices"
	"coffer/internal/cash"
)

// Run checks the contract against machines that open makes, a fresh one for every case: all cases, or those named.
func Run(t *testing.T, open func(t *testing.T) *Rig, only ...string) {
	t.Helper()
	each(t, func(t *testing.T, c testCase) { c.on(t, open(t), false) }, only)
}

// RunInBubble is Run in a bubble for each case, where time passes as soon as everybody waits. The link that open makes
// must not leave the bubble: a pipe, but no socket.
func RunInBubble(t *testing.T, open func(t *testing.T) *Rig, only ...string) {
	t.Helper()
	each(t, func(t *testing.T, c testCase) {
		synctest.Test(t, func(t *testing.T) { c.on(t, open(t), true) })
	}, only)
}

func each(t *testing.T, run func(*testing.T, testCase), only []string) {
	t.Helper()
	for _, c := range cases {
		if len(only) > 0 && !slices.Contains(only, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			run(t, c)
		})
	}
}

// on runs the case on a machine, if it has what the case is about.
func (c testCase) on(t *testing.T, rig *Rig, bubble bool) {
	t.Helper()
	b := drive(t, rig, c.config, bubble)
	switch {
	case c.notes && b.coins(), c.coins && !b.coins(), c.payout && !b.hasPayout(), c.float && !b.float():
		return // this machine has nothing of the kind
	}
	c.run(b)
}

// testCase is one case of the contract and the machines that it is for.
type testCase struct {
	name   string
	notes  bool // note machines only
	coins  bool // coin machines only
	payout bool // machines with a payout store only
	float  bool // machines with a note float only
	config devices.DeviceConfig
	run    func(b *bench)
}

var cases = []testCase{
	{name: "identify", run: identify},
	{name: "accept", run: accept},
	{name: "disabled accepts nothing", run: disabled},
	{name: "inhibit", run: inhibit},
	{name: "escrow", notes: true, config: devices.DeviceConfig{Escrow: true}, run: escrow},
	{name: "unreadable", notes: true, run: unreadable},
	{name: "tickets", notes: true, run: tickets},
	{name: "held tickets", notes: true, config: devices.DeviceConfig{Escrow: true}, run: heldTickets},
	{name: "power cut with a ticket", notes: true, run: cutTickets},
	{name: "route to cashbox", payout: true, run: route},
	{name: "payout", payout: true, run: payout},
	{name: "payout with the acceptor off", payout: true, run: payoutAcceptorOff},
	{name: "refusals", payout: true, run: refusals},
	{name: "float", payout: true, run: float},
	{name: "smart empty", payout: true, run: empty},
	{name: "payout by denomination", payout: true, run: pieces},
	{name: "float to an amount", payout: true, run: floatAmount},
	{name: "halt", payout: true, run: halt},
	{name: "recyclers", payout: true, config: devices.DeviceConfig{Extensions: true}, run: recyclers},
	{name: "tray and bezel", payout: true, config: devices.DeviceConfig{Extensions: true}, run: trayAndBezel},
	{name: "recyclers, real ones", notes: true, run: realRecyclers},
	{name: "replenishment", notes: true, config: devices.DeviceConfig{Extensions: true}, run: replenishment},
	{name: "cassette out and in", notes: true, config: devices.DeviceConfig{Extensions: true}, run: cassetteSwap},
	{name: "refill mode", notes: true, run: refill},
	{name: "bezel", notes: true, run: bezel},
	{name: "datasets", notes: true, config: devices.DeviceConfig{Extensions: true}, run: datasets},
	{name: "card out and in", notes: true, config: devices.DeviceConfig{Extensions: true}, run: cardAway},
	{name: "datasets, real ones", notes: true, run: realDatasets},
	{name: "service book of notes", notes: true, config: devices.DeviceConfig{Extensions: true}, run: noteBook},
	{name: "service book of notes, real ones", notes: true, run: realNoteBook},
	{name: "multi escrow", notes: true, config: devices.DeviceConfig{Extensions: true}, run: multiEscrow},
	{name: "multi escrow full", notes: true, config: devices.DeviceConfig{Extensions: true}, run: multiEscrowFull},
	{name: "multi escrow unplugged", notes: true, config: devices.DeviceConfig{Extensions: true}, run: multiEscrowUnplugged},
	{name: "multi escrow cut", notes: true, config: devices.DeviceConfig{Extensions: true}, run: multiEscrowCut},
	{name: "multi escrow, real ones", notes: true, run: realMultiEscrow},
	{name: "clock", config: devices.DeviceConfig{Extensions: true}, run: clock},
	{name: "clock, real ones", run: noClock},
	{name: "counters reset", run: countersReset},
	{name: "cashbox payout limit", payout: true, run: func(b *bench) {
		if !b.float() && b.dev.Snapshot().Model != modelNV4000 {
			limited(b)
			return
		}
		l := b.dev.(devices.CashboxLimiter)
		b.is(l.SetCashboxPayoutLimit(b.ctx(), cash.Counts{piece(500): 1}), cash.ErrUnsupported)
	}},
	{name: "payout options", notes: true, payout: true, run: payoutOptions},
	{name: "reset", run: reset},
	{name: "download", run: download},
	{name: "download cut in the middle", float: true, run: cutDownload}, // one family will do: it takes seconds
	{name: "jam and repair", run: jam},
	{name: "payout jam and repair", payout: true, run: payoutJam},
	{name: "diverted", payout: true, run: diverted},
	{name: "cashbox out and in", notes: true, run: cashbox},
	{name: "calibration", coins: true, run: calibration},
	{name: "sensors out of order", notes: true, run: sensors},
	{name: "filled by hand", coins: true, run: filledByHand},
	{name: "options", coins: true, run: options},
	{name: "coin mech", coins: true, run: coinMech},
	{name: "two hoppers", coins: true, config: devices.DeviceConfig{Extensions: true}, run: twoHoppers},
	{name: "two hoppers, real ones", coins: true, run: realTwin},
	{name: "cashbox counts", coins: true, config: devices.DeviceConfig{Extensions: true}, run: cashboxCounts},
	{name: "limits of payouts", coins: true, config: devices.DeviceConfig{Extensions: true}, run: payoutLimits},
	{name: "coin health", coins: true, config: devices.DeviceConfig{Extensions: true}, run: coinHealth},
	{name: "coin books, real ones", coins: true, run: realCoins},
	{name: "unplug and plug", run: unplug},
	{name: "disabled while away", run: disabledWhileAway},
	{name: "unplugged in escrow", notes: true, config: devices.DeviceConfig{Escrow: true}, run: unplugInEscrow},
	{name: "unplugged in a payout", payout: true, run: unplugInPayout},
	{name: "power cut while accepting", run: cutWhileAccepting},
	{name: "power cut in a payout", payout: true, run: cutInPayout},
	{name: "key lost", run: loseKey},
	{name: "noise", run: noise},
	{name: "many pieces", run: many},
	{name: "top notes", float: true, run: topNotes},
	{name: "stacking", float: true, run: stacking},
	{name: "one recycled denomination", float: true, run: recycled},
	{name: "float removed and attached", float: true, run: floatAway},
	{name: "power cut between notes", float: true, run: cutBetweenNotes},
}
