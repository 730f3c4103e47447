package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/internal/cash"
	"coffer/internal/journal"
)

// How long a start waits for the lock of a coffer that was killed a moment ago, and how often a ledger that would not
// open is tried again.
const (
	lockPatience = 2 * time.Second
	lockInterval = 50 * time.Millisecond
	reopenAfter  = 5 * time.Second
)

// ledger is the journal of this process, or the reason why there is none: a ledger that will not open leaves the
// process up, with acceptance off, and is tried again. It is what till and journalapi are given.
type ledger struct {
	dir string
	now func() time.Time
	log logrus.FieldLogger

	retry time.Duration // between attempts to open
	used  bool          // the data directory was used before this process

	mu     sync.RWMutex
	open   *journal.Journal
	reason error // why open is nil
}

// openLedger opens the ledger in dir. The one error it returns is a directory that another coffer uses: every other
// trouble is kept as the reason, for /readyz.
func openLedger(ctx context.Context, dir string, now func() time.Time, log logrus.FieldLogger) (*ledger, error) {
	l := &ledger{dir: dir, now: now, log: log, retry: reopenAfter}
	deadline := time.Now().Add(lockPatience)
	for {
		err := l.try(ctx)
		if !errors.Is(err, journal.ErrLocked) {
			if err != nil {
				log.WithError(err).Error("ledger will not open; acceptance stays off")
			}
			return l, nil
		}
		if time.Now().After(deadline) {
			return nil, err
		}
		if err := pause(ctx, lockInterval); err != nil {
			return nil, err
		}
	}
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// try opens the ledger and keeps it, or the reason.
func (l *ledger) try(ctx context.Context) error {
	j, err := journal.Open(ctx, l.dir, l.now)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open, l.reason = j, err
	return err
}

// run tries again while the ledger is not open, until ctx ends. One that is open is read through once.
func (l *ledger) run(ctx context.Context) error {
	for {
		if j, err := l.journal(); err == nil {
			l.inspect(ctx, j)
			<-ctx.Done()
			return nil
		}
		if pause(ctx, l.retry) != nil {
			return nil
		}
		if err := l.try(ctx); err == nil {
			l.log.Info("ledger opened")
		}
	}
}

// close ends the ledger. Nothing may use it afterwards.
func (l *ledger) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		return nil
	}
	err := l.open.Close()
	l.open, l.reason = nil, fmt.Errorf("%w: coffer is stopping", cash.ErrJournal)
	return err
}

// journal returns the open ledger, or the reason why there is none (wraps cash.ErrJournal).
func (l *ledger) journal() (*journal.Journal, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.open == nil {
		return nil, l.reason
	}
	return l.open, nil
}

// with calls f with the open ledger.
func with[T any](l *ledger, f func(*journal.Journal) (T, error)) (T, error) {
	j, err := l.journal()
	if err != nil {
		var none T
		return none, err
	}
	return f(j)
}

// Check says whether the ledger is open and takes writes.
func (l *ledger) Check(ctx context.Context) error {
	j, err := l.journal()
	if err != nil {
		return err
	}
	return j.Check(ctx)
}

// The methods below are those of journal.Journal.

func (l *ledger) Begin(ctx context.Context, op cash.Op) (cash.Op, error) {
	return with(l, func(j *journal.Journal) (cash.Op, error) { return j.Begin(ctx, op) })
}

func (l *ledger) BeginLegs(ctx context.Context, whole cash.Op, legs []cash.Op) (op cash.Op, out []cash.Op, err error) {
	j, err := l.journal()
	if err != nil {
		return op, nil, err
	}
	return j.BeginLegs(ctx, whole, legs)
}

func (l *ledger) Legs(ctx context.Context, id string) ([]cash.Op, error) {
	return with(l, func(j *journal.Journal) ([]cash.Op, error) { return j.Legs(ctx, id) })
}

func (l *ledger) LastSeq(ctx context.Context, dev cash.DeviceID, kind cash.Kind) (int64, error) {
	return with(l, func(j *journal.Journal) (int64, error) { return j.LastSeq(ctx, dev, kind) })
}

func (l *ledger) Write(ctx context.Context, w cash.LedgerWrite) ([]cash.Entry, error) {
	return with(l, func(j *journal.Journal) ([]cash.Entry, error) { return j.Write(ctx, w) })
}

func (l *ledger) OpenOps(ctx context.Context, dev cash.DeviceID) ([]cash.Op, error) {
	return with(l, func(j *journal.Journal) ([]cash.Op, error) { return j.OpenOps(ctx, dev) })
}

func (l *ledger) Op(ctx context.Context, id string) (op cash.Op, found bool, err error) {
	j, err := l.journal()
	if err != nil {
		return op, false, err
	}
	return j.Op(ctx, id)
}

func (l *ledger) OpByKey(ctx context.Context, key string) (op cash.Op, found bool, err error) {
	j, err := l.journal()
	if err != nil {
		return op, false, err
	}
	return j.OpByKey(ctx, key)
}

func (l *ledger) OpLines(ctx context.Context, id string) ([]cash.Entry, error) {
	return with(l, func(j *journal.Journal) ([]cash.Entry, error) { return j.OpLines(ctx, id) })
}

func (l *ledger) Balance(ctx context.Context, dev cash.DeviceID) ([]cash.BalanceRow, error) {
	return with(l, func(j *journal.Journal) ([]cash.BalanceRow, error) { return j.Balance(ctx, dev) })
}

func (l *ledger) Baseline(ctx context.Context, dev cash.DeviceID) (b cash.Baseline, found bool, err error) {
	j, err := l.journal()
	if err != nil {
		return b, false, err
	}
	return j.Baseline(ctx, dev)
}

func (l *ledger) Evidence(ctx context.Context, dev cash.DeviceID) ([]cash.Evidence, error) {
	return with(l, func(j *journal.Journal) ([]cash.Evidence, error) { return j.Evidence(ctx, dev) })
}

func (l *ledger) LinesSince(ctx context.Context, dev cash.DeviceID, seq int64) ([]cash.Entry, error) {
	return with(l, func(j *journal.Journal) ([]cash.Entry, error) { return j.LinesSince(ctx, dev, seq) })
}

func (l *ledger) Entries(ctx context.Context, after int64, limit int) ([]cash.Entry, error) {
	return with(l, func(j *journal.Journal) ([]cash.Entry, error) { return j.Entries(ctx, after, limit) })
}

func (l *ledger) LastLine(ctx context.Context, dev cash.DeviceID, kind cash.Kind, upTo int64) (e cash.Entry, found bool, err error) {
	j, err := l.journal()
	if err != nil {
		return e, false, err
	}
	return j.LastLine(ctx, dev, kind, upTo)
}

func (l *ledger) Head(ctx context.Context) (int64, error) {
	return with(l, func(j *journal.Journal) (int64, error) { return j.Head(ctx) })
}

func (l *ledger) Cursor(ctx context.Context, name string) (seq int64, note string, found bool, err error) {
	j, err := l.journal()
	if err != nil {
		return 0, "", false, err
	}
	return j.Cursor(ctx, name)
}

func (l *ledger) KeepCursor(ctx context.Context, name string, seq int64, note string) error {
	j, err := l.journal()
	if err != nil {
		return err
	}
	return j.KeepCursor(ctx, name, seq, note)
}

// Subscribe returns a closed channel while the ledger is not open.
func (l *ledger) Subscribe(size int) (<-chan cash.Entry, func()) {
	j, err := l.journal()
	if err != nil {
		none := make(chan cash.Entry)
		close(none)
		return none, func() {}
	}
	return j.Subscribe(size)
}
