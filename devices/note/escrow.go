package note

import (
	"errors"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// vanished is how long a machine may show nothing of a note that was in escrow before the note counts as gone.
const vanished = 2 * time.Second

// escrowLasts is how long after the last exchange about it a held note counts as the one in escrow: the machine returns it
// by itself after 10 s (ssp.md section 3.2), and may hold the next customer's then.
const escrowLasts = 9 * time.Second

// place is where the note of the escrow is.
type place int

const (
	nowhere   place = iota
	held            // recognised, and still the customer's: the next poll takes it
	taken           // a poll has taken it; credit or rejection follows
	returning       // it was told to go back
)

// escrow follows one note or ticket from its recognition to its end.
type escrow struct {
	auto   bool // take at once what is recognised
	is     place
	ticket bool // it is no note
	note   cash.Denom
	fresh  bool      // recognised in the answer that is being handled
	seen   time.Time // when an answer showed anything of it last
	kept   time.Time // held: when the machine was known to have it last
}

func (e *escrow) clear() { e.is, e.ticket, e.note, e.fresh = nowhere, false, cash.Denom{}, false }

// recognised is called for READ with a channel. The event repeats; only a new note is told.
func (d *driver) recognised(e ssp.Event) []cash.Event {
	note, known := d.core.Note(e)
	if !known || d.escrow.is != nowhere && !d.escrow.ticket && d.escrow.note == note {
		return nil
	}
	if d.escrow.is != nowhere {
		d.core.AuditSoon() // what became of the one before was never told
	}
	d.escrow.is, d.escrow.ticket, d.escrow.note, d.escrow.fresh, d.escrow.seen = held, false, note, true, time.Now()
	d.escrow.kept = d.escrow.seen
	d.show()
	return []cash.Event{cash.NoteHeld{Note: note}}
}

// show puts the held note into the picture.
func (d *driver) show() {
	d.core.Edit(func(s *devices.Snapshot) {
		s.Escrow = nil
		if d.escrow.is == held && !d.escrow.ticket {
			note := d.escrow.note
			s.Escrow = &note
		}
	})
}

// leave ends the story of the note in escrow and returns it.
func (d *driver) leave() cash.Denom {
	note := d.escrow.note
	d.escrow.clear()
	d.show()
	return note
}

// acceptHeld lets the next poll take the note.
func (d *driver) acceptHeld() error {
	if d.escrow.is != held {
		return cash.ErrNothing
	}
	if d.stale() {
		d.core.PollNow() // After comes first, and returns what is there
		return cash.ErrNothing
	}
	d.move(taken)
	d.core.PollNow()
	return nil
}

// stale says whether the machine was left alone for so long with a held note, by a slow disk or a process that stood still,
// that the note in escrow may be another.
func (d *driver) stale() bool { return d.escrow.is == held && time.Since(d.escrow.kept) > escrowLasts }

// returnHeld sends the note back.
func (d *driver) returnHeld() error {
	if d.escrow.is != held {
		return cash.ErrNothing
	}
	_, err := d.core.Tx(ssp.CmdRejectNote.Data())
	if err != nil && !devices.Refused(err) {
		return err
	}
	d.core.PollNow()
	if devices.Refused(err) { // nothing is there any more; the polls will tell what became of it
		d.move(taken)
		return cash.ErrNothing
	}
	d.move(returning)
	return nil
}

func (d *driver) move(to place) {
	d.escrow.is, d.escrow.seen = to, time.Now()
	d.show()
}

// After implements devices.Driver.
func (d *driver) After(answer []ssp.Event, draining bool) (hold bool, err error) {
	if answer != nil {
		if err := d.watchSeveral(answer, draining); err != nil {
			return false, err
		}
	}
	if draining {
		return false, d.sendBack(answer)
	}
	if answer != nil {
		d.watch(answer)
		d.watchCassette(answer)
		if err := d.watchCard(); err != nil {
			return false, err
		}
	}
	if d.escrow.is != held {
		return false, d.retryPayout()
	}
	if d.stale() {
		d.core.Log.Warn("a note in escrow was left alone for too long; whatever is there goes back")
		d.escrow.fresh = false
		if err := d.returnHeld(); !gone(err) {
			return false, err
		}
		return false, nil
	}
	if d.escrow.fresh {
		d.escrow.fresh = false
		switch {
		case !d.core.Accepting():
			if err := d.returnHeld(); !gone(err) {
				return false, err
			}
			return false, nil
		case d.escrow.auto:
			d.move(taken)
			d.core.PollNow()
			return false, nil
		}
	}
	return d.hold()
}

// hold keeps the note where it is (ssp.md section 12.1). If it is no longer there, the polls tell what became of it.
func (d *driver) hold() (bool, error) {
	_, kept, err := d.core.Try(ssp.CmdHold.Data())
	if err != nil {
		return false, err
	}
	if kept {
		d.escrow.kept = time.Now()
	} else {
		d.move(taken)
	}
	return kept, nil
}

// sendBack returns a note that is recognised while the machine is drained: nobody can take it now.
func (d *driver) sendBack(answer []ssp.Event) error {
	for _, e := range answer {
		if e.Code == ssp.EvRead && recognisedNote(e) || e.Code == ssp.EvBarcodeValidated {
			_, _, err := d.core.Try(ssp.CmdRejectNote.Data())
			return err
		}
	}
	return nil
}

// watch notes whether a note is on its way, and gives one up of which nothing is shown any more: the audit then finds
// where it is.
func (d *driver) watch(answer []ssp.Event) {
	d.moving = false
	shown := false
	d.before = d.before[:0]
	for _, e := range answer {
		d.before = append(d.before, e.Code)
		switch e.Code {
		case ssp.EvRead, ssp.EvStacking, ssp.EvRejecting, ssp.EvBarcodeValidated:
			d.moving, shown = true, true
		case ssp.EvSafeJam, ssp.EvUnsafeJam, ssp.EvJammed:
			shown = true
		}
	}
	waits := d.escrow.is == taken || d.escrow.is == returning || d.credit != cash.Denom{}
	switch {
	case shown || !waits:
		d.escrow.seen = time.Now()
		if !d.Busy() {
			d.grown = nil
		}
	case time.Since(d.escrow.seen) > vanished:
		d.core.Log.Warn("the machine does not say what became of a note; the books are compared")
		d.credit = cash.Denom{}
		d.leave()
		d.core.AuditSoon()
	}
}

// recognisedNote says whether a READ names its note; without one the note is still moving.
func recognisedNote(e ssp.Event) bool {
	return e.Channel > 0 || len(e.Values) > 0 && e.Values[0].Paid > 0
}

// gone says whether there was nothing to act on, which is no error here.
func gone(err error) bool { return errors.Is(err, cash.ErrNothing) }
