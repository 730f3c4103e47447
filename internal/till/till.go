package till

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/internal/cash"
)

// Journal is what the till needs of the ledger. Every error wraps cash.ErrJournal. Begin and Write are on disk when
// they return.
type Journal interface {
	// Begin opens an operation and assigns its ID. A Key that was used before returns that operation as it stands,
	// with cash.ErrKeySeen, and writes nothing.
	Begin(ctx context.Context, op cash.Op) (cash.Op, error)
	// BeginLegs opens an operation over several machines and its legs in one transaction; the key is the whole's, and
	// stands for it as in Begin. Without legs the whole is closed at once with its own State and Detail.
	BeginLegs(ctx context.Context, whole cash.Op, legs []cash.Op) (cash.Op, []cash.Op, error)
	// Write commits w in one transaction and returns its rows: those of w.Lines first, in their order. With the
	// last leg it closes the whole, as cash.CloseWhole says.
	Write(ctx context.Context, w cash.LedgerWrite) ([]cash.Entry, error)
	// OpenOps returns the device's operations that are cash.Op.Open, oldest first.
	OpenOps(ctx context.Context, dev cash.DeviceID) ([]cash.Op, error)
	// Op and OpByKey return one operation, false if there is none.
	Op(ctx context.Context, id string) (cash.Op, bool, error)
	OpByKey(ctx context.Context, key string) (cash.Op, bool, error)
	// Legs returns the legs of an operation over several machines, in their order; none for any other.
	Legs(ctx context.Context, id string) ([]cash.Op, error)
	// OpLines returns all rows of one operation, in order.
	OpLines(ctx context.Context, id string) ([]cash.Entry, error)
	// Balance returns what the ledger says is in the device ("" for all): payout, cashbox and escrow, zero rows left out.
	Balance(ctx context.Context, dev cash.DeviceID) ([]cash.BalanceRow, error)
	// Baseline returns the device's books as of the last reconciliation; false if there was none.
	Baseline(ctx context.Context, dev cash.DeviceID) (cash.Baseline, bool, error)
	// Evidence returns what is kept for the device, oldest first.
	Evidence(ctx context.Context, dev cash.DeviceID) ([]cash.Evidence, error)
	// LinesSince returns the device's rows with a Seq above seq, in order.
	LinesSince(ctx context.Context, dev cash.DeviceID, seq int64) ([]cash.Entry, error)
	// LastSeq returns the Seq of the device's last row of a kind ("" for any), 0 if there is none.
	LastSeq(ctx context.Context, dev cash.DeviceID, kind cash.Kind) (int64, error)
}

// Publisher hears of everything once it is on disk. bus.Bus satisfies it.
type Publisher interface {
	Publish(dev cash.DeviceID, at time.Time, ledger int64, ev ...cash.Event)
}

// Till carries out operations and implements devices.Sink. Safe for use from any goroutine.
type Till struct {
	journal Journal
	bus     Publisher
	log     logrus.FieldLogger
	now     func() time.Time
	grace   time.Duration // how long Reconcile waits for the answer of a command that is under way

	mu      sync.Mutex
	desks   map[cash.DeviceID]*desk
	leases  map[cash.DeviceID]string // owner
	wholes  map[string]*run          // operations over several machines that somebody waits for
	health  error
	active  int // operations under way
	closing bool
	idle    chan struct{} // closed when the last operation ends while closing
	quit    chan struct{} // closed when Close has ended
	ended   sync.Once
}

// New returns a till over j that tells p. now is the clock of what is published.
func New(j Journal, p Publisher, log logrus.FieldLogger, now func() time.Time) *Till {
	return &Till{
		journal: j, bus: p, log: log, now: now, grace: 100 * time.Millisecond,
		desks: map[cash.DeviceID]*desk{}, leases: map[cash.DeviceID]string{}, wholes: map[string]*run{},
		idle: make(chan struct{}), quit: make(chan struct{}),
	}
}

// Health says whether the last write to the ledger worked: nil, or the error that it met (wraps cash.ErrJournal). The
// next write that works clears it.
func (t *Till) Health() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.health
}

// Balance returns what the ledger says is in the device, "" for all of them. Errors: cash.ErrJournal.
func (t *Till) Balance(ctx context.Context, dev cash.DeviceID) ([]cash.BalanceRow, error) {
	return t.journal.Balance(ctx, dev)
}

// AutoClearCashbox says whether a cashbox of dev that was removed and put back counts as emptied (off by default).
func (t *Till) AutoClearCashbox(dev cash.DeviceID, on bool) {
	k := t.desk(dev)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.autoClear = on
}

// Close refuses new operations with cash.ErrBusy from now on and waits for the running ones, at most as long as ctx
// lasts. What still runs then stays open in the ledger and is settled at the next start; Close returns ctx's error.
// Events are recorded as before.
func (t *Till) Close(ctx context.Context) error {
	t.mu.Lock()
	if !t.closing {
		t.closing = true
		if t.active == 0 {
			close(t.idle)
		}
	}
	t.mu.Unlock()
	defer t.ended.Do(func() { close(t.quit) })
	select {
	case <-t.idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d operations still run: %w", t.stillRunning(), ctx.Err())
	}
}

func (t *Till) stillRunning() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.active
}
