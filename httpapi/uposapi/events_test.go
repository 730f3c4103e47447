package uposapi

import (
	"context"
	"encoding/json"
	"errors"
	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coffer/upos"
	"coffer/upos/uposclient"
	"coffer/upos/upostest"
)

// deposit begins a deposit with real-time data.
func (v *served) deposit(h *uposclient.Handle) {
	v.t.Helper()
	ctx := v.t.Context()
	v.must(h.Set(ctx, "RealTimeDataEnabled", true))
	v.must(h.Set(ctx, "DataEventEnabled", true))
	_, err := h.Call(ctx, "BeginDeposit", nil)
	v.must(err)
}

// data is the DataEvent with a sum.
func data(seq uint64, amount int32, counts string) uposclient.Event {
	return uposclient.Event{Seq: seq, Kind: "DataEvent", Properties: uposclient.Args{"DepositAmount": amount, "DepositCounts": counts}}
}

const noCoins = "1:0,2:0,5:0,10:0,20:0,50:0,100:0,200:0;"

// same compares events without their time and with those properties that want has.
func same(t *testing.T, got, want uposclient.Event) {
	t.Helper()
	for name := range got.Properties {
		if _, asked := want.Properties[name]; !asked {
			delete(got.Properties, name)
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(uposclient.Event{}, "At")); diff != "" || got.At.IsZero() {
		t.Error(got.At, diff)
	}
}

// TestPoll: an event comes again until it is acknowledged, and then the next.
func TestPoll(t *testing.T) { synctest.Test(t, testPoll) }

func testPoll(t *testing.T) {
	v, m := till(t, 0)
	ctx := t.Context()
	h := v.enabled("anna")
	v.deposit(h)
	m.Insert(upostest.Bill(500), 1)
	m.Insert(upostest.Bill(1000), 1)
	want := data(1, 500, noCoins+"500:1,1000:0,2000:0,5000:0,10000:0,20000:0,50000:0")
	for range 2 {
		e, found, err := h.Poll(ctx, 0, 0)
		if !found || err != nil {
			t.Fatal(found, err)
		}
		same(t, e, want)
	}
	if on, err := h.Bool(ctx, "DataEventEnabled"); on || err != nil {
		t.Errorf("DataEventEnabled %v, %v", on, err)
	}
	for range 2 { // an acknowledgement that is repeated says nothing new
		if _, found, err := h.Poll(ctx, 1, 0); found || err != nil {
			t.Errorf("before DataEventEnabled: %v, %v", found, err)
		}
	}
	v.must(h.Set(ctx, "DataEventEnabled", true))
	e, found, err := h.Poll(ctx, 1, 0)
	if !found || err != nil {
		t.Fatal(found, err)
	}
	same(t, e, data(2, 1500, noCoins+"500:1,1000:1,2000:0,5000:0,10000:0,20000:0,50000:0"))
}

// TestPollWaits for an event that comes later.
func TestPollWaits(t *testing.T) { synctest.Test(t, testPollWaits) }

func testPollWaits(t *testing.T) {
	v, m := till(t, 0)
	h := v.enabled("anna")
	v.deposit(h)
	got := make(chan uposclient.Event, 1)
	go func() {
		e, _, err := h.Poll(t.Context(), 0, testPatience)
		if err != nil {
			t.Error(err)
		}
		got <- e
	}()
	m.Insert(upostest.Coin(50), 1)
	if e := <-got; e.Kind != "DataEvent" || e.Properties["DepositAmount"] != int32(50) {
		t.Errorf("%+v", e)
	}
}

// TestStreamResumes: over lost connections every event comes, once and in order.
func TestStreamResumes(t *testing.T) { synctest.Test(t, testStreamResumes) }

func testStreamResumes(t *testing.T) {
	v, m := till(t, 0)
	ctx := t.Context()
	h := v.enabled("anna")
	v.deposit(h)
	done := make(chan error, 1)
	var seen []int32
	stop := errors.New("enough")
	go func() {
		done <- h.Events(ctx, func(e uposclient.Event) error {
			if e.Kind != "DataEvent" {
				return nil
			}
			seen = append(seen, e.Properties["DepositAmount"].(int32))
			if len(seen) == 37 {
				return stop
			}
			if len(seen)%5 == 0 {
				v.server.CloseClientConnections() // and the acknowledgement is lost with it
			}
			for {
				if err := h.Set(ctx, "DataEventEnabled", true); err == nil || uposclient.CodeOf(err) > 0 {
					return err
				}
			}
		})
	}()
	for range 37 {
		m.Insert(upostest.Coin(100), 1)
	}
	if err := <-done; !errors.Is(err, stop) {
		t.Fatal(err)
	}
	for n, amount := range seen {
		if amount != int32(n+1)*100 {
			t.Fatalf("amounts %v", seen)
		}
	}
}

// TestStreamEnds: who takes its place, and a handle that is closed, are told by the close code.
func TestStreamEnds(t *testing.T) { synctest.Test(t, testStreamEnds) }

func testStreamEnds(t *testing.T) {
	v, _ := till(t, 0)
	ctx := t.Context()
	h := v.opened("anna")
	first, err := h.Stream(ctx)
	v.must(err)
	defer first.Close()
	second, err := h.Stream(ctx)
	v.must(err)
	defer second.Close()
	if _, err := first.Next(ctx); !errors.Is(err, uposclient.ErrTaken) {
		t.Errorf("the first: %v", err)
	}
	if _, err := h.Call(ctx, "Close", nil); err != nil {
		t.Error(err)
	}
	if _, err := second.Next(ctx); !errors.Is(err, uposclient.ErrClosed) {
		t.Errorf("the second: %v", err)
	}
	v.must(h.Close(ctx))
	if _, err := h.Stream(ctx); uposclient.CodeOf(err) != upos.E_CLOSED {
		t.Errorf("a third: %v", err)
	}
	if err := h.Events(ctx, nil); uposclient.CodeOf(err) != upos.E_CLOSED {
		t.Errorf("events: %v", err)
	}
}

// TestPollGivesWay: a new reader takes the place of one that waits.
func TestPollGivesWay(t *testing.T) { synctest.Test(t, testPollGivesWay) }

func testPollGivesWay(t *testing.T) {
	v, _ := till(t, 0)
	h := v.opened("anna")
	first := make(chan error, 1)
	go func() {
		_, _, err := h.Poll(t.Context(), 0, testPatience)
		first <- err
	}()
	i, _ := v.api.find(h.ID(), "anna")
	eventually(t, "it waits", func() bool {
		i.mu.Lock()
		defer i.mu.Unlock()
		return i.reader != nil
	})
	if _, found, err := h.Poll(t.Context(), 0, 0); found || err != nil {
		t.Error(found, err)
	}
	if err := <-first; uposclient.CodeOf(err) != upos.E_BUSY {
		t.Errorf("the first: %v", err)
	}
}

// dial opens the stream by hand.
func (v *served) dial(h *uposclient.Handle, header http.Header, protocols ...string) (*websocket.Conn, *http.Response, error) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), testPatience)
	v.t.Cleanup(cancel)
	url := "ws" + strings.TrimPrefix(v.server.URL, "http") + root + "/handles/" + h.ID() + "/events"
	c, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: v.plain, HTTPHeader: header, Subprotocols: protocols})
	if c != nil {
		v.t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, resp, err
}

// TestStreamFromABrowser: the token is a subprotocol, and pages of other origins are let in by the configuration alone.
func TestStreamFromABrowser(t *testing.T) { synctest.Test(t, testStreamFromABrowser) }

func testStreamFromABrowser(t *testing.T) {
	v, _ := till(t, 0)
	h := v.opened("anna")
	token := tokenPrefix + v.client("anna").Token
	for _, c := range []struct {
		origin    string
		protocols []string
		status    int
	}{
		{v.server.URL, []string{protocol, token}, 101},
		{"http://till.example", []string{protocol, token}, 101},
		{"http://evil.example", []string{protocol, token}, 403},
		{v.server.URL, []string{protocol, tokenPrefix + "nonsense"}, 401},
		{v.server.URL, []string{protocol}, 401},
	} {
		conn, resp, err := v.dial(h, http.Header{"Origin": {c.origin}}, c.protocols...)
		if resp == nil || resp.StatusCode != c.status {
			t.Errorf("%s %v: %v, %v", c.origin, c.protocols, resp, err)
		}
		if conn != nil && conn.Subprotocol() != protocol {
			t.Errorf("subprotocol %q", conn.Subprotocol())
		}
	}
}

// TestStreamRefusesNonsense with the close code for it.
func TestStreamRefusesNonsense(t *testing.T) { synctest.Test(t, testStreamRefusesNonsense) }

func testStreamRefusesNonsense(t *testing.T) {
	for _, text := range []string{"nonsense", "{}", `{"ack":"1"}`, `{"ack":7}`} {
		v, _ := till(t, 0)
		h := v.enabled("anna")
		v.must(h.Set(t.Context(), "DeviceEnabled", false))
		v.must(h.Set(t.Context(), "PowerNotify", upos.PN_ENABLED))
		v.must(h.Enable(t.Context())) // and the power state is an event
		c, _, err := v.dial(h, http.Header{"Authorization": {"Bearer " + v.client("anna").Token}})
		v.must(err)
		if _, _, err := c.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		v.must(c.Write(t.Context(), websocket.MessageText, []byte(text)))
		if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestAckSentAgain: an acknowledgement that comes while no event is out, as one sent again after a lost connection, costs
// the client nothing: its pings are still answered, and the next event comes.
func TestAckSentAgain(t *testing.T) { synctest.Test(t, testAckSentAgain) }

func testAckSentAgain(t *testing.T) {
	v, m := till(t, 0)
	ctx := t.Context()
	h := v.enabled("anna")
	m.Jam(1, true)
	e, found, err := h.Poll(ctx, 0, 0)
	if !found || err != nil || e.Seq != 1 {
		t.Fatal(e, found, err)
	}
	c, _, err := v.dial(h, http.Header{"Authorization": {"Bearer " + v.client("anna").Token}})
	v.must(err)
	got := make(chan string, 3)
	go func() {
		defer close(got)
		for {
			_, text, err := c.Read(ctx)
			if err != nil {
				return
			}
			got <- string(text)
		}
	}()
	<-got // event 1, once more
	for range 3 {
		v.must(c.Write(ctx, websocket.MessageText, []byte(`{"ack":1}`)))
	}
	time.Sleep(10 * time.Minute) // many pings
	m.Jam(1, false)
	if text := <-got; !strings.Contains(text, `"seq":2`) {
		t.Errorf("after the acknowledgements %q came", text)
	}
	v.must(c.Write(ctx, websocket.MessageText, []byte(`{"ack":2}`)))
	v.must(c.Write(ctx, websocket.MessageText, []byte(`{"ack":3}`))) // which is none
	if text, more := <-got; more {
		t.Errorf("%s came", text)
	}
}

// TestStreamMessages holds what is sent to asyncapi.yaml.
func TestStreamMessages(t *testing.T) { synctest.Test(t, testStreamMessages) }

func testStreamMessages(t *testing.T) {
	v, m := till(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), testPatience)
	defer cancel()
	h := v.enabled("anna")
	v.must(h.Set(ctx, "DeviceEnabled", false))
	v.must(h.Set(ctx, "PowerNotify", upos.PN_ENABLED))
	v.must(h.Enable(ctx))
	v.deposit(h)
	m.Fraud(0)
	m.Jam(1, true)
	m.Jam(1, false)
	m.Insert(upostest.Bill(500), 1)
	event, ack := asyncSchema(t, "Event"), asyncSchema(t, "Ack")
	c, _, err := v.dial(h, http.Header{"Authorization": {"Bearer " + v.client("anna").Token}})
	v.must(err)
	kinds := map[string]int{}
	for kinds["DataEvent"] == 0 || kinds["DirectIOEvent"] == 0 || kinds["StatusUpdateEvent"] < 3 {
		_, text, err := c.Read(ctx)
		v.must(err)
		var message map[string]any
		v.must(json.Unmarshal(text, &message))
		if err := event.VisitJSON(message); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		kinds[message["event"].(string)]++
		answer := map[string]any{"ack": message["seq"]}
		if err := ack.VisitJSON(answer); err != nil {
			t.Error(err)
		}
		text, err = json.Marshal(answer)
		v.must(err)
		v.must(c.Write(ctx, websocket.MessageText, text))
	}
}

// TestQuietClientIsGivenUp: one that does not answer pings loses its stream, and by and by its lease.
func TestQuietClientIsGivenUp(t *testing.T) { synctest.Test(t, testQuietClientIsGivenUp) }

func testQuietClientIsGivenUp(t *testing.T) {
	v, _ := till(t, short)
	v.api.patience = short
	h := v.opened("anna")
	if _, _, err := v.dial(h, http.Header{"Authorization": {"Bearer " + v.client("anna").Token}}); err != nil { // never read
		t.Fatal(err)
	}
	eventually(t, "the lease ends", func() bool {
		_, there := v.api.find(h.ID(), "anna")
		return !there
	})
}
