package devices

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/internal/cash"
	"coffer/ssp"
)

// Peer is what a device needs of its address on a line; *line.Peer is one.
type Peer interface {
	Tx(ctx context.Context, data []byte) ([]byte, error)
	Poll(ctx context.Context, data []byte, due time.Time) ([]byte, error)
	Sync(ctx context.Context) error
	Negotiate(ctx context.Context) error
	ForgetKey()
	SetVersion(version int, coins bool)
}

// baseConfig is what a device is made of.
type baseConfig struct {
	port     string
	device   DeviceConfig
	adHoc    bool
	peer     Peer
	sink     Sink
	families []Family
	name     func(b *Base, model string) cash.DeviceID
	logWire  func(reason string) // writes the line's last frames to the log; nil for none
	key      uint64              // fixed half of the session key that peer has
}

// Base is the part of a device that every family shares: the calls of Device, which hand their work to the device's own
// goroutine, and the picture that goroutine publishes. A family's device embeds its Base.
type Base struct {
	cfg   baseConfig
	log   logrus.FieldLogger
	calls chan *call
	tried chan struct{} // closed when the first attempt to get ready came to an end
	done  chan struct{} // closed when the goroutine has ended
	stop  context.CancelFunc

	device atomic.Pointer[Device]
	snap   atomic.Pointer[Snapshot]

	// off: a Disable has come since the last Enable. One that finds the machine away holds for when it is back.
	off atomic.Bool

	// Of a device opened ad hoc, guarded by the station's mutex.
	claims  int           // calls of Open and Download that are at it
	kept    bool          // an Open has returned it, and no Release has come since
	leaving chan struct{} // closed when it was taken off its line; nil while nobody takes it off

	mu       sync.Mutex // orders publications
	changed  chan struct{}
	fixedKey uint64        // in force; see rekey
	rekeyed  uint64        // how often it was changed
	keying   chan struct{} // holds one element while a key is tried, so that a try ends before the next one begins
}

func newBase(cfg baseConfig, log logrus.FieldLogger) *Base {
	b := &Base{
		cfg:     cfg,
		log:     log.WithFields(logrus.Fields{"line": cfg.port, "address": cfg.device.Address}),
		calls:   make(chan *call),
		tried:   make(chan struct{}),
		done:    make(chan struct{}),
		changed: make(chan struct{}),

		fixedKey: cfg.key,
		keying:   make(chan struct{}, 1),
	}
	b.snap.Store(&Snapshot{
		Port: cfg.port, Address: cfg.device.Address, ConfigID: cfg.device.ID,
		AutoAccept: !cfg.device.Escrow, Error: "not tried yet", Changed: time.Now(),
	})
	return b
}

// current returns the device as callers should see it now.
func (b *Base) current() Device {
	if d := b.device.Load(); d != nil {
		return *d
	}
	return b
}

// Snapshot implements Device.
func (b *Base) Snapshot() *Snapshot { return b.snap.Load() }

// publish makes s the picture that everybody sees. A machine is not shown as connected with a key that was changed since:
// then it is false, and nothing is shown. rekeyed is the change that its connection began with.
func (b *Base) publish(s *Snapshot, rekeyed uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.Connected && rekeyed != b.rekeyed {
		return false
	}
	b.store(s)
	return true
}

// keyAge says how often the key was changed.
func (b *Base) keyAge() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rekeyed
}

// store replaces the picture and wakes who waits for it; the caller holds b.mu.
func (b *Base) store(s *Snapshot) {
	b.snap.Store(s)
	close(b.changed)
	b.changed = make(chan struct{})
}

// wait returns once ok holds for the published picture, or with ctx's error.
func (b *Base) wait(ctx context.Context, ok func(*Snapshot) bool) error {
	for {
		b.mu.Lock()
		changed := b.changed
		b.mu.Unlock()
		if ok(b.Snapshot()) {
			return nil
		}
		select {
		case <-changed:
		case <-b.done:
			return cash.ErrNotConnected
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// awaitName waits until the device has its name, or was tried without getting one.
func (b *Base) awaitName(ctx context.Context) {
	for {
		b.mu.Lock()
		changed := b.changed
		b.mu.Unlock()
		if b.Snapshot().ID != "" {
			return
		}
		select {
		case <-changed:
		case <-b.tried:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Need is what must be true of a machine for a call to be carried out.
type Need int

const (
	// NeedAnswer: the machine answers.
	NeedAnswer Need = iota
	// NeedReady: and its books were reconciled since. While they are not, calls answer cash.ErrBusy.
	NeedReady
)

// call is one piece of work for the device's goroutine.
type call struct {
	need  Need
	owner Driver // whose call it is; nil for any driver's
	work  func(c *Core) error
	state atomic.Int32 // callWaiting until one side takes it
	err   chan error
}

const (
	callWaiting int32 = iota
	callTaken
	callDropped
)

// do hands work to the device's goroutine and waits for its end. A context that ends before the work was begun drops it.
func (b *Base) do(ctx context.Context, need Need, owner Driver, work func(c *Core) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.Snapshot().refuse(need); err != nil {
		return err
	}
	k := &call{need: need, owner: owner, work: work, err: make(chan error, 1)}
	select {
	case b.calls <- k:
	case <-b.done:
		return cash.ErrNotConnected
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-k.err:
		return err
	case <-ctx.Done():
		if k.state.CompareAndSwap(callWaiting, callDropped) {
			return ctx.Err()
		}
		return <-k.err
	}
}

// errConnecting refuses calls that want a ready machine while it is getting ready.
var errConnecting = fmt.Errorf("%w: still connecting", cash.ErrBusy)

// refuse says why a call cannot be carried out now, nil if it can.
func (s *Snapshot) refuse(need Need) error {
	switch {
	case !s.Connected:
		return fmt.Errorf("%w: %s", cash.ErrNotConnected, s.Error)
	case need == NeedReady && !s.Ready && s.Jammed:
		return fmt.Errorf("%w: clear the jam", cash.ErrJam)
	case need == NeedReady && !s.Ready:
		return errConnecting
	}
	return nil
}

// Enable implements Device.
func (b *Base) Enable(ctx context.Context) error {
	return b.do(ctx, NeedReady, nil, func(c *Core) error { return c.accept(true) })
}

// Disable implements Device.
func (b *Base) Disable(ctx context.Context) error {
	b.off.Store(true)
	return b.do(ctx, NeedAnswer, nil, func(c *Core) error { return c.accept(false) })
}

// Reset implements Device.
func (b *Base) Reset(ctx context.Context) error {
	return b.do(ctx, NeedAnswer, nil, func(c *Core) error { return c.reset() })
}

// SetInhibits implements Device.
func (b *Base) SetInhibits(ctx context.Context, denoms []cash.Denom, inhibit bool) error {
	return b.do(ctx, NeedReady, nil, func(c *Core) error { return c.setInhibits(denoms, inhibit) })
}

// Account implements Device. Books that are not those that agreed last are compared with the ledger next.
func (b *Base) Account(ctx context.Context) (acc *cash.Account, err error) {
	err = b.do(ctx, NeedAnswer, nil, func(c *Core) error {
		acc, err = c.ReadAccount(false)
		if err == nil && c.audit.agree != nil && !sameAccount(acc, c.audit.agree) {
			c.AuditSoon()
		}
		return err
	})
	return acc, err
}

// Raw implements Device.
func (b *Base) Raw(ctx context.Context, cmd []byte) (answer []byte, err error) {
	if len(cmd) == 0 || refusedRaw[ssp.Command(cmd[0])] || refusedExpansion(cmd) {
		return nil, fmt.Errorf("%w: this command cannot be sent by hand", cash.ErrInvalid)
	}
	if len(cmd) > ssp.MaxEncrypted { // the line would refuse it, and whatever the line refuses is taken for a lost machine
		return nil, fmt.Errorf("%w: a command of %d bytes, where %d fit", cash.ErrInvalid, len(cmd), ssp.MaxEncrypted)
	}
	err = b.do(ctx, NeedAnswer, nil, func(c *Core) error {
		answer, err = c.exchange(cmd)
		return err
	})
	return answer, err
}

// refusedExpansion says whether cmd is an expansion command that nobody may send past the driver, for the same reasons.
func refusedExpansion(cmd []byte) bool {
	if ssp.Command(cmd[0]) != ssp.CmdExpansion {
		return false
	}
	sub, _, _ := ssp.ParseExpansion(cmd[1:])
	switch sub {
	case ssp.ExpReplenish, ssp.ExpSetRecyclerRoute, ssp.ExpSetCassetteMode, ssp.ExpAddCashboxLevel, ssp.ExpClearCashboxLevels:
		return true
	}
	return false
}

// refusedRaw are the commands that nobody may send past the driver: they move money or say where it goes, change keys,
// layouts or speed, poll, or change what the books are compared with.
var refusedRaw = map[ssp.Command]bool{
	ssp.CmdReset: true, ssp.CmdHostProtocolVersion: true, ssp.CmdPoll: true, ssp.CmdRejectNote: true,
	ssp.CmdDisable: true, ssp.CmdEnable: true, ssp.CmdProgram: true, ssp.CmdSync: true, ssp.CmdHold: true,
	ssp.CmdPayoutAmount: true, ssp.CmdSetLevel: true, ssp.CmdPassThrough: true, ssp.CmdHaltPayout: true,
	ssp.CmdSplitPayout: true, ssp.CmdCoinEscrow: true, ssp.CmdSetRoute: true, ssp.CmdFloatAmount: true,
	ssp.CmdEmptyAll: true, ssp.CmdSetCoinMechInhibit: true, ssp.CmdSetInhibits: true, ssp.CmdPayoutNote: true,
	ssp.CmdStackNote: true, ssp.CmdFloatByDenomination: true, ssp.CmdSetReportingType: true,
	ssp.CmdPayoutByDenomination: true, ssp.CmdGlobalInhibit: true, ssp.CmdSetGenerator: true,
	ssp.CmdSetModulus: true, ssp.CmdRequestKeyExchange: true, ssp.CmdSetBaudRate: true,
	ssp.CmdSetCashboxLimit: true, ssp.CmdSmartEmpty: true, ssp.CmdPollWithAck: true, ssp.CmdEventAck: true,
	ssp.CmdResetCounters: true, ssp.CmdDisablePayout: true, ssp.CmdEnablePayout: true,
	ssp.CmdSetFixedKey: true, ssp.CmdResetFixedKey: true, ssp.CmdMultiDownload: true,
	ssp.CmdCancelEscrow: true, ssp.CmdCommitEscrow: true, ssp.CmdSetEscrowSize: true,
}
