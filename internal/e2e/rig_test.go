package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"coffer/internal/e2e/proxy"
)

// The recycler of most tests.
const (
	recyclerPort = "COM5"
	recyclerID   = "SPECTRAL_PAYOUT-COM5"
)

// recyclerConfig is one recycler and the two listeners.
const recyclerConfig = `version: 1
lines:
  - port: COM5
    devices:
      - {id: notes, address: 0, sim: spectral-payout, currency: EUR, dataset: [500, 1000, 2000, 5000], levels: {500: 4, 1000: 4, 2000: 4}, poll: 40ms}
http:
  - {listen: 127.0.0.1:0, serve: [cashdevice]}
  - {listen: 127.0.0.1:0, serve: [journalapi, simapi, ops]}
`

// rig is a recycler in a process of its own, a proxy on its line, and a coffer that drives it.
type rig struct {
	t     testing.TB
	sim   *simulator
	note  *machine
	proxy *proxy.Proxy
	host  *coffer
	rest  *client
	seen  []event       // all that the REST client was told, over restarts
	limit time.Duration // how long a step may take
}

// newRig starts everything but coffer.
func newRig(t testing.TB, bin string) *rig {
	t.Helper()
	r := &rig{t: t, sim: serveSim(t, bin, recyclerConfig), limit: patience}
	var err error
	if r.proxy, err = proxy.Listen(r.sim.target(recyclerPort)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.proxy.Close)
	r.note = r.sim.machine(recyclerPort, 0)
	r.note.speed(200)
	r.host = newCoffer(t, bin, r.sim.configFor(t, map[string]string{recyclerPort: r.proxy.Addr()}))
	return r
}

// start starts coffer and opens the recycler with its acceptor on. A coffer that was told to die may not get there: then
// it returns errGone.
func (r *rig) start(autoAccept bool, env ...string) error {
	r.t.Helper()
	if !r.host.start(env...) {
		return errGone
	}
	r.rest = &client{t: r.t, base: r.host.ends.CashDevice}
	return waitFor(patience, func() error {
		err := r.rest.tryLogin()
		if err == nil {
			_, err = r.rest.tryOpen(recyclerPort, 0, autoAccept)
		}
		if err != nil && r.host.proc.ended() {
			return nil // the next step finds out
		}
		return err
	})
}

// insert feeds one note in.
func (r *rig) insert(value int64) error {
	_, err := r.note.tryInsert(value, "EUR", 1)
	return err
}

// told waits until the REST client is told word, and keeps everything that came before. It returns errGone if coffer dies
// meanwhile.
func (r *rig) told(word string) error {
	var gone error
	err := waitFor(r.limit, func() error {
		list, err := r.rest.tryEvents(recyclerID)
		r.seen = append(r.seen, list...)
		switch {
		case err != nil && r.host.proc.ended():
			gone = errGone
			return nil
		case err != nil:
			return err
		case tally(list, word) > 0:
			return nil
		}
		return fmt.Errorf("waiting for %q after %v", word, r.seen)
	})
	return errors.Join(err, gone)
}

// post does one call. It returns errGone if coffer dies of it.
func (r *rig) post(endpoint string, body any) error {
	rep, err := r.rest.json("POST", at(endpoint, recyclerID), body)
	switch {
	case err != nil:
		if waitFor(patience, until(r.host.proc.ended)) == nil {
			return errGone
		}
		return err
	case rep.status != http.StatusOK:
		return fmt.Errorf("%s: %d %s", endpoint, rep.status, rep.body)
	}
	return nil
}

// do does steps until one fails.
func do(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
