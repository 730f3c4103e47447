package nv9coin

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

// acceptorState, hopperState and status are the members of GET Status in the order of the paper's sample.
type acceptorState struct {
	IsConnected, IsEnabled, IsJammed, IsCashboxInPlace, IsStackerFull bool
}

type hopperState struct {
	IsConnected, IsEnabled, IsJammed bool
}

type status struct {
	CurrentNoteAcceptorState    acceptorState
	EscrowedBill                *item
	CashReceivedSinceLastCheck  []item
	CashDispensedSinceLastCheck []item
	CurrentHopperState          hopperState
}

// status answers GET Status. It is never busy and makes nobody busy. The lists are given away only once the answer has
// been written completely.
func (a *api) status(w http.ResponseWriter, r *http.Request) {
	d := a.lists.take(r.Context())
	delivered := false
	defer func() { d.done(delivered) }() // also after a panic
	if len(d.received)+len(d.paid) > 0 && hungUp(r.Context()) {
		panic(http.ErrAbortHandler)
	}
	body, err := json.Marshal(a.picture(d))
	if err != nil {
		errInternal.because(err).write(w)
		a.log.WithError(err).Error("status")
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	delivered = a.deliver(w, body)
}

// goneAfter is how long an answer that gives something away waits for the news that its client hung up behind the request.
// Later the news says nothing: a client may well close its connection because it has read the answer.
const goneAfter = 5 * time.Millisecond

// hungUp says whether a client has gone without waiting for its answer.
func hungUp(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(goneAfter):
		return ctx.Err() != nil
	}
}

// deliver writes a whole answer and says whether all of it has left this process.
func (a *api) deliver(w http.ResponseWriter, body []byte) bool {
	sent := &counter{ResponseWriter: w}
	write(sent, http.StatusOK, body)
	err := http.NewResponseController(w).Flush()
	return err == nil && sent.err == nil && sent.n == len(body)
}

// counter notes what became of an answer.
type counter struct {
	http.ResponseWriter
	n   int
	err error
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.n += n
	if err != nil {
		c.err = err
	}
	return n, err
}

// picture is the status as it is now. A machine that was never seen has the defaults of the paper.
func (a *api) picture(d delivery) status {
	s := status{
		CurrentNoteAcceptorState:   acceptorState{IsCashboxInPlace: true},
		EscrowedBill:               d.escrow,
		CashReceivedSinceLastCheck: d.received, CashDispensedSinceLastCheck: d.paid,
	}
	if _, n := a.machine(a.Notes); n != nil {
		s.CurrentNoteAcceptorState = acceptorState{
			IsConnected: n.Connected, IsEnabled: n.Connected && n.AcceptorEnabled, IsJammed: n.Jammed,
			IsCashboxInPlace: !n.CashboxRemoved, IsStackerFull: n.StackerFull,
		}
	}
	if _, c := a.machine(a.Coins); c != nil {
		s.CurrentHopperState = hopperState{IsConnected: c.Connected, IsEnabled: c.Connected && c.AcceptorEnabled, IsJammed: c.Jammed}
	}
	return s
}

// machine returns the machine with this id of the configuration, nil for none, and its picture.
func (a *api) machine(id string) (devices.Device, *devices.Snapshot) {
	for _, d := range a.Station.Devices() {
		if s := d.Snapshot(); s.ConfigID == id {
			return d, s
		}
	}
	return nil, nil
}

// names are the names of our machines in the ledger, as far as they are known.
func (a *api) names() []cash.DeviceID {
	var out []cash.DeviceID
	for _, id := range []string{a.Notes, a.Coins} {
		if _, s := a.machine(id); s != nil && s.ID != "" {
			out = append(out, s.ID)
		}
	}
	return out
}
