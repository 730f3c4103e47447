package note

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// modelSmart is the validator with several datasets on a card. Its commands are the project's own coding (ssp.md section
// 16.7).
const modelSmart = "SMART_CURRENCY_SYSTEM"

// smartProtocol is the version at which READ and CREDIT name currency and value instead of a channel.
const smartProtocol = 9

// cardPause is the pause between two readings of the card's state while that is not the last.
const cardPause = 300 * time.Millisecond

// cardRest is the same while it is.
const cardRest = 5 * time.Second

// cardStates are the states of the card, by the byte on the wire.
var cardStates = []cash.State{cash.StateSCNoCard, cash.StateSCCardInitialising, cash.StateSCCardReady,
	cash.StateSCNoActiveDataset, cash.StateSCChangingDataset, cash.StateSCDatasetReady}

// smartCard follows the card of a Smart Currency validator.
type smartCard struct {
	state cash.State // zero while nobody knows
	next  time.Time  // when it is read again
}

func (d *driver) isSmart() bool { return d.core.Identity().Model == modelSmart }

// startCard is the part of the start-up that only a Smart Currency validator has.
func (d *driver) startCard() error {
	if !d.isSmart() {
		return nil
	}
	if err := d.core.RaiseProtocol(smartProtocol); err != nil {
		return err
	}
	if !d.core.Extended() {
		return nil
	}
	return d.readCard()
}

// readCard reads the state of the card, and tells a new one.
func (d *driver) readCard() error {
	d.card.next = time.Now().Add(cardRest)
	rest, ok, err := d.core.Try(ssp.Expand(ssp.ExpDatasetStatus))
	if err != nil || !ok || len(rest) != 1 || int(rest[0]) >= len(cardStates) {
		return err
	}
	if to := cardStates[rest[0]]; to != d.card.state {
		d.card.state = to
		d.core.ShowState(to)
	}
	if d.card.state != cash.StateSCDatasetReady {
		d.card.next = time.Now().Add(cardPause)
	}
	return nil
}

// watchCard reads the state of the card now and then.
func (d *driver) watchCard() error {
	if !d.isSmart() || !d.core.Extended() || time.Now().Before(d.card.next) {
		return nil
	}
	return d.readCard()
}

// unready returns the state of a card whose dataset is not ready.
func (c *smartCard) unready() (cash.State, bool) {
	return c.state, c.state != 0 && c.state != cash.StateSCDatasetReady
}

// doSmart is do for what only a Smart Currency validator knows, and only in bytes of our own.
func (v *Device) doSmart(ctx context.Context, need devices.Need, work func(d *driver) error) error {
	return v.doOurs(ctx, need, func(d *driver) error {
		if !d.isSmart() {
			return cash.ErrUnsupported
		}
		return work(d)
	})
}

// SmartDatasets implements devices.SmartCurrency.
func (v *Device) SmartDatasets(ctx context.Context) (list []devices.SmartDataset, err error) {
	err = v.doSmart(ctx, devices.NeedAnswer, func(d *driver) error {
		for i := range math.MaxUint8 {
			rest, err := d.core.Tx(ssp.Expand(ssp.ExpDatasetEntry, byte(i)))
			var r *ssp.StatusError
			switch {
			case errors.As(err, &r) && r.Reply == ssp.OutOfRange && i > 0:
				return nil
			case err != nil:
				return cardRefusal(err)
			case len(rest) != 13:
				return fmt.Errorf("%w: dataset % X", devices.ErrUnreadable, rest)
			}
			list = append(list, devices.SmartDataset{Enabled: rest[0] != 0, Country: string(rest[1:4]), Code: string(rest[4:12]),
				Denominations: int(rest[12])})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// ActivateDataset implements devices.SmartCurrency. A machine whose denominations have changed starts like one that was
// not seen before: with its acceptor off.
func (v *Device) ActivateDataset(ctx context.Context, code string) error {
	return v.doSmart(ctx, devices.NeedReady, func(d *driver) error {
		switch {
		case len(code) != 8:
			return fmt.Errorf("%w: a dataset has a code of eight characters, not %q", cash.ErrInvalid, code)
		case d.Busy():
			return fmt.Errorf("%w: a note waits or is on its way in", cash.ErrBusy)
		}
		if _, err := d.core.Tx(ssp.Expand(ssp.ExpActivateDataset, []byte(code)...)); err != nil {
			return cardRefusal(err)
		}
		d.card.next = time.Time{}
		d.core.PollNow()
		return nil
	})
}

// cardRefusal gives a refusal without an error byte its meaning: there is no card.
func cardRefusal(err error) error {
	var r *ssp.StatusError
	if errors.As(err, &r) && r.Reply == ssp.CannotProcess && len(r.Detail) == 0 {
		return fmt.Errorf("%w: there is no card: %w", cash.ErrNothing, err)
	}
	return devices.Refusal(err)
}

// smartFirmware ends the names of firmware with Smart Currency. Nobody public knows one: it is our own.
const smartFirmware = "SCU"

var _ devices.SmartCurrency = (*Device)(nil)
