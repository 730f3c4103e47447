package line

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"coffer/ssp"
)

// gap is the silence after which half a frame is given up (ssp.md section 2.2, rule 5).
const gap = 100 * time.Millisecond

// noisyTries is how often a command is sent to a machine whose answers arrive damaged. The manual allows 20.
const noisyTries = 8

// errNoAnswer is the cause given when all tries went by.
var errNoAnswer = errors.New("no answer")

// wireState is what the line keeps for an address. The owner goroutine alone touches it.
type wireState struct {
	opening  uint64       // the opening of the link that the rest belongs to
	flag     bool         // sequence flag of the next new command
	unsynced bool         // SYNC must come first
	silent   bool         // did not answer last time: one try until it does
	session  *ssp.Session // nil: plain
}

// attempt is one exchange under way.
type attempt struct {
	peer      *Peer
	wire      *wireState
	cmd       []byte
	flag      bool
	encrypted bool
	sent      bool // a byte may have gone out
}

// exchange sends j's command until it is answered or the tries are used up.
func (o *owner) exchange(j *job) ([]byte, error) {
	a := &attempt{peer: j.peer, wire: o.wire(j.peer), cmd: j.data}
	if a.wire.unsynced && !a.is(ssp.CmdSync) {
		return nil, o.line.fail(a.peer.addr, ErrNotSynced, false)
	}
	if err := o.encode(a); err != nil {
		return nil, fmt.Errorf("line %s address %d: %w", o.line.cfg.Name, a.peer.addr, err)
	}
	o.line.stats.exchanges.Add(1)
	for left := o.tries(a); ; o.line.stats.retries.Add(1) {
		reply, heard, err := o.try(a)
		if err != nil {
			a.lost()
			return nil, o.line.fail(a.peer.addr, err, a.sent)
		}
		if reply != nil {
			return reply, nil
		}
		if left.after(heard) {
			o.line.stats.timeouts.Add(1)
			a.lost()
			return nil, o.line.fail(a.peer.addr, errNoAnswer, a.sent)
		}
	}
}

// triesLeft is how often a command may still be sent: so often in a row without a sound, and so often in all.
type triesLeft struct{ silent, all, inRow int }

// tries returns what a command may use: Retries repeats while nobody speaks, more when damaged answers show that the
// machine is there, and one try for an address that was silent last time.
func (o *owner) tries(a *attempt) *triesLeft {
	n := 1 + o.line.cfg.Retries
	if a.wire.silent || n == 1 {
		return &triesLeft{1, 1, 1}
	}
	return &triesLeft{n, max(n, noisyTries), n}
}

// after counts a try that had no good answer, and says whether it was the last.
func (l *triesLeft) after(heard bool) (last bool) {
	l.all--
	l.silent--
	if heard {
		l.silent = l.inRow
	}
	return l.silent == 0 || l.all == 0
}

// wire returns the state of p's address, which starts anew when the link was opened again.
func (o *owner) wire(p *Peer) *wireState {
	if p.wire.opening != o.opens {
		p.wire = wireState{opening: o.opens, unsynced: true, silent: true}
	}
	if p.forget.Swap(false) {
		p.wire.session = nil
	}
	return &p.wire
}

// encode builds the frame that every try of a sends: same flag, same bytes, same filler and packet count.
func (o *owner) encode(a *attempt) (err error) {
	a.flag = a.wire.flag || a.is(ssp.CmdSync)
	a.encrypted = a.wire.session != nil && !ssp.Command(a.cmd[0]).PlainOnly()
	data := a.cmd
	if a.encrypted {
		if data, err = a.wire.session.Encrypt(o.cipher[:0], a.cmd, o.line.cfg.Random); err != nil {
			return err
		}
		o.cipher = data
	}
	o.frame, err = ssp.AppendFrame(o.frame[:0], ssp.Frame{Seq: a.flag, Addr: a.peer.addr, Data: data})
	return err
}

// try sends the frame once and waits for its answer; nil is no good answer, and heard says that there was a damaged one.
func (o *owner) try(a *attempt) (reply []byte, heard bool, err error) {
	if err := o.port.flush(); err != nil {
		return nil, false, err
	}
	o.dec.Reset()
	o.line.trace.command(a.peer, a.cmd, o.frame)
	a.sent = true
	if err := o.port.write(o.frame); err != nil {
		o.frame = nil // the writer may still hold it
		return nil, false, err
	}
	return o.listen(a)
}

// listen reads until the answer to a is there. It gives up after the reply time-out, or, since a slave speaks once,
// when a damaged frame was followed by a gap. An answer that has begun in time may take twice the time-out.
func (o *owner) listen(a *attempt) (reply []byte, heard bool, err error) {
	timeout := o.line.cfg.ReplyTimeout
	start, dropped := time.Now(), o.dec.Dropped()
	defer func() { o.line.stats.crc.Add(uint64(o.dec.Dropped() - dropped)) }()
	for begun := false; ; {
		wait := timeout - time.Since(start)
		if begun {
			wait = min(gap, wait+timeout)
		}
		if wait <= 0 {
			return nil, begun, nil
		}
		n, err := o.port.read(o.in[:], wait)
		if err != nil || (n == 0 && begun) {
			return nil, begun, err
		}
		for b := o.in[:n]; len(b) > 0; {
			used, f, ok := o.dec.Feed(b)
			b = b[used:]
			begun = !ok
			if !ok {
				continue
			}
			if reply := a.accept(o, f); reply != nil {
				return reply, true, nil
			}
		}
	}
}

// accept returns the answer that f carries, or nil if f is not the answer to a: another address or flag, a packet count
// or inner checksum that is wrong, or plain where encrypted was asked for (but for KEY NOT SET).
func (a *attempt) accept(o *owner, f ssp.Frame) []byte {
	if f.Seq != a.flag || f.Addr != a.peer.addr || len(f.Data) == 0 {
		return nil
	}
	var reply []byte
	switch {
	case a.encrypted && f.Encrypted():
		data, count, err := a.wire.session.Decrypt(f.Data)
		if err != nil || count != a.wire.session.Count()+1 {
			return nil
		}
		a.wire.session.SetCount(count)
		reply = data
	case f.Encrypted(), a.encrypted && ssp.Reply(f.Data[0]) != ssp.KeyNotSet:
		return nil
	default:
		reply = bytes.Clone(f.Data)
	}
	a.wire.silent, a.wire.unsynced = false, false
	a.wire.flag = !a.flag // SYNC went out with flag 1, so 0 follows
	o.line.trace.reply(a.peer, a.cmd, f, reply)
	return reply
}

// lost moves the address on when nobody knows whether the command was executed: flag and packet count of the machine are
// uncertain now, so SYNC and new keys come next. A command of which no byte went out changes nothing.
func (a *attempt) lost() {
	if !a.sent {
		return
	}
	a.wire.silent, a.wire.unsynced = true, true
	a.wire.session = nil
}

func (a *attempt) is(c ssp.Command) bool { return ssp.Command(a.cmd[0]) == c }

// adopt returns what the owner does with the answer to REQUEST KEY EXCHANGE: from the next command on the session's key
// is used, with packet count 0.
func (p *Peer) adopt(kx *ssp.KeyExchange) func(reply []byte) {
	return func(reply []byte) {
		rest, err := ssp.CheckReply(reply)
		if err != nil || len(rest) < 8 {
			return
		}
		p.wire.session = ssp.NewSession(p.fixedKey.Load(), kx.Shared(binary.LittleEndian.Uint64(rest)))
	}
}
