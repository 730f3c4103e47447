package devices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"coffer/devices/line"
	"coffer/internal/cash"
	"coffer/ssp"
)

var _ Downloader = (*Station)(nil)

// showAgain is how long Download waits for the device to show as connected, after the machine has answered.
const showAgain = 10 * time.Second

// CheckDownload implements Downloader.
func (s *Station) CheckDownload(image []byte) error {
	_, err := parseDownload(image)
	return err
}

func parseDownload(image []byte) (ssp.DownloadFile, error) {
	f, err := ssp.ParseDownload(image)
	if err != nil {
		return f, fmt.Errorf("%w: %w", cash.ErrInvalid, err)
	}
	return f, nil
}

// Download implements Downloader. A machine that does not answer is taken for one that an earlier download has left
// without firmware. Neither a change of firmware nor of the dataset touches the ledger by itself: the books are compared
// when the machine is connected again.
func (s *Station) Download(ctx context.Context, d Download) error {
	f, err := parseDownload(d.Image)
	if err != nil {
		return err
	}
	select {
	case <-s.running:
	case <-ctx.Done():
		return ctx.Err()
	}
	b, err := s.obtain(ctx, d.Port, d.Address, 0)
	if err != nil {
		return err
	}
	defer s.settle(b, false)
	if err := s.download(ctx, b, d, f); err != nil {
		return fmt.Errorf("%s address %d: %w", d.Port, d.Address, err)
	}
	show, stop := context.WithTimeout(ctx, showAgain)
	defer stop()
	_ = b.wait(show, func(p *Snapshot) bool { return p.Connected })
	return nil
}

// download sends all devices of the port away, borrows the line, and transfers.
func (s *Station) download(ctx context.Context, b *Base, d Download, f ssp.DownloadFile) error {
	s.mu.Lock()
	l := s.find(d.Port)
	if l == nil {
		s.mu.Unlock()
		return cash.ErrNotConnected
	}
	s.mu.Unlock()
	if !l.downloads.CompareAndSwap(false, true) {
		return fmt.Errorf("%w: another download runs on the port", cash.ErrBusy)
	}
	defer l.downloads.Store(false)
	t := &transfer{
		log: b.log, addr: d.Address, file: f, baud: cmp.Or(d.Baud, f.Baud), slow: cmp.Or(l.cfg.Baud, line.DefaultBaud),
		pace: cmp.Or(l.cfg.DownloadPace, 1), tell: d.Progress,
	}
	if err := t.possible(l.cfg, b); err != nil {
		return err
	}
	if d.Packet && !b.cfg.device.extended() {
		return fmt.Errorf("%w: the bytes of a packet download are not public; send the file the older way", cash.ErrUnsupported)
	}
	over := make(chan struct{})
	defer close(over)
	if err := s.clear(ctx, b, l, f, over); err != nil {
		return err
	}
	p := b.Snapshot()
	t.silent = !p.Connected && p.silent
	return l.line.Borrow(ctx, func(_ context.Context, r *line.Raw) error {
		t.raw = r
		return t.run()
	})
}

// clear sends the machine and all others of the port away until over is closed, if it may take the file.
func (s *Station) clear(ctx context.Context, b *Base, l *stationLine, f ssp.DownloadFile, over <-chan struct{}) error {
	const why = "a download runs on the port"
	s.mu.Lock()
	bases := append([]*Base(nil), l.bases...)
	s.mu.Unlock()
	silent := map[*Base]bool{}
	for _, base := range bases { // all of them, before one is disturbed
		there, err := base.answered(ctx)
		if err != nil && (base == b || !base.ended()) {
			return err
		}
		silent[base] = !there
	}
	if silent[b] && !b.Snapshot().Connected {
		if err := keeps(f, b.Snapshot().Levels); err != nil {
			return err
		}
	} else if err := b.makeWay(ctx, why, over, func(c *Core) error { return c.keepsDenoms(f) }); err != nil {
		return err
	}
	for _, other := range bases {
		if other == b || silent[other] && !other.Snapshot().Connected {
			continue
		}
		err := other.makeWay(ctx, why, over, func(*Core) error { return nil })
		if err != nil && !other.ended() {
			return err
		}
	}
	return nil
}

// awayTries is how often a machine that is lost each time when it is to be sent away is waited for.
const awayTries = 3

// makeWay sends a device away that answered. One whose connection is lost in between is waited for, so that may is asked of
// every machine that answers; for one that has gone silent it is cash.ErrNotConnected.
func (b *Base) makeWay(ctx context.Context, why string, over <-chan struct{}, may func(*Core) error) error {
	for try := 1; ; try++ {
		err := b.sendAway(ctx, why, over, may)
		if try == awayTries || !errors.Is(err, errConnecting) && !errors.Is(err, cash.ErrNotConnected) {
			return err
		}
		if _, err := b.answered(ctx); err != nil {
			return err
		}
	}
}

// ended says whether the device is driven no more.
func (b *Base) ended() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// possible refuses a speed that nothing on the way could be told of: a device server on the network keeps its own. A
// simulated machine has none.
func (t *transfer) possible(l LineConfig, b *Base) error {
	switch {
	case t.baud < 0:
		return fmt.Errorf("%w: %d baud", cash.ErrInvalid, t.baud)
	case strings.HasPrefix(l.link(), "tcp://") && t.baud != t.slow && !b.cfg.device.extended():
		return fmt.Errorf("%w: a network link keeps its %d baud, the transfer wants %d; plug the machine in here", cash.ErrUnsupported,
			t.slow, t.baud)
	}
	return nil
}

// keepsDenoms refuses a file whose dataset lacks a denomination that is stored.
func (c *Core) keepsDenoms(f ssp.DownloadFile) error {
	if p, err := ssp.ParsePayload(f.Payload); err != nil || p.Dataset == "" {
		return nil
	}
	acc, err := c.ReadAccount(false)
	if err != nil {
		return err
	}
	return keeps(f, acc.Levels)
}

// keeps refuses a file whose dataset lacks a denomination of levels. Those of a machine that does not answer are what it
// was seen to store last: one without firmware cannot be asked.
func keeps(f ssp.DownloadFile, levels cash.Counts) error {
	p, err := ssp.ParsePayload(f.Payload)
	if err != nil || p.Dataset == "" {
		return nil
	}
	for d, n := range levels {
		if n > 0 && (string(d.Currency) != p.Dataset[:3] || !slices.Contains(p.Values, d.Value)) {
			return fmt.Errorf("%w: the file's dataset %s has no %v, of which %d are stored; empty the machine first",
				cash.ErrInvalid, p.Dataset, d, n)
		}
	}
	return nil
}

// answered waits until the device is ready, or an attempt to reach it that began after the call got no answer: one that is
// on its way back is not taken for one without firmware. What keeps one that answers from getting ready is the error.
func (b *Base) answered(ctx context.Context) (there bool, err error) {
	begun := b.Snapshot().attempts + 2 // the one that runs may have begun before
	err = b.wait(ctx, func(s *Snapshot) bool {
		there = s.Connected
		return there || s.attempts >= begun
	})
	if err != nil || !there {
		return false, err
	}
	return true, b.awaitReady(ctx)
}
