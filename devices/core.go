package devices

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices/line"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Reasons for which a connection ends and begins anew.
var (
	errStopped   = errors.New("stopped")
	errKeyLost   = fmt.Errorf("%w: the machine has lost its key", cash.ErrNotConnected)
	errRestarted = fmt.Errorf("%w: the machine has restarted", cash.ErrNotConnected)
	errReset     = fmt.Errorf("%w: reset", cash.ErrNotConnected)
)

// silence is how long a machine may be silent before it shows as not connected.
const silence = 2500 * time.Millisecond

// Settings are what callers want of a machine. They outlive its restarts.
type Settings struct {
	Recyclers  map[cash.Denom]byte // of several, the one a denomination goes to; nil until the machine was asked
	ToBezel    *bool               // notes that are paid wait in the bezel; nil: as the machine does
	Acceptor   bool                // acceptance on
	Payout     bool                // payout store on, where it can be switched
	Refill     *bool               // refill mode; nil: never set
	EscrowSize *int                // notes that a machine holds at most; nil until it was asked
	Inhibited  map[cash.Denom]bool // blocked denominations
	Routes     map[cash.Denom]bool // true: to the payout store; nil until the machine was asked for its own
	Hoppers    map[cash.Denom]byte // sorter routes, likewise
	TwinMode   *byte               // likewise
	Options    *Options            // of a hopper; nil: the machine's own
	Barcode    *ssp.BarcodeConfig  // of the ticket readers; nil: they stay as they are
	Limits     cash.Counts         // most pieces of a denomination that stay in the store, see CashboxLimiter; nil: none was set

	PayoutLimit *int  // most coins of one payout; nil: never set
	NoPayin     *byte // payouts without a coin coming in between; nil: never set
}

// Core is a device as its own goroutine sees it, and what a Driver works with. It is used by that goroutine alone.
type Core struct {
	Log logrus.FieldLogger
	Set Settings

	base   *Base
	peer   Peer
	driver Driver
	family string
	id     cash.DeviceID
	pic    Snapshot // what the next publication shows; its maps and slices are replaced, never changed
	dirty  bool

	lost       error  // why the connection is over
	keyAge     uint64 // of the key that the connection began with
	plainAck   bool   // the machine has no POLL WITH ACK
	lastGood   time.Time
	refused    int         // answers to polls other than OK, in a row
	events     []ssp.Event // of the last answer
	before     []ssp.Event // of the answer before
	unknown    string      // last answer that could not be read
	due        time.Time
	hold       bool
	pending    []cash.Event // states not told yet
	op         operation
	audit      auditor
	ledger     error // why the ledger refuses, while it does
	closing    bool
	calm       *calm     // what waits until nothing moves; nil: nothing does
	wireLogged time.Time // when the line's frames were last written to the log
	tried      func()    // tells that the first attempt to get ready has come to an end
}

// Accepting says whether a piece that comes in now is wanted, and so whether the acceptor may be on: what the picture says
// is wanted of it does not count while the ledger refuses, the device is to stop, or somebody waits for a calm machine.
func (c *Core) Accepting() bool {
	return c.pic.AcceptorEnabled && c.ledger == nil && !c.closing && c.calm == nil
}

// Extended says whether the machine understands the project's own coding of features of which no public document has
// the bytes. Without it a driver answers cash.ErrUnsupported instead of sending a guess.
func (c *Core) Extended() bool { return c.base.cfg.device.extended() }

// Tell hands events to the till that come from a command and not from an answer to a poll. Where the ledger refuses,
// they are written with the next answer.
func (c *Core) Tell(events ...cash.Event) {
	c.pending = append(c.pending, events...)
	if err := c.base.cfg.sink.Record(context.Background(), c.id, c.pending...); err != nil {
		c.PollNow()
		return
	}
	c.pending = nil
}

// Identity returns what the machine said of itself.
func (c *Core) Identity() *Identity { return &c.pic.Identity }

// Picture returns the picture as it will be published next, to be read.
func (c *Core) Picture() *Snapshot { return &c.pic }

// Edit changes the picture. f must replace maps and slices, not change them.
func (c *Core) Edit(f func(*Snapshot)) {
	f(&c.pic)
	c.dirty = true
}

// show publishes the picture if it was changed.
func (c *Core) show() {
	if !c.dirty {
		return
	}
	c.dirty = false
	s := c.pic
	s.Changed = time.Now()
	if !c.base.publish(&s, c.keyAge) && c.lost == nil {
		c.lost = errRekeyed
	}
}

// Tx does one exchange and returns what follows OK. An answer other than OK is a *ssp.StatusError; any other error, and
// KEY NOT SET, ends the connection.
func (c *Core) Tx(cmd []byte) (rest []byte, err error) {
	data, err := c.exchange(cmd)
	if err != nil {
		return nil, err
	}
	return ssp.CheckReply(data)
}

// Try is Tx for a command that the machine may refuse: a refusal is logged, and ok is false.
func (c *Core) Try(cmd []byte) (rest []byte, ok bool, err error) {
	rest, err = c.Tx(cmd)
	if Refused(err) {
		c.Log.WithError(err).WithField("command", ssp.Command(cmd[0])).Debug("refused")
		return nil, false, nil
	}
	return rest, err == nil, err
}

// exchange does one exchange and returns the whole answer.
func (c *Core) exchange(cmd []byte) ([]byte, error) {
	return c.watched(func() ([]byte, error) { return c.peer.Tx(context.Background(), cmd) })
}

// watched runs one exchange. While it lasts longer than a machine may be silent, the device shows as not connected.
func (c *Core) watched(exchange func() ([]byte, error)) ([]byte, error) {
	if c.lost != nil {
		return nil, c.lost
	}
	now := time.Now()
	limit := max(c.lastGood.Add(silence).Sub(now), time.Second)
	watch := c.base.watchSilence(limit)
	data, err := exchange()
	if !watch() {
		c.dirty = true // the picture was changed behind our back
	}
	switch {
	case err != nil:
		c.lost = err
	case len(data) == 0:
		c.lost = fmt.Errorf("%w: empty answer", cash.ErrNotConnected)
	case ssp.Reply(data[0]) == ssp.KeyNotSet:
		c.lost = errKeyLost
	default:
		c.lastGood = time.Now()
		return data, nil
	}
	return nil, c.lost
}

// late is how long after its time the end of limit comes where the computer itself stood still.
const late = 200 * time.Millisecond

// watchSilence shows the device as not connected after limit, unless stop is called before; stop says whether it was. It
// gives the device a second more where this process stood still so long that it could not have heard an answer.
func (b *Base) watchSilence(limit time.Duration) (stop func() bool) {
	b.mu.Lock() // until t is set
	defer b.mu.Unlock()
	over, begin := false, time.Now() // guarded by b.mu
	var t *time.Timer
	t = time.AfterFunc(limit, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		s := *b.snap.Load()
		if over || !s.Connected {
			return
		}
		if time.Since(begin) > limit+late {
			begin, limit = time.Now(), time.Second
			t.Reset(limit)
			return
		}
		s.Connected, s.Ready, s.Error, s.Changed = false, false, "no answer", time.Now()
		b.store(&s)
	})
	return func() bool {
		if t.Stop() {
			return true
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		over = true
		return false
	}
}

// maybeSent says whether a failed exchange may have been carried out.
func maybeSent(err error) bool { return errors.Is(err, line.ErrMaybeSent) }

// ShowState tells a state that no event of an answer tells.
func (c *Core) ShowState(s cash.State) { c.tell(s) }

// RaiseProtocol changes to a version of the protocol that not every machine of the unit type has; a machine that refuses
// stays at the one in force.
func (c *Core) RaiseProtocol(version byte) error {
	_, ok, err := c.Try(ssp.HostProtocolVersion(version))
	if err == nil && ok {
		c.peer.SetVersion(int(version), c.pic.Coins)
		c.Edit(func(s *Snapshot) { s.Protocol = int(version) })
	}
	return err
}

// MaybeSent says whether the command of a failed exchange may have been carried out.
func MaybeSent(err error) bool { return maybeSent(err) }

// Do hands work to the device's goroutine for a call of driver d; see Need. Other than the rest of Core, it is for any
// goroutine. After another family's machine has taken d's place it answers cash.ErrNotConnected.
func (c *Core) Do(ctx context.Context, d Driver, need Need, work func() error) error {
	return c.base.do(ctx, need, d, func(*Core) error { return work() })
}

// Base returns the part of the device that a family's device embeds.
func (c *Core) Base() *Base { return c.base }

// accept turns acceptance on or off, for Enable and Disable.
func (c *Core) accept(on bool) error {
	if on {
		c.base.off.Store(false)
	}
	if !on && !c.pic.Ready {
		c.Set.Acceptor = false // it is off already
		return nil
	}
	before := c.Set.Acceptor
	c.Set.Acceptor = on
	if c.calm == nil { // else it is off, and comes to what is wanted when the machine was calm
		if err := c.driver.Accept(on); err != nil {
			c.Set.Acceptor = before
			return refusal(err)
		}
	}
	c.Edit(func(s *Snapshot) { s.AcceptorEnabled = on })
	c.PollNow()
	return nil
}

// reset restarts the machine. A jam does not hinder it, since a restart may be what clears the jam. When it returns the
// machine shows as not ready, so that who opens it next waits for it to come back.
func (c *Core) reset() error {
	switch {
	case c.ledger != nil:
		return c.ledger // what the machine still holds back must be written first
	case c.op.running && !c.pic.Jammed:
		return cash.ErrBusy
	}
	if _, err := c.Tx(ssp.CmdReset.Data()); err != nil {
		return refusal(err)
	}
	c.lost = errReset
	c.Edit(func(s *Snapshot) { s.Ready, s.Error = false, "reset" })
	return nil
}

// setInhibits blocks or allows denominations, all or none.
func (c *Core) setInhibits(denoms []cash.Denom, inhibit bool) error {
	want := maps.Clone(c.Set.Inhibited)
	for _, d := range denoms {
		if _, ok := c.pic.Channel(d); !ok {
			return fmt.Errorf("%w: %s is not in the dataset", cash.ErrInvalid, d)
		}
		want[d] = inhibit
	}
	before := c.Set.Inhibited
	c.Set.Inhibited = want
	if err := c.driver.Inhibits(); err != nil {
		c.Set.Inhibited = before
		return refusal(err)
	}
	c.showChannels()
	return nil
}

// showChannels brings the picture's channels up to date with settings and levels.
func (c *Core) showChannels() {
	c.Edit(func(s *Snapshot) {
		channels := make([]Channel, len(s.Channels))
		for i, ch := range s.Channels {
			ch.Inhibited = c.Set.Inhibited[ch.Denom]
			ch.ToPayout = s.HasPayout && ch.Recyclable && c.Set.Routes[ch.Denom]
			ch.Level = s.Levels[ch.Denom]
			channels[i] = ch
		}
		s.Channels = channels
	})
}

// Refused says whether err is an answer other than OK, so that the machine is there and has done nothing.
func Refused(err error) bool {
	var r *ssp.StatusError
	return errors.As(err, &r)
}

// Refusal gives an answer other than OK its place among the errors of package cash; other errors stay what they are.
func Refusal(err error) error { return refusal(err) }

// refusal gives an answer other than OK its place among the errors of package cash.
func refusal(err error) error {
	var r *ssp.StatusError
	if !errors.As(err, &r) {
		return err
	}
	kind := cash.ErrUnsupported
	switch r.Reply {
	case ssp.OutOfRange, ssp.WrongParameters:
		kind = cash.ErrInvalid
	case ssp.CannotProcess:
		kind = cash.ErrBusy
	case ssp.SoftwareError, ssp.Fail:
		kind = cash.ErrNotConnected
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// PollNow lets the next poll go out at once.
func (c *Core) PollNow() { c.due = time.Time{} }
