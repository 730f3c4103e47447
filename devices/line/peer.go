package line

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"coffer/ssp"
)

// errClosed is the cause given to calls after the line has ended.
var errClosed = errors.New("line closed")

// Peer is the machine at one address of a line. Its methods are safe for use from any goroutine; each waits for its
// turn on the wire and for the answer.
//
// A context is looked at only until the first byte of the command goes out. From then on the answer, or the end of the
// retries, is waited for: only the machine knows what became of the command.
type Peer struct {
	line *Line
	addr ssp.Address

	fixedKey atomic.Uint64
	version  atomic.Int32
	coins    atomic.Bool
	forget   atomic.Bool // drop the session before the next exchange

	wire wireState // the owner goroutine's alone
}

func newPeer(l *Line, addr ssp.Address) *Peer {
	p := &Peer{line: l, addr: addr}
	p.fixedKey.Store(l.cfg.FixedKey)
	p.wire = wireState{silent: true, unsynced: true}
	return p
}

// Address returns the peer's address on its line.
func (p *Peer) Address() ssp.Address { return p.addr }

// Line returns the line that the peer is on.
func (p *Peer) Line() *Line { return p.line }

// Tx does one exchange: data (command code and parameters, at most 233 bytes) goes out, encrypted once keys were
// negotiated, and is repeated byte for byte until its answer comes or the retries are used up. It returns the whole
// answer, decrypted; the first byte is the generic response code, of whatever value, and the slice is the caller's. A
// plain KEY NOT SET (FA) in answer to an encrypted command is returned like any other.
//
// Errors: cash.ErrNotConnected (no answer, or the port is lost), which also Is ErrMaybeSent if a byte had gone out, and
// also Is ErrNotSynced if Sync must come first; ssp.ErrTooLong; the context's error, and then nothing was sent.
// After an exchange that failed with ErrMaybeSent the session key is forgotten.
func (p *Peer) Tx(ctx context.Context, data []byte) ([]byte, error) {
	return p.do(ctx, &job{peer: p, data: data})
}

// Poll is Tx in the class that yields to commands: it goes out at due or later, and of the polls that wait the most
// overdue goes first.
func (p *Peer) Poll(ctx context.Context, data []byte, due time.Time) ([]byte, error) {
	return p.do(ctx, &job{peer: p, data: data, poll: true, due: due})
}

// Sync sends SYNC with flag 1, so that the next command carries flag 0, and makes the address usable. It leaves keys,
// counts and the machine's state alone. An address that did not answer last time gets one try, any other all of them.
func (p *Peer) Sync(ctx context.Context) error {
	data, err := p.do(ctx, &job{peer: p, data: []byte{byte(ssp.CmdSync)}})
	if err != nil {
		return err
	}
	return p.check("sync", data)
}

// Negotiate agrees on a new session key with SET GENERATOR, SET MODULUS and REQUEST KEY EXCHANGE, all plain. From then
// on everything but those three, SYNC and the firmware download goes out encrypted, until ForgetKey or a lost exchange.
// A machine that refuses answers with an error that is a *ssp.StatusError, and any key from before is gone.
func (p *Peer) Negotiate(ctx context.Context) error {
	random := p.line.cfg.Random
	if random == nil {
		random = rand.Reader
	}
	kx, err := ssp.NewKeyExchange(random)
	if err != nil {
		return fmt.Errorf("line %s address %d: choose keys: %w", p.line.cfg.Name, p.addr, err)
	}
	p.ForgetKey()
	for _, step := range [][]byte{ssp.SetGenerator(kx.Generator), ssp.SetModulus(kx.Modulus)} {
		data, err := p.Tx(ctx, step)
		if err == nil {
			err = p.check("negotiate keys", data)
		}
		if err != nil {
			return err
		}
	}
	j := &job{peer: p, data: ssp.RequestKeyExchange(kx.HostInter), then: p.adopt(kx)}
	data, err := p.do(ctx, j)
	if err != nil {
		return err
	}
	return p.check("negotiate keys", data)
}

// ForgetKey makes the following commands go out plain, until the next Negotiate.
func (p *Peer) ForgetKey() { p.forget.Store(true) }

// SetFixedKey sets the fixed half of the key; it counts from the next Negotiate on.
func (p *Peer) SetFixedKey(key uint64) { p.fixedKey.Store(key) }

// SetVersion tells the trace how to read this machine's answers: its protocol version and whether it handles coins.
func (p *Peer) SetVersion(version int, coins bool) {
	p.version.Store(int32(version))
	p.coins.Store(coins)
}

// check turns an answer other than OK into an error that names the step.
func (p *Peer) check(step string, data []byte) error {
	if _, err := ssp.CheckReply(data); err != nil {
		return fmt.Errorf("line %s address %d: %s: %w", p.line.cfg.Name, p.addr, step, err)
	}
	return nil
}

// do hands j to the owner and waits for its end.
func (p *Peer) do(ctx context.Context, j *job) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch n := len(j.data); {
	case n == 0:
		return nil, fmt.Errorf("line %s address %d: command: %w", p.line.cfg.Name, p.addr, ssp.ErrEmpty)
	case n > ssp.MaxEncrypted:
		return nil, fmt.Errorf("line %s address %d: command of %d bytes: %w", p.line.cfg.Name, p.addr, n, ssp.ErrTooLong)
	}
	j.answer = make(chan answer, 1)
	select {
	case p.line.jobs <- j:
	case <-p.line.done:
		return nil, p.line.fail(p.addr, errClosed, false)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-j.answer:
		return a.data, a.err
	case <-ctx.Done():
		if j.state.CompareAndSwap(jobWaiting, jobCancelled) {
			return nil, ctx.Err()
		}
		a := <-j.answer // always comes: an exchange has a deadline of its own
		return a.data, a.err
	}
}
