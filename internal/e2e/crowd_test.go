package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// crowd is many clients that ask one machine's events at an interval, together told of each event once.
type crowd struct {
	http  *http.Client
	url   string
	token string

	mu    sync.Mutex
	seen  []event
	took  []time.Duration
	err   error
	stop  chan struct{}
	ended sync.WaitGroup
}

// gather starts n clients.
func gather(rest *client, device string, n int, interval time.Duration) *crowd {
	c := &crowd{
		http: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: n}},
		url:  rest.base + at("GetDeviceStatus", device), token: rest.token, stop: make(chan struct{}),
	}
	for i := range n {
		c.ended.Go(func() {
			first := time.NewTimer(interval * time.Duration(i) / time.Duration(n)) // not all at once
			defer first.Stop()
			select {
			case <-first.C:
			case <-c.stop:
				return
			}
			tick := time.NewTicker(interval)
			defer tick.Stop()
			for {
				c.ask()
				select {
				case <-tick.C:
				case <-c.stop:
					return
				}
			}
		})
	}
	return c
}

func (c *crowd) ask() {
	req, err := http.NewRequest(http.MethodGet, c.url, nil)
	if err != nil {
		c.note(nil, 0, err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	begin := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		c.note(nil, 0, err)
		return
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	took := time.Since(begin)
	var list []event
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d %s", resp.StatusCode, b)
	}
	c.note(list, took, err)
}

func (c *crowd) note(list []event, took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen, c.took = append(c.seen, list...), append(c.took, took)
	if c.err == nil {
		c.err = err
	}
}

// told counts the events with one of the words.
func (c *crowd) told(words ...string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range words {
		n += tally(c.seen, w)
	}
	return n
}

// leave ends the clients.
func (c *crowd) leave() {
	close(c.stop)
	c.ended.Wait()
	c.http.CloseIdleConnections()
}

// percentile returns the time that so many percent of the answers took at most.
func (c *crowd) percentile(percent int) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(c.took))
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

// payAndTake has one client pay 5.00 and a customer put 5.00 in, so often, while a crowd watches.
func payAndTake(rest *client, m *machine, c *crowd, rounds int) error {
	for i := 1; i <= rounds; i++ {
		err := waitFor(patience, func() error {
			_, err := m.tryInsert(500, "EUR", 1)
			return err
		})
		if err == nil {
			err = waitFor(patience, func() error {
				if n := c.told("STORED 500", "STACKED 500"); n < i {
					return fmt.Errorf("told of %d notes, %d went in", n, i)
				}
				return nil
			})
		}
		if err == nil {
			err = waitFor(patience, func() error {
				r, err := rest.json("POST", at("DispenseValue", recyclerID), map[string]any{"Value": 500, "CountryCode": "EUR"})
				if err == nil && r.status != http.StatusOK {
					err = fmt.Errorf("DispenseValue: %d %s", r.status, r.body)
				}
				return err
			})
		}
		if err == nil {
			err = waitFor(patience, func() error {
				if n := c.told("transaction COMPLETED"); n < i {
					return fmt.Errorf("told of %d payouts of %d", n, i)
				}
				return nil
			})
		}
		if err != nil {
			return fmt.Errorf("round %d: %w", i, err)
		}
	}
	return nil
}

// TestCrowd: 50 clients ask one machine at 10 Hz while another pays: together they are told of each note and each payout
// once.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const rounds = 15
	host := newCoffer(t, built(t, binary), loadConfig)
	host.start()
	m := controlled(t, host.ends.Main, recyclerPort, 0)
	m.speed(loadSpeed)
	rest := host.client()
	rest.open(recyclerPort, 0, true)
	c := gather(rest, recyclerID, 50, 100*time.Millisecond)
	err := payAndTake(rest, m, c, rounds)
	tr := host.settled(recyclerID, m)
	c.leave()
	if err != nil || c.err != nil {
		t.Fatal(err, c.err)
	}
	if n := c.told("STORED 500", "STACKED 500"); n != rounds {
		t.Errorf("told of %d notes, %d went in", n, rounds)
	}
	if n := c.told("transaction COMPLETED"); n != rounds || worth(tr.Dispensed) != rounds*500 {
		t.Errorf("told of %d payouts, %d came out", n, worth(tr.Dispensed))
	}
}
