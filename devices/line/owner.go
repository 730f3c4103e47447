package line

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/ssp"
)

// Pauses between attempts to open a link that broke.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
)

// States of a job; the caller and the owner race for the step away from waiting.
const (
	jobWaiting int32 = iota
	jobRunning
	jobCancelled
)

// job is one exchange that somebody waits for.
type job struct {
	peer   *Peer
	data   []byte
	poll   bool
	due    time.Time          // of a poll
	then   func(reply []byte) // run by the owner after a good answer, before anything else is sent
	loan   *loan              // not an exchange: the line is to be borrowed
	answer chan answer        // room for one
	state  atomic.Int32
}

type answer struct {
	data []byte
	err  error
}

func (j *job) end(data []byte, err error) { j.answer <- answer{data, err} }

// owner is the goroutine that alone touches the port and the wire state of the peers.
type owner struct {
	line *Line
	log  *logrus.Entry

	port  *port // nil while the link is closed
	opens uint64
	pause time.Duration // before the next attempt to open
	said  string        // last opening error that was logged

	commands []*job
	polls    []*job
	last     ssp.Address // that was served a command

	dec    ssp.Decoder
	in     [512]byte
	frame  []byte
	cipher []byte
}

// run serves until ctx ends.
func (o *owner) run(ctx context.Context) {
	for ctx.Err() == nil {
		if o.port == nil {
			o.reopen(ctx)
			continue
		}
		if j := o.next(ctx); j != nil {
			o.serve(j)
		}
	}
	if o.port != nil {
		o.port.close()
		o.port = nil
	}
	o.line.setOpen(false, errClosed)
	o.refuse(errClosed)
}

// serve does one job that was picked. A link that breaks is closed, and everybody who waits is told.
func (o *owner) serve(j *job) {
	if j.loan != nil {
		o.lend(j.loan)
		return
	}
	data, err := o.exchange(j)
	if err == nil {
		o.pause = 0
		if j.then != nil {
			j.then(data)
		}
	}
	var broken *brokenError
	if !errors.As(err, &broken) {
		j.end(data, err)
		return
	}
	o.log.WithError(broken).Warn("line lost, opening it again")
	o.line.setOpen(false, broken)
	j.end(nil, err)
	o.refuse(broken)
	o.port.close()
	o.port = nil
	o.lengthen()
}

// lengthen doubles the pause before the next attempt to open.
func (o *owner) lengthen() { o.pause = min(max(2*o.pause, firstPause), lastPause) }

// reopen tries once, after the pause. Calls that come in the pause are refused; those that come during the attempt wait
// for its end.
func (o *owner) reopen(ctx context.Context) {
	if !o.idle(ctx, o.pause) {
		return
	}
	type result struct {
		link Link
		err  error
	}
	opened := make(chan result, 1)
	go func() {
		link, err := o.line.open(ctx)
		opened <- result{link, err}
	}()
	for {
		select {
		case j := <-o.line.jobs:
			o.add(j)
		case r := <-opened:
			if r.err != nil {
				o.failed(ctx, r.err)
				return
			}
			o.opens++
			o.said = ""
			o.port = newPort(r.link)
			o.line.setOpen(true, nil)
			o.log.Info("line open")
			if o.pause == 0 {
				o.lengthen() // until an answer shows that the link is good
			}
			return
		}
	}
}

// failed notes that the link did not open.
func (o *owner) failed(ctx context.Context, err error) {
	o.line.setOpen(false, err)
	o.refuse(err)
	o.lengthen()
	if text := err.Error(); text != o.said && ctx.Err() == nil {
		o.said = text
		o.log.WithError(err).Warn("line does not open, trying again")
	}
}

// idle passes d, refusing calls. It returns false when ctx ended.
func (o *owner) idle(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
			return true
		case j := <-o.line.jobs:
			o.add(j)
			o.refuse(o.line.State().Err)
		}
	}
}

// refuse ends every waiting job with ErrNotConnected: nothing of it was sent.
func (o *owner) refuse(cause error) {
	for _, j := range slices.Concat(o.commands, o.polls) {
		if j.state.CompareAndSwap(jobWaiting, jobRunning) {
			j.end(nil, o.line.refusal(j, cause))
		}
	}
	o.commands, o.polls = nil, nil
}

func (o *owner) add(j *job) {
	if j.poll {
		o.polls = append(o.polls, j)
	} else {
		o.commands = append(o.commands, j)
	}
}

// next waits for the job that is to be done now: commands first, else the most overdue poll. It returns nil when ctx
// ended.
func (o *owner) next(ctx context.Context) *job {
	for {
		o.collect()
		if ctx.Err() != nil {
			return nil
		}
		if j := o.pickCommand(); j != nil {
			return j
		}
		j, wait := o.pickPoll(time.Now())
		if j != nil {
			return j
		}
		o.await(ctx, wait)
	}
}

// await waits for a job, for d (0: for ever), or for the end of ctx.
func (o *owner) await(ctx context.Context, d time.Duration) {
	var due <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		due = t.C
	}
	select {
	case j := <-o.line.jobs:
		o.add(j)
	case <-due:
	case <-ctx.Done():
	}
}

// collect takes in the jobs of all callers that wait to hand one over.
func (o *owner) collect() {
	for {
		select {
		case j := <-o.line.jobs:
			o.add(j)
		default:
			return
		}
	}
}

// pickCommand takes the oldest command of the next address in turn, or nil.
func (o *owner) pickCommand() *job {
	for len(o.commands) > 0 {
		best := 0
		for i, j := range o.commands {
			if o.turn(j) < o.turn(o.commands[best]) {
				best = i
			}
		}
		j := o.commands[best]
		o.commands = slices.Delete(o.commands, best, best+1)
		if j.state.CompareAndSwap(jobWaiting, jobRunning) {
			if j.peer != nil {
				o.last = j.peer.addr
			}
			return j
		}
	}
	return nil
}

// turn is how far an address is from its turn: 0 for the one after the last that was served.
func (o *owner) turn(j *job) byte {
	if j.loan != nil {
		return 0
	}
	return byte(j.peer.addr-o.last-1) & 0x7F
}

// pickPoll takes the most overdue poll, or nil and the time until the next is due (0: none waits).
func (o *owner) pickPoll(now time.Time) (*job, time.Duration) {
	for len(o.polls) > 0 {
		best := 0
		for i, j := range o.polls {
			if j.due.Before(o.polls[best].due) {
				best = i
			}
		}
		j := o.polls[best]
		if wait := j.due.Sub(now); wait > 0 && j.state.Load() == jobWaiting {
			return nil, wait
		}
		o.polls = slices.Delete(o.polls, best, best+1)
		if j.state.CompareAndSwap(jobWaiting, jobRunning) {
			return j, 0
		}
	}
	return nil, 0
}
