package upostest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"coffer/internal/cash"
	"coffer/upos"
)

// Mechanism is a small till in memory that a test moves by hand. Everything happens at once unless the test says
// otherwise. Make one with New, Till and their like.
type Mechanism struct {
	telling sync.Mutex // keeps the changes in order; held around the watchers, never together with a call of theirs

	mu       sync.Mutex
	parts    []upos.Part
	wanted   []bool // acceptance, as asked for
	path     [][]upos.Piece
	owner    string
	watchers map[int]func(upos.Change)
	next     int
	ops      int
	keys     map[string]*job
	running  *job
	hold     chan struct{}
	short    *Short
	pay      time.Duration
	fault    map[string]error
	calls    []string
	flash    chan int
	counters map[string]int64 // as a test has set them
}

// Short makes the next payout end short: Pieces go out, and the end is Err.
type Short struct {
	Pieces upos.Pieces
	Sure   bool
	Err    error
}

// ErrHang is a fault of Settle and Counts: they never end by themselves.
var ErrHang = errors.New("hangs")

var _ upos.Mechanism = (*Mechanism)(nil)

// New returns a mechanism of these parts. A part that Accepts and Holds a piece puts it into its store if it Pays it, else
// into its cashbox.
func New(parts ...upos.Part) *Mechanism {
	m := &Mechanism{parts: parts, wanted: make([]bool, len(parts)), path: make([][]upos.Piece, len(parts)),
		watchers: map[int]func(upos.Change){}, keys: map[string]*job{}, fault: map[string]error{}}
	for i := range m.parts {
		p := &m.parts[i]
		p.Online = true
		p.Store, p.Box = copyOf(p.Store), copyOf(p.Box)
	}
	return m
}

func copyOf(p upos.Pieces) upos.Pieces {
	out := upos.Pieces{}
	maps.Copy(out, p)
	return out
}

// Coin and Bill make pieces of euros, in cents.
func Coin(value int64) upos.Piece { return upos.Piece{Value: value, Currency: "EUR"} }
func Bill(value int64) upos.Piece { return upos.Piece{Value: value, Currency: "EUR", Bill: true} }

// list makes pieces of values.
func list(kind func(int64) upos.Piece, values ...int64) []upos.Piece {
	var out []upos.Piece
	for _, v := range values {
		out = append(out, kind(v))
	}
	return out
}

// stock is n of each.
func stock(pieces []upos.Piece, n int) upos.Pieces {
	out := upos.Pieces{}
	for _, p := range pieces {
		out[p] = n
	}
	return out
}

// Recycler is a note machine like the one of the demo: accepts 5 to 500, pays 5, 10 and 20, four of each in it.
func Recycler() upos.Part {
	all, pays := list(Bill, 500, 1000, 2000, 5000, 10000, 20000, 50000), list(Bill, 500, 1000, 2000)
	return upos.Part{ID: "notes", Bills: true, Accepts: all, Holds: all, Pays: pays, CanPause: true, CanRepay: true,
		CanFloat: true, CanFull: true, Store: stock(pays, 4), Model: "SPECTRAL_PAYOUT", Serial: "1000", Firmware: "NVS9000100000000"}
}

// CoinSystem is a coin machine like the one of the demo: 1 cent to 2 euros, fifty of each.
func CoinSystem() upos.Part {
	all := list(Coin, 1, 2, 5, 10, 20, 50, 100, 200)
	return upos.Part{ID: "coins", Accepts: all, Holds: all, Pays: all, CanPause: true, CanRepay: true, CanFloat: true,
		Store: stock(all, 50), Model: "SMART_COIN_SYSTEM", Serial: "2000", Firmware: "SCS0010000000000"}
}

// Validator is a note machine without a store.
func Validator() upos.Part {
	all := list(Bill, 500, 1000, 2000, 5000, 10000, 20000, 50000)
	return upos.Part{ID: "bills", Bills: true, Accepts: all, CanPause: true, CanFull: true, Model: "NV200", Serial: "3000",
		Firmware: "NV02004000000000"}
}

// Hopper is a coin store with a coin mech.
func Hopper() upos.Part {
	all := list(Coin, 10, 50)
	return upos.Part{ID: "hopper", Accepts: all, Holds: all, Pays: all, CanPause: true, CanRepay: true, CanFloat: true,
		Store: stock(all, 100), Model: "SMART_HOPPER", Serial: "4000", Firmware: "SH00040000000000"}
}

// Till is a recycler and a coin system in one.
func Till() *Mechanism { return New(Recycler(), CoinSystem()) }

// Parts implements upos.Mechanism.
func (m *Mechanism) Parts() []upos.Part {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := slices.Clone(m.parts)
	for i := range out {
		out[i].Store, out[i].Box = copyOf(out[i].Store), copyOf(out[i].Box)
		out[i].Accepts, out[i].Holds, out[i].Pays = slices.Clone(out[i].Accepts), slices.Clone(out[i].Holds), slices.Clone(out[i].Pays)
	}
	return out
}

// Watch implements upos.Mechanism.
func (m *Mechanism) Watch(f func(upos.Change)) func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.next
	m.next++
	m.watchers[n] = f
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.watchers, n)
	}
}

// tell changes something and tells the watchers.
func (m *Mechanism) tell(change func() []upos.Change) {
	m.telling.Lock()
	defer m.telling.Unlock()
	m.mu.Lock()
	changes := change()
	var fs []func(upos.Change)
	for _, n := range slices.Sorted(maps.Keys(m.watchers)) {
		fs = append(fs, m.watchers[n])
	}
	m.mu.Unlock()
	for _, c := range changes {
		for _, f := range fs {
			f(c)
		}
	}
}

// note remembers a call and returns the fault that a test set for it. The caller holds mu.
func (m *Mechanism) note(call string, detail any) error {
	m.calls = append(m.calls, fmt.Sprint(call, " ", detail))
	return m.fault[call]
}

// hang waits for the end of ctx where a test has set ErrHang.
func (m *Mechanism) hang(ctx context.Context, call string) error {
	m.mu.Lock()
	hang := errors.Is(m.fault[call], ErrHang)
	m.mu.Unlock()
	if !hang {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// Claim implements upos.Mechanism.
func (m *Mechanism) Claim(owner string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.note("Claim", owner); err != nil {
		return err
	}
	if m.owner != "" && m.owner != owner {
		return fmt.Errorf("%w: %s has it", cash.ErrClaimed, m.owner)
	}
	m.owner = owner
	return nil
}

// Release implements upos.Mechanism.
func (m *Mechanism) Release(owner string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.owner == owner {
		m.owner = ""
	}
}

// use checks that the caller has the claim and that the parts it wants answer. The caller holds mu.
func (m *Mechanism) use(r upos.Request, call string, detail any) error {
	if err := m.note(call, detail); err != nil {
		return err
	}
	if m.owner != r.Owner {
		return fmt.Errorf("%w: by %q, not by %q", cash.ErrClaimed, m.owner, r.Owner)
	}
	for i, p := range m.parts {
		if r.Parts != nil && !slices.Contains(r.Parts, i) {
			continue
		}
		if !p.Online {
			return fmt.Errorf("%w: %s", cash.ErrNotConnected, p.ID)
		}
	}
	return nil
}

// Accept implements upos.Mechanism.
func (m *Mechanism) Accept(_ context.Context, r upos.Request, on bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, p := range m.parts {
		if len(p.Accepts) > 0 {
			m.wanted[i] = on
		}
	}
	if err := m.use(r, "Accept", on); err != nil {
		return err
	}
	for _, p := range m.parts {
		switch {
		case !on:
		case p.BoxOut:
			return fmt.Errorf("%w: %s", cash.ErrNoCashbox, p.ID)
		case p.Jammed:
			return fmt.Errorf("%w: %s", cash.ErrJam, p.ID)
		case p.Full:
			return fmt.Errorf("%w: %s", cash.ErrFull, p.ID)
		}
	}
	return nil
}

// Quiet implements upos.Mechanism.
func (m *Mechanism) Quiet(_ context.Context, r upos.Request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.use(r, "Quiet", ""); err != nil {
		return err
	}
	clear(m.wanted)
	return nil
}

// Settle implements upos.Mechanism: what a test put into the path is credited.
func (m *Mechanism) Settle(ctx context.Context, r upos.Request) error {
	if err := m.hang(ctx, "Settle"); err != nil {
		return err
	}
	var err error
	m.tell(func() []upos.Change {
		if err = m.use(r, "Settle", ""); err != nil {
			return nil
		}
		var out []upos.Change
		for i := range m.path {
			for _, p := range m.path[i] {
				out = append(out, m.credit(i, p, 1))
			}
			m.path[i] = nil
		}
		return out
	})
	return err
}

// credit books pieces. The caller holds mu.
func (m *Mechanism) credit(i int, p upos.Piece, n int) upos.Change {
	part := &m.parts[i]
	if slices.Contains(part.Holds, p) && slices.Contains(part.Pays, p) {
		part.Store[p] += n
	} else {
		part.Box[p] += n
	}
	return upos.Change{Part: i, Taken: upos.Pieces{p: n}, Status: true}
}

// Counts implements upos.Mechanism.
func (m *Mechanism) Counts(ctx context.Context, r upos.Request, place cash.Place) (upos.Pieces, bool, error) {
	if err := m.hang(ctx, "Counts"); err != nil {
		return nil, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.use(r, "Counts", place); err != nil {
		return nil, false, err
	}
	out, doubt := upos.Pieces{}, false
	for i, p := range m.parts {
		if r.Parts != nil && !slices.Contains(r.Parts, i) {
			continue
		}
		doubt = doubt || p.InDoubt
		from := p.Store
		if place == cash.Cashbox {
			from = p.Box
		}
		for piece, n := range from {
			out[piece] += n
		}
	}
	return out, doubt, nil
}

// Ping implements upos.Mechanism.
func (m *Mechanism) Ping(_ context.Context, part int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.note("Ping", part); err != nil {
		return err
	}
	if !m.parts[part].Online {
		return fmt.Errorf("%w: %s", cash.ErrNotConnected, m.parts[part].ID)
	}
	return nil
}

// Raw implements upos.Mechanism: a poll is answered with OK, everything else is refused.
func (m *Mechanism) Raw(_ context.Context, r upos.Request, part int, command []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.Parts = []int{part}
	if err := m.use(r, "Raw", command); err != nil {
		return nil, err
	}
	if len(command) != 1 || command[0] != 0x07 {
		return nil, fmt.Errorf("%w: this fake only knows the poll", cash.ErrInvalid)
	}
	return []byte{0xF0}, nil
}

// CheckImage implements upos.Mechanism: an image is the text "FW " and the name of the firmware.
func (m *Mechanism) CheckImage(image []byte) (string, error) {
	if len(image) < 3 || string(image[:3]) != "FW " {
		return "", fmt.Errorf("%w: this is no firmware", cash.ErrInvalid)
	}
	return string(image[3:]), nil
}

// Update implements upos.Mechanism: it goes on as far as the test's calls of Flash say, or at once where Flash was never
// prepared.
func (m *Mechanism) Update(_ context.Context, r upos.Request, part int, image []byte, progress func(int)) error {
	m.mu.Lock()
	flash, err := m.flash, m.note("Update", part)
	m.mu.Unlock()
	if flash == nil {
		for _, p := range []int{1, 50, 100} {
			progress(p)
		}
	} else {
		for p := range flash {
			progress(p)
		}
	}
	if err == nil {
		m.mu.Lock()
		m.parts[part].Firmware = string(image[3:])
		m.mu.Unlock()
	}
	return err
}

// Statistics implements upos.Mechanism.
func (m *Mechanism) Statistics() map[string]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]int64{"NotesStacked": 42, "CoinsPaid": 7}
	maps.Copy(out, m.counters)
	return out
}
