package note

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// FloatFamily returns the family of validators with a note float (type 07, NV11): a pile of notes that are paid and
// stacked one by one from its top, of which one denomination is taken in at a time.
func FloatFamily() devices.Family {
	return devices.Family{
		Name:    "note float",
		Accepts: func(s ssp.Setup, _ string) bool { return s.UnitType == ssp.TypeNoteFloat },
		Model:   func(ssp.Setup, string) string { return "NV11" },
		New:     newFloat,
	}
}

// floatDriver is the goroutine's side of a note machine with a float: that of a validator, and what the float needs.
type floatDriver struct {
	*driver
	device *FloatDevice
	plan   *plan // of the running operation, if it is made of steps
	away   bool  // the float is removed
}

func newFloat(c *devices.Core) devices.Driver {
	giveValue := byte(ssp.PayoutGiveValue)
	f := &floatDriver{driver: &driver{core: c, option: &giveValue}}
	f.escrow.auto = c.Picture().AutoAccept
	f.driver.device = newDevice(c, f.driver, f)
	f.device = &FloatDevice{Device: f.driver.device, float: f}
	return f
}

// Device implements devices.Driver.
func (f *floatDriver) Device() devices.Device { return f.device }

// Lost implements devices.Driver. What was planned is not carried on.
func (f *floatDriver) Lost() {
	f.driver.Lost()
	f.plan, f.away = nil, false
}

// Configure implements devices.Driver (ssp.md section 15.4).
func (f *floatDriver) Configure() error {
	if err := f.core.ModuleSerials(payoutModule); err != nil {
		return err
	}
	if _, _, err := f.core.Try(ssp.SetReportingType(false)); err != nil { // both forms are understood
		return err
	}
	if err := f.setUpReaders(); err != nil {
		return err
	}
	if err := f.core.Routes(); err != nil {
		return err
	}
	if err := f.Inhibits(); err != nil {
		return err
	}
	if err := f.startPayout(); err != nil {
		return err
	}
	_, err := f.core.ReadLevels()
	return err
}

// Levels implements devices.Leveller: the machine lists its notes.
func (f *floatDriver) Levels() (cash.Counts, error) {
	notes, err := f.notes()
	if err != nil {
		return nil, err
	}
	levels := cash.Counts{}
	for _, n := range notes {
		levels[n]++
	}
	return levels, nil
}

// notes reads GET NOTE POSITIONS: what is in the float, the next one out last.
func (f *floatDriver) notes() ([]cash.Denom, error) {
	rest, err := f.core.Tx(ssp.CmdGetNotePositions.Data())
	if err != nil {
		return nil, err
	}
	p, err := ssp.ParseNotePositions(rest)
	if err != nil {
		return nil, err
	}
	notes := make([]cash.Denom, 0, len(p.Values)+len(p.Channels))
	for _, v := range p.Values {
		notes = append(notes, cash.Denom{Value: int64(v), Currency: f.core.Identity().Currency})
	}
	for _, ch := range p.Channels {
		note, known := f.core.Note(ssp.Event{Channel: ch})
		if !known {
			return nil, fmt.Errorf("note positions: %w: channel %d is not in the dataset", cash.ErrUnsupported, ch)
		}
		notes = append(notes, note)
	}
	return notes, nil
}

// Accept implements devices.Driver. A machine whose float is removed refuses to be switched; it is when the float is
// back.
func (f *floatDriver) Accept(on bool) error {
	if f.away {
		return nil
	}
	return f.driver.Accept(on)
}

// State implements devices.Driver: a note that is stacked from the float shows as one that comes in.
func (f *floatDriver) State(code ssp.EventCode) (devices.StateRule, bool) {
	if code == ssp.EvStacking && f.core.Stepping(cash.OpFloat) {
		return devices.StateRule{State: cash.StateFloating, Rank: devices.RankOperation}, true
	}
	return f.driver.State(code)
}

// Take implements devices.Driver. A note that has arrived in the cashbox ends a step of a float.
func (f *floatDriver) Take(e ssp.Event) ([]cash.Event, error) {
	if e.Code == ssp.EvTransferredToStacker && f.core.Stepping(cash.OpFloat) {
		return f.core.StepEnded(e)
	}
	return f.driver.Take(e)
}

// After implements devices.Driver.
func (f *floatDriver) After(answer []ssp.Event, draining bool) (hold bool, err error) {
	hold, err = f.driver.After(answer, draining)
	if err == nil && answer != nil {
		err = f.attached(answer, draining)
	}
	if err == nil && !hold && !draining {
		err = f.goOn()
	}
	return hold, err
}

// attached follows the float as it is taken off and put back. One that is back has to be set up again.
func (f *floatDriver) attached(answer []ssp.Event, draining bool) error {
	was := f.away
	f.away = slices.ContainsFunc(answer, func(e ssp.Event) bool { return e.Code == ssp.EvFloatRemoved })
	if f.away {
		f.payoutRetry = time.Now().Add(payoutPause) // there is nothing to be enabled
	}
	switch {
	case was == f.away || draining:
		return nil
	case f.away:
		f.core.Log.Warn("the note float was removed")
		f.unit = unitUnknown
		f.core.Edit(func(s *devices.Snapshot) { s.PayoutEnabled = false })
		return nil
	}
	f.core.AuditSoon() // it may be another one, or have other notes in it
	if err := f.startPayout(); err != nil {
		return err
	}
	if err := f.Accept(f.core.Accepting()); err != nil && !devices.Refused(err) {
		return err
	}
	return nil
}

// floatRefusal gives the error byte of PAYOUT NOTE and STACK NOTE its meaning (ssp.md section 5.1).
func floatRefusal(err error) error {
	var r *ssp.StatusError
	if !errors.As(err, &r) {
		return err
	}
	kind := cash.ErrUnsupported
	if r.Reply == ssp.CannotProcess {
		switch r.Code() {
		case 1, 4:
			kind = cash.ErrDisabled
		case 2:
			kind = cash.ErrNotEnough
		default:
			kind = cash.ErrBusy
		}
	}
	return fmt.Errorf("%w: %w", kind, err)
}
