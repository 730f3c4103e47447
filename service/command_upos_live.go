package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"coffer/upos"
	"coffer/upos/uposclient"
)

type uposWatch struct{ uposFlags }

// Run shows events until it is interrupted.
func (c *uposWatch) Run(s *session) error {
	return c.with(s, func(u *uposSession) error {
		if err := u.prepare(); err != nil {
			return err
		}
		if !c.JSON {
			u.printf("watching %s (%s), Ctrl-C ends it\n", c.Name, u.handle.Class())
		}
		err := u.handle.Events(u.ctx, func(e uposclient.Event) error {
			u.show(e)
			if e.Kind == "DataEvent" {
				return u.handle.Set(u.ctx, "DataEventEnabled", true)
			}
			return nil
		})
		return u.over(err)
	})
}

// over is the end of a live view: the person's wish is no error.
func (s *uposSession) over(err error) error {
	switch {
	case s.ctx.Err() != nil:
		return nil
	case errors.Is(err, uposclient.ErrClosed), gone(err):
		return &hinted{fmt.Errorf("upos %s: coffer has closed it, because it stopped or heard nothing of us for too long; start again", s.flags.Name)}
	}
	return err
}

// prepare claims and enables the device with all its events on.
func (s *uposSession) prepare() error {
	if err := s.assign(); err != nil {
		return err
	}
	if s.handle.Class() != string(upos.CashDrawer) {
		if err := s.claim(); err != nil {
			return err
		}
	}
	enabled, err := s.handle.Bool(s.ctx, "DeviceEnabled")
	if err != nil {
		return err
	}
	power, err := s.handle.Int(s.ctx, "CapPowerReporting")
	if err == nil && power != upos.PR_NONE && !enabled {
		err = s.handle.Set(s.ctx, "PowerNotify", upos.PN_ENABLED)
	}
	if err == nil {
		err = s.handle.Enable(s.ctx)
	}
	if _, input := s.member("DataEventEnabled", false); err == nil && input {
		err = s.handle.Set(s.ctx, "DataEventEnabled", true)
	}
	return err
}

// show prints one event.
func (s *uposSession) show(e uposclient.Event) {
	if s.flags.JSON {
		_ = s.json(e)
		return
	}
	line := e.At.Local().Format(time.TimeOnly) + "  " + e.Kind
	if e.Kind == "DirectIOEvent" {
		line += fmt.Sprintf(" %d data %d %q", e.EventNumber, e.Data, e.Obj)
	} else {
		line += fmt.Sprintf(" %d", e.Status)
	}
	if e.Kind == "StatusUpdateEvent" {
		if name := statusName(s.handle.Class(), e.Status); name != "" {
			line += " " + name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Properties)) {
		if name == "DataCount" || name == "DataEventEnabled" {
			continue // we set it again at once
		}
		line += fmt.Sprintf("  %s=%v", name, e.Properties[name])
	}
	s.printf("%s\n", line)
}

// statusName is the standard's name for the status of a StatusUpdateEvent.
func statusName(class string, status int32) string {
	if status > upos.SUE_UF_PROGRESS && status < upos.SUE_UF_COMPLETE {
		return fmt.Sprintf("firmware %d %%", status-upos.SUE_UF_PROGRESS)
	}
	return codeName(class, "StatusUpdateEvent", status)
}

type uposDeposit struct {
	uposFlags
	Repay  bool  `help:"Give everything back at the end."`
	Amount int32 `placeholder:"N" help:"End by itself once so much is in, in the smallest unit of the currency."`
}

// errEnough ends a deposit that has its amount.
var errEnough = errors.New("enough")

// Run takes money until it is interrupted, or has enough. However it ends, the deposit is fixed and ended.
func (c *uposDeposit) Run(s *session) error {
	return c.with(s, func(u *uposSession) error {
		if _, input := u.member("BeginDeposit", true); !input {
			return fmt.Errorf("a %s takes no money in", u.handle.Class())
		}
		if err := c.repayable(u); err != nil {
			return err
		}
		if err := c.begin(u); err != nil {
			return err
		}
		err := u.handle.Events(u.ctx, func(e uposclient.Event) error {
			u.show(e)
			if e.Kind != "DataEvent" {
				return nil
			}
			in, _ := e.Properties["DepositAmount"].(int32)
			if c.Amount > 0 && in >= c.Amount {
				return errEnough
			}
			return u.handle.Set(u.ctx, "DataEventEnabled", true)
		})
		if errors.Is(err, errEnough) {
			err = nil
		}
		return errors.Join(u.over(err), c.end(u))
	})
}

// repayable refuses --repay for a device that could not do it in the end.
func (c *uposDeposit) repayable(u *uposSession) error {
	if !c.Repay {
		return nil
	}
	can := false
	if _, has := u.member("CapRepayDeposit", false); has {
		var err error
		if can, err = u.handle.Bool(u.ctx, "CapRepayDeposit"); err != nil {
			return err
		}
	}
	if !can {
		return &hinted{fmt.Errorf("upos %s cannot give a deposit back: not all that it accepts goes to a store; leave --repay out", c.Name)}
	}
	return nil
}

func (c *uposDeposit) begin(u *uposSession) error {
	if err := u.prepare(); err != nil {
		return err
	}
	live, err := u.handle.Bool(u.ctx, "CapRealTimeData")
	if err == nil && live {
		err = u.handle.Set(u.ctx, "RealTimeDataEnabled", true)
	}
	if err == nil {
		_, err = u.handle.Call(u.ctx, "BeginDeposit", nil)
	}
	if err == nil && !c.JSON {
		u.printf("%s takes money; Ctrl-C ends the deposit. Amounts are in the smallest unit of the currency\n", c.Name)
	}
	return err
}

// end fixes and ends the deposit and says what came in. Giving it back may take as long as the machines need: one who gives
// up on that closes the instance, which halts it.
func (c *uposDeposit) end(u *uposSession) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), closeLimit)
	defer cancel()
	if _, err := u.handle.Call(ctx, "FixDeposit", nil); err != nil {
		return err
	}
	all, err := u.handle.Properties(ctx)
	if err == nil {
		_, err = u.handle.Call(context.WithoutCancel(u.ctx), "EndDeposit", uposclient.Args{"success": c.success(u)})
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return u.json(map[string]any{"depositAmount": all["DepositAmount"], "depositCounts": all["DepositCounts"], "currency": all["CurrencyCode"], "repaid": c.Repay})
	}
	word := "taken"
	if c.Repay {
		word = "taken and given back"
	}
	u.printf("%s: %v %v (%v)\n", word, all["DepositAmount"], all["CurrencyCode"], all["DepositCounts"])
	return nil
}

// success is the argument of EndDeposit.
func (c *uposDeposit) success(u *uposSession) int32 {
	switch {
	case u.handle.Class() != string(upos.CashChanger):
		return upos.BACC_DEPOSIT_COMPLETE
	case c.Repay:
		return upos.CHAN_DEPOSIT_REPAY
	}
	return upos.CHAN_DEPOSIT_NOCHANGE
}
