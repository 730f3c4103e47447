package note

import (
	"slices"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// states are the state rules of note machines (specs/itl-rest.md section 6.8).
var states = map[ssp.EventCode]devices.StateRule{
	ssp.EvRead:             {State: cash.StateAccepting, Rank: devices.RankAccepting},
	ssp.EvStacking:         {State: cash.StateAccepting, Rank: devices.RankAccepting},
	ssp.EvCredit:           {State: cash.StateAccepting, Rank: devices.RankAccepting},
	ssp.EvStacked:          {State: cash.StateAccepting, Rank: devices.RankAccepting},
	ssp.EvNoteStored:       {State: cash.StateAccepting, Rank: devices.RankAccepting},
	ssp.EvRejecting:        {State: cash.StateRejecting, Rank: devices.RankRejecting},
	ssp.EvEscrowCommitting: {State: cash.StateAccepting, Rank: devices.RankAccepting},
	ssp.EvEscrowCancelling: {State: cash.StateRejecting, Rank: devices.RankRejecting},
	ssp.EvRejected:         {State: cash.StateRejected, Via: cash.StateRejecting, Moment: true},
	ssp.EvSafeJam:          {State: cash.StateError, Rank: devices.RankFault},
	ssp.EvUnsafeJam:        {State: cash.StateError, Rank: devices.RankFault},
	ssp.EvStackerFull:      {State: cash.StateDeviceFull, Rank: devices.RankFull},
	ssp.EvNotePathOpen:     {State: cash.StateNotePathOpen, Rank: devices.RankPathOpen},
	ssp.EvNoteHeldInBezel:  {State: cash.StateNoteHeldInBezel, Via: cash.StateDispensing, Rank: devices.RankBezel},
	ssp.EvBarcodeValidated: {State: cash.StateBarcodeTicketValidated, Rank: devices.RankAccepting},
	ssp.EvBarcodeAck:       {State: cash.StateBarcodeTicketAcknowledge, Moment: true},
	ssp.EvFloatRemoved:     {State: cash.StateNoteFloatRemoved, Rank: devices.RankFault},
	ssp.EvFloatAttached:    {State: cash.StateNoteFloatAttached, Moment: true},
}

// State implements devices.Driver.
func (d *driver) State(code ssp.EventCode) (devices.StateRule, bool) {
	r, ok := states[code]
	return r, ok
}

// Take implements devices.Driver (ssp.md sections 12.1 and 14.1).
func (d *driver) Take(e ssp.Event) ([]cash.Event, error) {
	switch e.Code {
	case ssp.EvRead:
		if recognisedNote(e) {
			return d.recognised(e), nil
		}
	case ssp.EvCredit:
		if note, known := d.core.Note(e); known && d.isCommitted(note) {
			return d.committed(note), nil
		}
		return d.credited(e), nil
	case ssp.EvStacked:
		return d.placed(cash.Cashbox), nil
	case ssp.EvNoteStored:
		if d.holdsSeveral() && d.credit == (cash.Denom{}) && d.escrow.is != nowhere {
			return d.kept(), nil
		}
		return d.placed(cash.Payout), nil
	case ssp.EvBarcodeValidated:
		return d.validated()
	case ssp.EvBarcodeAck:
		d.ticketEnded(devices.TicketStacked)
	case ssp.EvRejected:
		return d.rejected()
	case ssp.EvSafeJam, ssp.EvUnsafeJam:
		if d.wasShown(ssp.EvSafeJam) || d.wasShown(ssp.EvUnsafeJam) {
			return nil, nil
		}
		return []cash.Event{cash.Jammed{Amount: cash.Amount{Currency: d.core.Identity().Currency}}}, nil
	case ssp.EvNoteHeldInBezel:
		if note, known := d.core.Note(e); known && !d.wasShown(e.Code) {
			return []cash.Event{cash.NoteInBezel{Note: note}}, nil
		}
	case ssp.EvTransferredToStacker:
		return d.transferred(e), nil
	default:
		if events, ours, err := d.takeSeveral(e); ours {
			return events, err
		}
		if events, ours, err := d.takeCassette(e); ours {
			return events, err
		}
		return d.Evidence(e), nil
	}
	return nil, nil
}

// wasShown says whether the answer before held the event.
func (d *driver) wasShown(code ssp.EventCode) bool { return slices.Contains(d.before, code) }

// credited is the moment from which the note is ours. Where it goes is predicted, and corrected when it has arrived.
func (d *driver) credited(e ssp.Event) []cash.Event {
	note, known := d.core.Note(e)
	if !known {
		if note = d.escrow.note; note.Value == 0 {
			d.core.Log.Error("a note was credited and not named; the books are compared")
			d.core.AuditSoon()
			return nil
		}
	}
	d.leave()
	d.credit = note
	return []cash.Event{cash.NoteCredited{Note: note, To: d.destination(note)}}
}

// destination predicts where a credited note goes.
func (d *driver) destination(note cash.Denom) cash.Place {
	p := d.core.Picture()
	ch, _ := p.Channel(note)
	if p.PayoutEnabled && ch.ToPayout && !p.DeviceFull && d.core.BelowLimit(note) {
		return cash.Payout
	}
	return cash.Cashbox
}

// placed is called when a credited note has arrived. Without one it is a note of the store on its way out, which the
// operation or an audit accounts for.
func (d *driver) placed(to cash.Place) []cash.Event {
	note := d.credit
	if note == (cash.Denom{}) {
		if d.core.Picture().Operation == "" {
			d.core.AuditSoon()
		}
		return nil
	}
	d.credit = cash.Denom{}
	if to == cash.Payout {
		d.stored(note)
	}
	return []cash.Event{cash.NotePlaced{Note: note, To: to}}
}

// stored shows a note that has arrived in the store, unless a reading of the levels has shown it before.
func (d *driver) stored(note cash.Denom) {
	if d.grown[note] > 0 {
		d.grown = d.grown.Minus(cash.Counts{note: 1})
		return
	}
	d.core.ShowLevels(d.core.Picture().Levels.Plus(cash.Counts{note: 1}))
}

// Grown implements devices.Grower.
func (d *driver) Grown(notes cash.Counts) { d.grown = d.grown.Plus(notes) }

// rejected asks why.
func (d *driver) rejected() ([]cash.Event, error) {
	code, err := d.lastReject()
	if err != nil && !devices.Refused(err) {
		return nil, err
	}
	if d.escrow.ticket {
		d.ticketEnded(devices.TicketRejected)
	}
	if d.escrow.is == nowhere {
		return []cash.Event{cash.NoteRejected{Code: code}}, nil
	}
	return []cash.Event{cash.NoteReturned{Note: d.leave(), Code: code}}, nil
}

// lastReject reads the code of ssp.md section 12.3.
func (d *driver) lastReject() (byte, error) {
	rest, err := d.core.Tx(ssp.CmdLastRejectCode.Data())
	if err != nil || len(rest) == 0 {
		return 0, err
	}
	d.core.Edit(func(s *devices.Snapshot) { s.LastReject = rest[0] })
	return rest[0], nil
}

// transferred is a note that went from the store to the cashbox.
func (d *driver) transferred(e ssp.Event) []cash.Event {
	if d.core.Picture().Operation == "" {
		d.core.AuditSoon()
	}
	return []cash.Event{cash.MovedToCashbox{Amount: d.core.Amount(e)}}
}

// Evidence implements devices.Driver.
func (d *driver) Evidence(e ssp.Event) []cash.Event {
	note, known := d.core.Note(e)
	if !known {
		note = cash.Denom{}
	}
	switch e.Code {
	case ssp.EvCredit:
		if !known {
			return nil // the counters show it
		}
		if d.isCommitted(note) {
			return []cash.Event{cash.NoteCredited{Note: note, To: cash.Payout}}
		}
		d.credit = note
		return []cash.Event{cash.NoteCredited{Note: note, To: d.destination(note)}}
	case ssp.EvStacked:
		return d.placedAfterAll(cash.Cashbox)
	case ssp.EvNoteStored:
		return d.placedAfterAll(cash.Payout)
	case ssp.EvTransferredToStacker:
		return []cash.Event{cash.MovedToCashbox{Amount: d.core.Amount(e)}}
	case ssp.EvClearedFromFront:
		return []cash.Event{cash.ClearedAtPowerUp{Note: note, From: cash.Customer, To: cash.Customer}}
	case ssp.EvClearedIntoCashbox, ssp.EvIntoStackerAtReset:
		return []cash.Event{cash.ClearedAtPowerUp{Note: note, From: cash.Customer, To: cash.Cashbox}}
	case ssp.EvIntoStoreAtReset:
		return []cash.Event{cash.ClearedAtPowerUp{Note: note, From: cash.Customer, To: cash.Payout}}
	case ssp.EvDispensedAtReset:
		return []cash.Event{cash.ClearedAtPowerUp{Note: note, From: cash.Payout, To: cash.Customer}}
	}
	events, _ := d.severalEvidence(e)
	return events
}

// placedAfterAll is placed while the machine is drained.
func (d *driver) placedAfterAll(to cash.Place) []cash.Event {
	note := d.credit
	if note == (cash.Denom{}) {
		return nil
	}
	d.credit = cash.Denom{}
	return []cash.Event{cash.NotePlaced{Note: note, To: to}}
}
