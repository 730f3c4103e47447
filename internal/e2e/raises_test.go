package e2e

import (
	"context"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/ssp"
)

// raises are the events of ssp.md section 11.3, and what the bus says of them. Where machines differ, the first row that
// fits holds.
var raises = []raise{
	{"VH", ssp.EvSlaveReset, func(r *raiser) { r.fault(sim.FaultReset) }, []string{"State:CONNECTING", "State:STARTED"}},
	{"PFH", ssp.EvDisabled, func(r *raiser) { // the driver leaves it on, so that it can pay, and closes the way in
		if err := r.till.Disable(context.Background(), me, r.d); err != nil {
			r.t.Error(err)
		}
		r.fault(sim.FaultReset)
	}, []string{"State:DISABLED"}},
	{"V", ssp.EvDisabled, func(r *raiser) {
		if err := r.till.Disable(context.Background(), me, r.d); err != nil {
			r.t.Error(err)
		}
	}, []string{"State:DISABLED"}},
	{"V", ssp.EvFraudAttempt, func(r *raiser) { r.insert(sim.Insert{Value: r.small, Fraud: true}) }, []string{"Fraud{Amount:$A}", "State:FRAUD_ATTEMPT"}},
	{"H", ssp.EvFraudAttempt, func(r *raiser) { r.insert(sim.Insert{Value: r.small, Fraud: true}) }, []string{"Fraud{Amount:$A}", "State:FRAUD_ATTEMPT"}},
	{"VH", ssp.EvCashboxRemoved, func(r *raiser) { r.fault(sim.FaultCashboxRemoved) }, []string{"State:CASHBOX_REMOVED"}},
	{"VH", ssp.EvCashboxReplaced, func(r *raiser) {
		r.fault(sim.FaultCashboxRemoved)
		r.pass(time.Second, func() bool { return false })
		r.fault(sim.FaultCashboxReplaced)
	}, []string{"State:CASHBOX_REPLACE"}},
	{"VS", ssp.EvMaintenanceRequired, func(r *raiser) { r.fault(sim.FaultServiceDue) }, []string{"State:MAINTENANCE_REQUIRED"}},

	// Notes in.
	{"V", ssp.EvRead, func(r *raiser) { r.held() }, []string{"NoteHeld{Note:$P}", "State:ACCEPTING"}},
	{"PF", ssp.EvCredit, func(r *raiser) { r.insert(sim.Insert{Value: r.small}) }, []string{"NoteCredited{Note:$P To:payout}"}},
	{"V", ssp.EvCredit, func(r *raiser) { r.insert(sim.Insert{Value: r.small}) }, []string{"NoteCredited{Note:$P To:cashbox}"}},
	{"V", ssp.EvRejecting, func(r *raiser) { r.insert(sim.Insert{Value: r.small, Unreadable: true}) }, []string{"State:REJECTING"}},
	{"V", ssp.EvRejected, func(r *raiser) {
		r.held()
		if err := r.till.ReturnEscrow(context.Background(), me, r.d); err != nil {
			r.t.Error(err)
		}
	}, []string{"State:REJECTED", "NoteReturned{Note:$P Code:8}"}},
	{"V", ssp.EvStacking, func(r *raiser) { r.insert(sim.Insert{Value: r.small}) }, []string{"State:ACCEPTING"}},
	{"PF", ssp.EvStacked, func(r *raiser) { r.boxed() }, []string{"NotePlaced{Note:$L To:cashbox}"}},
	{"V", ssp.EvStacked, func(r *raiser) { r.insert(sim.Insert{Value: r.small}) }, []string{"NotePlaced{Note:$P To:cashbox}"}},
	{"PF", ssp.EvNoteStored, func(r *raiser) { r.insert(sim.Insert{Value: r.small}) }, []string{"NotePlaced{Note:$P To:payout}"}},
	{"V", ssp.EvSafeJam, func(r *raiser) {
		r.insert(sim.Insert{Value: r.small})
		r.pass(10*time.Second, func() bool { return r.onWire(ssp.EvCredit) })
		r.fault(sim.FaultJam)
	}, []string{"Jammed{", "State:ERROR"}},
	{"V", ssp.EvUnsafeJam, func(r *raiser) { r.fault(sim.FaultJam) }, []string{"Jammed{", "State:ERROR"}},
	{"V", ssp.EvStackerFull, func(r *raiser) { r.fault(sim.FaultStackerFull) }, []string{"State:DEVICE_FULL"}},
	{"V", ssp.EvNotePathOpen, func(r *raiser) { r.fault(sim.FaultPathOpen) }, []string{"State:NOTE_PATH_OPEN"}},
	{"V", ssp.EvChannelDisable, func(r *raiser) {
		r.inhibitAll(true)
		r.pass(5*time.Second, func() bool { return r.onWire(ssp.EvChannelDisable) })
		r.inhibitAll(false)
	}, []string{"State:CHANNEL_DISABLE"}},
	{"V", ssp.EvInitialising, func(r *raiser) { r.fault(sim.FaultReset) }, []string{"State:INITIALISING"}},
	{"V", ssp.EvBarcodeValidated, func(r *raiser) { r.ticket() }, []string{"State:BAR_CODE_TICKET_VALIDATED"}},
	{"V", ssp.EvBarcodeAck, func(r *raiser) { r.ticket() }, []string{"State:BAR_CODE_TICKET_ACKNOWLEDGE"}},

	// Notes in the path at power-up.
	{"V", ssp.EvClearedFromFront, func(r *raiser) {
		r.cutAt("note:credit", 1, func() { r.insert(sim.Insert{Value: r.small}) })
	}, []string{"ClearedAtPowerUp{Note:$P From:customer To:customer}"}},
	{"V", ssp.EvClearedIntoCashbox, func(r *raiser) {
		r.cutAt("note:place", 1, func() { r.insert(sim.Insert{Value: r.small}) })
	}, []string{"ClearedAtPowerUp{Note:$P From:customer To:cashbox}"}},
	{"PF", ssp.EvIntoStackerAtReset, func(r *raiser) { r.cutAt("note:place", 1, r.boxed) }, []string{"ClearedAtPowerUp{Note:$L From:customer To:cashbox}"}},
	{"PF", ssp.EvIntoStoreAtReset, func(r *raiser) {
		r.cutAt("note:place", 1, func() { r.insert(sim.Insert{Value: r.small}) })
	}, []string{"ClearedAtPowerUp{Note:$P From:customer To:payout}"}},
	{"PF", ssp.EvDispensedAtReset, func(r *raiser) {
		r.bezel()
		r.cutAt("op:take", 1, func() { r.pay(1) })
	}, []string{"ClearedAtPowerUp{Note:$P From:payout To:customer}"}},

	// Payouts.
	{"PFH", ssp.EvDispensing, func(r *raiser) { r.pay(2) }, []string{"Progress{Op:dispense Total:$A Pieces:map[$P:1]}", "State:DISPENSING"}},
	{"PFH", ssp.EvDispensed, func(r *raiser) { r.pay(2) }, []string{"Ended{Op:dispense Result:done Total:$2", "OpClosed{"}},
	{"PF", ssp.EvNoteHeldInBezel, func(r *raiser) { r.bezel(); r.pay(1) }, []string{"NoteInBezel{Note:$P}", "State:NOTE_HELD_IN_BEZEL"}},
	{"PFH", ssp.EvHalted, func(r *raiser) {
		r.faultWith(sim.Fault{Kind: sim.FaultHaltPayoutAfter, Paid: r.small})
		r.pay(2)
	}, []string{"Ended{Op:dispense Result:halted Total:$A"}},
	{"PFH", ssp.EvJammed, func(r *raiser) {
		r.pay(2)
		r.fault(sim.FaultPayoutJam)
	}, []string{"Jammed{Amount:", "State:ERROR"}},
	{"PFH", ssp.EvTimeOut, func(r *raiser) {
		r.pay(2)
		if err := r.machine.SetLevel(r.small, "EUR", 0); err != nil {
			r.t.Error(err)
		}
	}, []string{"Result:timed_out Total:0.00 EUR"}},
	{"P", ssp.EvErrorDuringPayout, func(r *raiser) { r.fault(sim.FaultDivert); r.pay(1) },
		[]string{"PayoutError{Amount:0.00 EUR}", "Ended{Op:dispense Result:error"}},
	{"H", ssp.EvCashboxPaid, func(r *raiser) { r.fault(sim.FaultDivert); r.pay(2) }, []string{"MovedToCashbox{Amount:$A}"}},
	{"F", ssp.EvIncompletePayout, func(r *raiser) { r.cutAt("op:pick", 1, func() { r.pay(1) }) },
		[]string{"Ended{Op:dispense Result:incomplete Total:0.00 EUR Asked:$A"}},
	{"P", ssp.EvIncompletePayout, func(r *raiser) { r.cutAt("op:pick", 2, func() { r.pay(2) }) },
		[]string{"Ended{Op:dispense Result:incomplete Total:$A Asked:$2"}},
	{"H", ssp.EvIncompletePayout, func(r *raiser) { r.cutAt("op:coin", 2, func() { r.pay(2) }) },
		[]string{"Ended{Op:dispense Result:incomplete Total:$A Asked:$2"}},
	{"P", ssp.EvIncompleteFloat, func(r *raiser) { r.cutAt("op:pick", 2, func() { r.float(2) }) },
		[]string{"Ended{Op:float Result:incomplete Total:$A Asked:$2"}},
	{"H", ssp.EvIncompleteFloat, func(r *raiser) { r.cutAt("op:coin", 2, func() { r.float(2) }) },
		[]string{"Ended{Op:float Result:incomplete Total:$A Asked:$2"}},
	{"PH", ssp.EvFloating, func(r *raiser) { r.float(2) }, []string{"Progress{Op:float Total:$A Pieces:map[$P:1]}", "State:FLOATING"}},
	{"PH", ssp.EvFloated, func(r *raiser) { r.float(2) }, []string{"Ended{Op:float Result:done Total:$2"}},
	{"F", ssp.EvTransferredToStacker, func(r *raiser) { r.float(3) }, []string{"Ended{Op:float Result:done Total:$A"}},
	{"PFH", ssp.EvSmartEmptying, func(r *raiser) { r.emptyAll() }, []string{"Progress{Op:empty", "State:EMPTYING"}},
	{"PFH", ssp.EvSmartEmptied, func(r *raiser) { r.emptyAll() }, []string{"Ended{Op:empty Result:done"}},
	{"PFH", ssp.EvEmptying, func(r *raiser) { r.another([]byte{0x3F}) }, []string{"State:EMPTYING"}},
	{"PFH", ssp.EvEmptied, func(r *raiser) { r.another([]byte{0x3F}) }, []string{"Ended{Op:empty Result:done"}},

	// The store.
	{"P", ssp.EvJamRecovery, func(r *raiser) { r.fault(sim.FaultJamRecovery) }, []string{"State:JAM_RECOVERY"}},
	{"PF", ssp.EvPayoutOutOfService, func(r *raiser) { r.fault(sim.FaultPayoutOut) }, []string{"State:ERROR"}},
	{"PF", ssp.EvDeviceFull, func(r *raiser) { r.fillUp() }, []string{"State:DEVICE_FULL"}},
	{"H", ssp.EvDeviceFull, func(r *raiser) { r.fault(sim.FaultStackerFull) }, []string{"State:DEVICE_FULL"}},
	{"F", ssp.EvFloatRemoved, func(r *raiser) { r.fault(sim.FaultFloatRemoved) }, []string{"State:NOTE_FLOAT_REMOVED"}},
	{"F", ssp.EvFloatAttached, func(r *raiser) {
		r.fault(sim.FaultFloatRemoved)
		r.pass(time.Second, func() bool { return false })
		r.fault(sim.FaultFloatAttached)
	}, []string{"State:NOTE_FLOAT_ATTACHED"}},

	// Coins.
	{"H", ssp.EvCoinCredit, func(r *raiser) { r.insert(sim.Insert{Value: r.small}) }, []string{"CoinCredited{Coin:$P Count:1 To:payout Added:false}"}},
	{"H", ssp.EvValueAdded, func(r *raiser) {
		r.options(ssp.Reg0Default|ssp.Reg0ValueAdded, 0)
		r.insert(sim.Insert{Value: r.small})
	}, []string{"CoinCredited{Coin:$P Count:1 To:payout Added:true}"}},
	{"H", ssp.EvCoinRejected, func(r *raiser) {
		r.options(ssp.Reg0Default, ssp.Reg1CoinRejected)
		r.insert(sim.Insert{Value: r.small, Unreadable: true})
	}, []string{"CoinRejected{}"}},
	{"S", ssp.EvPayInActive, func(r *raiser) { r.insert(sim.Insert{Value: r.small, Count: 20}) }, []string{"State:PAY_IN_ACTIVE"}},
	{"H", ssp.EvCoinReturnPressed, func(r *raiser) { r.fault(sim.FaultMechReturn) }, []string{"CoinReturnPressed{}"}},
	{"H", ssp.EvCoinMechJammed, func(r *raiser) {
		r.insert(sim.Insert{Value: r.small, Count: 20})
		r.fault(sim.FaultJam)
	}, []string{"State:ERROR", "Jammed{"}},
	{"H", ssp.EvCoinMechDisabled, func(r *raiser) { r.fault(sim.FaultPathOpen) }, []string{"State:COIN_MECH_DISABLED"}},
	{"H", ssp.EvCoinMechEnabled, func(r *raiser) {
		r.fault(sim.FaultPathOpen)
		r.pass(time.Second, func() bool { return false })
		r.fault(sim.FaultPathClosed)
	}, []string{"State:COIN_MECH_ENABLED"}},
	{"H", ssp.EvCoinMechError, func(r *raiser) { r.fault(sim.FaultMechError) }, []string{"State:ERROR"}},
	{"H", ssp.EvCalibrationFailed, func(r *raiser) { r.fault(sim.FaultCalibrationFail) }, []string{"CalibrationFailed{Reason:7}", "State:CALIBRATION_FAILED"}},
	// Multi escrow and replenishment.
	{"M", ssp.EvEscrowActive, func(r *raiser) { r.together(2) }, []string{"NoteHeld{Note:$P}"}},
	{"M", ssp.EvEscrowCommitting, func(r *raiser) { r.together(2); r.decide(true) }, []string{"MultiEscrow{Step:committing Amount:"}},
	{"M", ssp.EvEscrowCommitted, func(r *raiser) { r.together(2); r.decide(true) },
		[]string{"MultiEscrow{Step:committed Amount:$2}", "NoteCredited{Note:$P To:payout}"}},
	{"M", ssp.EvEscrowCancelling, func(r *raiser) { r.together(2); r.decide(false) }, []string{"MultiEscrow{Step:cancelling Amount:"}},
	{"M", ssp.EvEscrowCancelled, func(r *raiser) { r.together(2); r.decide(false) },
		[]string{"MultiEscrow{Step:cancelled Amount:$2}", "NoteReturned{Note:$P"}},
	{"M", ssp.EvIncompleteCommit, func(r *raiser) { r.together(2); r.cutAt("escrow:commit", 2, func() { r.decide(true) }) },
		[]string{"MultiEscrow{Step:commit incomplete Amount:$A}"}},
	{"M", ssp.EvIncompleteCancel, func(r *raiser) { r.together(2); r.cutAt("escrow:pick", 2, func() { r.decide(false) }) },
		[]string{"MultiEscrow{Step:cancel incomplete Amount:$A}"}},
	{"C", ssp.EvStoredFromCassette, func(r *raiser) { r.replenishFrom(2) }, []string{"Replenish{Step:stored Amount:$A}"}},
	{"C", ssp.EvSentToCassetteTray, func(r *raiser) { r.fault(sim.FaultDivert); r.replenishFrom(2) }, []string{"Replenish{Step:sent to tray"}},
	{"C", ssp.EvCassetteRemoved, func(r *raiser) { r.fault(sim.FaultCassetteOut) }, []string{"Replenish{Step:cassette removed"}},
	{"C", ssp.EvCassetteReplaced, func(r *raiser) {
		r.fault(sim.FaultCassetteOut)
		r.pass(time.Second, func() bool { return false })
		r.fault(sim.FaultCassetteBack)
	}, []string{"Replenish{Step:cassette replaced"}},
	{"C", ssp.EvCassetteFull, func(r *raiser) {
		r.cassette(r.small, 60)
		r.within(10*time.Second, func() bool { return r.onWire(ssp.EvCassetteFull) })
	}, []string{"Replenish{Step:cassette full"}},

	{"T", ssp.EvLifter, func(r *raiser) { // all four of its states
		r.fault(sim.FaultLifterBlocked)
		r.pass(time.Second, func() bool { return false })
		r.fault(sim.FaultLifterClear)
		r.pass(time.Second, func() bool { return false })
		r.pay(2)
		r.fault(sim.FaultPayoutJam)
	}, []string{"State:LIFTER_EVENT"}},
}

// held lets a note wait in escrow.
func (r *raiser) held() {
	if err := r.d.(devices.Escrow).SetAutoAccept(context.Background(), false); err != nil {
		r.t.Error(err)
	}
	r.insert(sim.Insert{Value: r.small})
	if !r.within(10*time.Second, func() bool { return r.d.Snapshot().Escrow != nil }) {
		r.t.Error("no note is held")
	}
	r.read()
}

// boxed lets a large note go to the cashbox.
func (r *raiser) boxed() {
	if r.kind.profile != noteFloat.profile {
		r.route(false)
		defer r.route(true)
	}
	r.insert(sim.Insert{Value: r.large})
	r.within(10*time.Second, func() bool { return r.onWire(ssp.EvCredit) })
}

// ticket feeds in a ticket, after the reader was switched on.
func (r *raiser) ticket() {
	r.raw([]byte{byte(ssp.CmdSetBarcodeConfig), 3, 1, 6}, []byte{byte(ssp.CmdSetBarcodeInhibit), 0xFC})
	if _, err := r.machine.Insert(sim.Insert{Barcode: "123456"}); err != nil {
		r.t.Error(err)
	}
}

// bezel lets notes wait in the bezel on a machine with a tray.
func (r *raiser) bezel() {
	if d, ok := r.d.(devices.Recyclers); ok && r.kind.profile == nv4000.profile {
		if err := d.SetPayToBezel(context.Background(), true); err != nil {
			r.t.Error(err)
		}
	}
}

func (r *raiser) emptyAll() {
	if _, err := r.till.Empty(context.Background(), me, r.d, 0); err != nil {
		r.t.Errorf("empty: %v", err)
	}
}

// fillUp lets a hand fill the store, and take most of it out again.
func (r *raiser) fillUp() {
	for n := 1; ; n++ {
		if r.machine.SetLevel(r.small, "EUR", n) != nil {
			break
		}
	}
	r.within(10*time.Second, func() bool { return r.onWire(ssp.EvDeviceFull) })
}

func (r *raiser) options(reg0, reg1 byte) {
	if err := r.d.(devices.Optioner).SetOptions(context.Background(), devices.Options{Reg0: reg0, Reg1: reg1}); err != nil {
		r.t.Error(err)
	}
}

func (r *raiser) inhibitAll(on bool) {
	var all []cash.Denom
	for _, ch := range r.d.Snapshot().Channels {
		all = append(all, ch.Denom)
	}
	if err := r.d.SetInhibits(context.Background(), all, on); err != nil {
		r.t.Error(err)
	}
}

// together lets the store hold n notes.
func (r *raiser) together(n int) {
	if err := r.d.(devices.MultiEscrow).SetMultiEscrowSize(context.Background(), 5); err != nil {
		r.t.Error(err)
	}
	r.insert(sim.Insert{Value: r.small, Count: n})
	if !r.within(30*time.Second, func() bool { return r.d.Snapshot().MultiHeld.Pieces() == n }) {
		r.t.Errorf("%d notes are held", r.d.Snapshot().MultiHeld.Pieces())
	}
}

// decide takes what is held, or gives it back.
func (r *raiser) decide(take bool) {
	e := r.d.(devices.MultiEscrow)
	decide := e.CancelMultiEscrow
	if take {
		decide = e.CommitMultiEscrow
	}
	if err := decide(context.Background()); err != nil {
		r.t.Errorf("decision: %v", err)
	}
}

// replenishFrom moves n notes from the cassette, which a hand has filled.
func (r *raiser) replenishFrom(n int) {
	r.cassette(r.small, 4)
	r.audited()
	r.tabletop.replenish(r.d, n)
}
