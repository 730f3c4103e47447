package e2e

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// bothConfig is a recycler under the Cash Device API and the pair under the NV9 and coin API.
const bothConfig = `version: 1
lines:
  - port: COM5
    devices:
      - {id: notes, address: 0, sim: spectral-payout, currency: EUR, dataset: [500, 1000, 2000, 5000], levels: {500: 20, 1000: 4, 2000: 4}, poll: 40ms}
  - port: COM7
    devices:
      - {id: gbp-notes, address: 0, sim: nv9, currency: GBP, dataset: [500, 1000, 2000, 5000], poll: 40ms, escrow: true}
      - {id: gbp-coins, address: 16, sim: scs, currency: GBP, dataset: [1, 2, 5, 10, 20, 50, 100, 200], levels: {10: 90, 20: 90, 50: 90}, poll: 40ms}
http:
  - {listen: 127.0.0.1:0, serve: [cashdevice]}
  - {listen: 127.0.0.1:0, serve: [nv9coin], devices: [gbp-notes, gbp-coins]}
  - {listen: 127.0.0.1:0, serve: [journalapi, simapi, ops]}
`

const (
	pairNotesID = "NOTE_VALIDATOR-COM7"
	pairCoinsID = "SMART_COIN_SYSTEM-COM7"
)

// pairClient speaks the NV9 and coin API.
type pairClient struct {
	base     string
	received map[string]json.Number // amounts by the time that names the item
	paid     map[string]json.Number
	pays     atomic.Int64 // answered with 200
}

// call does one request; the error is that of the transport, and of a body that broke off.
func (c *pairClient) call(method, verb, body string) (int, string, error) {
	req, err := http.NewRequest(method, c.base+"/DeviceService/ITL/NV9AndCoin/"+verb, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.SetBasicAuth("kittens", "aresolovely")
	resp, err := control.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// status reads Status, keeps the lists, and says whether a note is in escrow.
func (c *pairClient) status() (held bool, err error) {
	code, body, err := c.call("GET", "Status", "")
	if err != nil {
		return false, err
	}
	type item struct {
		WhenInserted string
		Value        json.Number
	}
	var got struct {
		EscrowedBill                                            *item
		CashReceivedSinceLastCheck, CashDispensedSinceLastCheck []item
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != 200 {
		return false, fmt.Errorf("Status: %d %s", code, body)
	}
	for _, i := range got.CashReceivedSinceLastCheck {
		c.received[i.WhenInserted] = i.Value
	}
	for _, i := range got.CashDispensedSinceLastCheck {
		c.paid[i.WhenInserted] = i.Value
	}
	return got.EscrowedBill != nil, nil
}

// sum adds amounts in major units up, in minor ones.
func sum(items map[string]json.Number) (total int64) {
	for _, v := range items {
		f, _ := v.Float64()
		total += int64(f*100 + 0.5)
	}
	return total
}

// order is a signed Dispense.
func order(amount string) string {
	at := time.Now().UTC()
	inner := md5.Sum([]byte("dispense-secret"))
	sig := sha256.Sum256([]byte(at.Format("20060102150405") + hex.EncodeToString(inner[:])))
	return fmt.Sprintf(`{"amount":%s,"currency":"GBP","timestamp":%q,"signature":"%x"}`, amount, at.Format(time.RFC3339), sig)
}

// TestKillBothDialects kills coffer again and again while a client of each device API takes and pays money, at moments
// that dice choose. In the end the books agree with all machines, nobody was paid twice, and each client was told of every
// piece: the lists of the pair give an item again at worst, under the same time.
func TestKillBothDialects(t *testing.T) {
	t.Parallel()
	bin := built(t, binary)
	s := serveSim(t, bin, bothConfig)
	recycler, notes, coins := s.machine("COM5", 0), s.machine("COM7", 0), s.machine("COM7", 16)
	recycler.speed(100)
	host := newCoffer(t, bin, s.configFor(t, nil))
	pair := &pairClient{received: map[string]json.Number{}, paid: map[string]json.Number{}}
	rnd := rand.New(rand.NewPCG(7, 7))
	var told []event
	for life := range 5 {
		host.start()
		host.ready()
		pair.base = host.ends.NV9Coin
		rest := &client{t: t, base: host.ends.CashDevice}
		if err := waitFor(patience, func() error {
			err := rest.tryLogin()
			if err == nil {
				_, err = rest.tryOpen("COM5", 0, true)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		var errs [2]error
		both.Go(func() { errs[0] = useRecycler(host, rest, recycler, &told) })
		both.Go(func() { errs[1] = usePair(host, pair, notes, coins, life) })
		if life == 0 { // at least once everything comes to its end
			_ = waitFor(patience, until(func() bool { return pair.pays.Load() > 0 }))
		}
		_ = waitFor(time.Duration(300+rnd.IntN(1500))*time.Millisecond, func() error { return errNotYet })
		host.proc.kill()
		both.Wait()
		for _, err := range errs {
			if !errors.Is(err, errGone) {
				t.Errorf("life %d: %v", life, err)
			}
		}
	}
	host.start()
	host.ready()
	truths := map[string]truth{}
	for id, m := range map[string]*machine{recyclerID: recycler, pairNotesID: notes, pairCoinsID: coins} {
		truths[id] = host.settled(id, m)
		for _, e := range host.entries(id) {
			if e.Kind == "discrepancy" {
				t.Errorf("discrepancy %+v", e)
			}
		}
	}
	pair.base = host.ends.NV9Coin
	eventually(t, "no operation is open, and the lists are empty", func() error {
		before := len(pair.received) + len(pair.paid)
		if _, err := pair.status(); err != nil {
			return err
		}
		if len(pair.received)+len(pair.paid) != before {
			return errNotYet
		}
		return nil
	})
	taken := worth(truths[pairNotesID].Inserted) - worth(truths[pairNotesID].Returned) + worth(truths[pairCoinsID].Inserted) - worth(truths[pairCoinsID].Returned)
	if got := sum(pair.received); got != taken {
		t.Errorf("the pair's client was told of %d, the machines took %d", got, taken)
	}
	if got, out := sum(pair.paid), worth(truths[pairCoinsID].Dispensed); got != out {
		t.Errorf("the pair's client was told of %d paid, %d came out", got, out)
	}
	if taken == 0 || len(pair.paid) == 0 {
		t.Errorf("nothing happened: taken %d, paid %v", taken, pair.paid)
	}
	stored := worth(truths[recyclerID].Inserted) - worth(truths[recyclerID].Returned)
	if n := int64(tally(told, "STORED 500")+tally(told, "STACKED 500")) * 500; n > stored {
		t.Errorf("the recycler's client was told of %d, it took %d", n, stored)
	}
}

// useRecycler takes and pays notes until coffer is gone.
func useRecycler(host *coffer, rest *client, m *machine, told *[]event) error {
	for i := 0; ; i++ {
		_, _ = m.tryInsert(500, "EUR", 1)
		list, err := rest.tryEvents(recyclerID)
		*told = append(*told, list...)
		if err == nil && i%7 == 3 {
			_, err = rest.json("POST", at("DispenseValue", recyclerID), map[string]any{"Value": 500, "CountryCode": "EUR"})
		}
		if err != nil {
			return gone(host, err)
		}
	}
}

// usePair takes coins, stacks and returns notes, and pays coins, until coffer is gone.
func usePair(host *coffer, c *pairClient, notes, coins *machine, life int) error {
	enabled := false
	for i := 0; ; i++ {
		if !enabled {
			code, _, err := c.call("POST", "Enable", "")
			if err != nil {
				return gone(host, err)
			}
			enabled = code == 200
		}
		_, _ = coins.tryInsert(20, "GBP", 1)
		_, _ = notes.tryInsert(500, "GBP", 1)
		held, err := c.status()
		if err == nil && held {
			_, _, err = c.call("POST", []string{"StackEscrow", "StackEscrow", "ReturnEscrow"}[i%3], "")
		}
		if err == nil && i%5 == 2 {
			err = c.pay(fmt.Sprintf("%d.%d", life+1, i%10))
		}
		if err != nil {
			return gone(host, err)
		}
	}
}

// pay dispenses, and tries again, signed anew, while a note moves or a coin comes in. An order that was refused is used
// up: the next is good in the next second.
func (c *pairClient) pay(amount string) (err error) {
	_ = waitFor(patience, func() error {
		var code int
		var body string
		code, body, err = c.call("POST", "Dispense", order(amount))
		if code == 200 {
			c.pays.Add(1)
		}
		if err != nil || code != 400 || !strings.Contains(body, "device_busy") && !strings.Contains(body, "Signature") {
			return nil
		}
		if _, err = c.status(); err != nil {
			return nil
		}
		return errNotYet
	})
	return err
}

// gone is errGone for an error that coffer's death explains.
func gone(host *coffer, err error) error {
	if waitFor(patience, until(host.proc.ended)) == nil {
		return errGone
	}
	return err
}
