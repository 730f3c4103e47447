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

// A wait that ends much later than it was to says nothing about a machine: this process, or the whole computer, stood
// still meanwhile (a paused virtual machine, a disk that blocks everything, a processor with too much to do), and an
// answer may lie unread.
const (
	// lateBy is how much later that is.
	lateBy = 200 * time.Millisecond
	// lateWaits is how many such waits in a row are not held against a machine.
	lateWaits = 3
)

// stoodStill says whether a wait of d that began at start has ended late. Time and again is not standing still.
func stoodStill(start time.Time, d time.Duration) bool { return time.Since(start) > d+lateBy }

// What an address on a noisy line is given: more and shorter tries, since every one is answered or lost by chance.
const (
	// noisyTries is how often a command is sent at most. The manual allows 20.
	noisyTries = 20
	// noisyFor is how long after the last sign of noise a line counts as noisy.
	noisyFor = 10 * time.Second
	// noisyShare is how many tries wait as long as one on a quiet line.
	noisyShare = 4
)

// errNoAnswer is the cause given when all tries went by.
var errNoAnswer = errors.New("no answer, see to its power, cable and SSP address")

// wireState is what the line keeps for an address. The owner goroutine alone touches it.
type wireState struct {
	opening  uint64       // the opening of the link that the rest belongs to
	flag     bool         // sequence flag of the next new command
	unsynced bool         // SYNC must come first
	silent   bool         // did not answer last time: one try until it does
	session  *ssp.Session // nil: plain

	noise   time.Time     // last damaged answer, or repeat that was answered
	slowest time.Duration // that an answer took lately
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
	left := o.patience(a)
	for try := 1; ; try++ {
		wait, begin := min(o.wait(a.wire), left.silence), time.Now()
		reply, heard, err := o.try(a, wait)
		if err != nil {
			a.lost()
			return nil, o.line.fail(a.peer.addr, err, a.sent)
		}
		if heard && (reply == nil || try > 1) {
			a.wire.noise = time.Now()
		}
		if reply != nil {
			return reply, nil
		}
		if left.after(wait, time.Since(begin), heard) {
			o.line.stats.timeouts.Add(1)
			a.lost()
			return nil, o.line.fail(a.peer.addr, errNoAnswer, a.sent)
		}
		o.line.stats.retries.Add(1)
	}
}

// patience is how long an exchange is still tried: so long in a row without a sound, so often in all, and beginning no
// try once those before have taken all of it.
type patience struct {
	silence, inRow time.Duration
	tries          int
	all            time.Duration
	longest        time.Duration // that a try can take beyond its wait, as long as this process runs
}

// patience returns what a command may use. Without a sound that is the time of 1 + Retries tries, and of one where the
// address was silent last time: so long a dead machine keeps the line from others. Where damaged answers show that the
// machine is there, it is twice as long.
func (o *owner) patience(a *attempt) *patience {
	n := time.Duration(1 + o.line.cfg.Retries)
	tries := noisyTries
	if a.wire.silent {
		n = 1
	}
	if n == 1 && !a.wire.noisy() {
		tries = 1
	}
	silence := n * o.line.cfg.ReplyTimeout
	return &patience{silence, silence, tries, 2 * silence, o.line.cfg.ReplyTimeout + gap}
}

// after counts a try that waited in vain and took so long, and says whether it was the last. What it took beyond what a
// try can take, this process stood still.
func (l *patience) after(wait, took time.Duration, heard bool) (last bool) {
	l.tries--
	l.silence -= wait
	l.all -= min(took, wait+l.longest)
	if heard {
		l.silence = l.inRow
	}
	return l.silence <= 0 || l.tries == 0 || l.all <= 0
}

// noisy says whether the line was noisy lately.
func (w *wireState) noisy() bool { return !w.noise.IsZero() && time.Since(w.noise) < noisyFor }

// wait returns how long an answer is waited for. On a noisy line that is less, but enough for what took longest lately;
// a machine whose answer comes later still repeats the same one.
func (o *owner) wait(w *wireState) time.Duration {
	full := o.line.cfg.ReplyTimeout
	if !w.noisy() {
		return full
	}
	return min(full, max(full/noisyShare, 2*w.slowest))
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
func (o *owner) try(a *attempt, wait time.Duration) (reply []byte, heard bool, err error) {
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
	return o.listen(a, wait)
}

// listen reads until the answer to a is there. It gives up after timeout, or, since a slave speaks once, when a damaged
// frame was followed by a gap. An answer that has begun in time may take the reply time-out longer. Where this process
// stood still the time begins anew.
func (o *owner) listen(a *attempt, timeout time.Duration) (reply []byte, heard bool, err error) {
	start, dropped := time.Now(), o.dec.Dropped()
	defer func() { o.line.stats.crc.Add(uint64(o.dec.Dropped() - dropped)) }()
	wait := timeout
	for begun, late := false, 0; ; {
		if wait <= 0 {
			return nil, begun, nil
		}
		asked := time.Now()
		n, err := o.port.read(o.in[:], wait)
		if err == nil && n == 0 && late < lateWaits && stoodStill(asked, wait) {
			late++
			start = time.Now()
			continue
		}
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
				took := time.Since(start)
				a.wire.slowest = max(took, a.wire.slowest-a.wire.slowest/8)
				return reply, true, nil
			}
		}
		wait = timeout - time.Since(start)
		if begun {
			wait = min(gap, wait+o.line.cfg.ReplyTimeout)
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
