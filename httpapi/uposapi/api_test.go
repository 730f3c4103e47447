package uposapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/upos"
	"coffer/upos/uposclient"
	"coffer/upos/upostest"
)

// till is a CashChanger Till1 over a recycler and a coin system, on a listener.
func till(t testing.TB, lease time.Duration) (*served, *upostest.Mechanism) {
	t.Helper()
	m := upostest.Till()
	s, err := upos.New([]upos.Device{{
		Config: upos.Config{Name: "Till1", Class: upos.CashChanger, Devices: []string{"notes", "coins"}}, Mechanism: m,
	}}, upos.Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return serve(t, s, lease), m
}

// enabled opens, claims and enables Till1.
func (v *served) enabled(user string) *uposclient.Handle {
	v.t.Helper()
	h := v.opened(user)
	v.must(h.Claim(v.t.Context(), 5*time.Second))
	v.must(h.Enable(v.t.Context()))
	return h
}

func (v *served) opened(user string) *uposclient.Handle {
	v.t.Helper()
	h, err := v.client(user).Open(v.t.Context(), "CashChanger", "Till1")
	v.must(err)
	return h
}

func (v *served) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

// TestMembers reads, writes and calls.
func TestMembers(t *testing.T) { synctest.Test(t, testMembers) }

func testMembers(t *testing.T) {
	v, m := till(t, 0)
	ctx := t.Context()
	all, err := v.client("anna").Devices(ctx)
	if diff := cmp.Diff([]uposclient.Device{{Name: "Till1", Class: "CashChanger"}}, all); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
	h := v.enabled("anna")
	for name, want := range map[string]any{"State": upos.S_IDLE, "Claimed": true, "CurrencyCode": "EUR", "DepositAmount": int32(0)} {
		if got, err := h.Get(ctx, name); err != nil || got != want {
			t.Errorf("%s: %v (%T), %v", name, got, got, err)
		}
	}
	properties, err := h.Properties(ctx)
	if err != nil || properties["DeviceEnabled"] != true || properties["CurrencyCode"] != "EUR" || properties["State"] != upos.S_IDLE {
		t.Errorf("%v, %v", properties, err)
	}
	if err := h.Set(ctx, "AsyncMode", true); err != nil {
		t.Error(err)
	}
	v.must(h.Set(ctx, "AsyncMode", false))
	out, err := h.Call(ctx, "ReadCashCounts", nil)
	want := uposclient.Args{"cashCounts": "1:50,2:50,5:50,10:50,20:50,50:50,100:50,200:50;500:4,1000:4,2000:4,5000:0,10000:0,20000:0,50000:0", "discrepancy": false}
	if diff := cmp.Diff(want, out); err != nil || diff != "" {
		t.Error(err, diff)
	}
	out, err = h.Call(ctx, "DispenseChange", uposclient.Args{"amount": 700})
	if err != nil || len(out) != 0 || m.InStore(0, upostest.Bill(500)) != 3 {
		t.Errorf("%v, %v", out, err)
	}
	if err := h.Close(ctx); err != nil {
		t.Error(err)
	}
	if _, err := h.Get(ctx, "State"); uposclient.CodeOf(err) != upos.E_CLOSED {
		t.Errorf("after the handle was dropped: %v", err)
	}
}

// TestStatuses: what is answered with which status and result code.
func TestStatuses(t *testing.T) { synctest.Test(t, testStatuses) }

func testStatuses(t *testing.T) {
	v, _ := till(t, 0)
	h := v.opened("anna")
	at := "/handles/" + h.ID()
	other := "/handles/" + v.opened("bert").ID()
	for _, c := range []struct {
		method, path, body string
		status             int
		holds              string
	}{
		{"GET", "/devices", "", 200, `"name":"Till1"`},
		{"POST", "/handles", `{"class":"CashChanger","name":"Till9"}`, 404, `"resultCode":109,"resultCodeExtended":0`},
		{"POST", "/handles", `{"class":"BillAcceptor","name":"Till1"}`, 404, `"name":"E_NOEXIST"`},
		{"POST", "/handles", `{"class":"Toaster","name":"Till1"}`, 404, `109`},
		{"POST", "/handles", `{"class":"CashChanger"}`, 201, `"name":""`},
		{"POST", "/handles", `{"name":"Till1"}`, 400, `106`},
		{"POST", "/handles", `{"class":"CashChanger","name":"Till1","x":1}`, 400, `106`},
		{"POST", "/handles", `[1]`, 400, `"message":"the body is not as documented: an array in place of an object"`},
		{"POST", "/handles", `{"class":5}`, 400, `"message":"the body is not as documented: class: a number in place of a string"`},
		{"POST", "/handles", `nonsense`, 400, `"name":"E_ILLEGAL"`},
		{"POST", "/handles", `{"class":"CashChanger","name":"Till1"} {}`, 400, `106`},
		{"POST", "/handles", `{"class":"` + strings.Repeat("x", 1<<20) + `"}`, 413, `1 MB`},
		{"GET", "/handles", "", 200, h.ID()},
		{"GET", at, "", 200, `"leaseSeconds":60`},
		{"GET", "/handles/none", "", 404, `"name":"E_CLOSED"`},
		{"GET", other, "", 404, `101`},
		{"DELETE", other, "", 404, `101`},
		{"GET", other + "/properties/State", "", 404, `101`},
		{"GET", other + "/events?wait=0", "", 404, `101`},
		{"POST", other + "/methods/Claim", `{"args":{"timeout":0}}`, 404, `101`},
		{"GET", at + "/properties/State", "", 200, `{"value":2}`},
		{"GET", at + "/properties/state", "", 404, `106`},
		{"GET", at + "/properties/Toast", "", 404, `"message":"CashChanger has no member Toast"`},
		{"GET", at + "/properties/DepositStatus", "", 409, `"resultCode":103`},
		{"PUT", at + "/properties/FreezeEvents", `{"value":true}`, 204, ""},
		{"PUT", at + "/properties/FreezeEvents", `{"value":"yes"}`, 409, `106`},
		{"PUT", at + "/properties/FreezeEvents", `{"value":null}`, 400, `106`},
		{"PUT", at + "/properties/FreezeEvents", `{"value":[true]}`, 400, `106`},
		{"PUT", at + "/properties/FreezeEvents", `{}`, 400, `106`},
		{"PUT", at + "/properties/PowerNotify", `{"value":1.5}`, 400, `32 bits`},
		{"PUT", at + "/properties/PowerNotify", `{"value":4294967296}`, 400, `32 bits`},
		{"PUT", at + "/properties/PowerNotify", `{"value":1.0}`, 204, ""},
		{"PUT", at + "/properties/State", `{"value":1}`, 409, `106`},
		{"PUT", at + "/properties/Toast", `{"value":1}`, 404, `106`},
		{"POST", at + "/methods/Toast", "", 404, `106`},
		{"POST", at + "/methods/BeginDeposit", "", 409, `"name":"E_NOTCLAIMED"`},
		{"POST", at + "/methods/Claim", `{"args":{}}`, 409, `timeout`},
		{"POST", at + "/methods/Claim", `{"args":{"timeout":{}}}`, 400, `args.timeout`},
		{"POST", at + "/methods/Claim", `{"args":{"timeout":-5}}`, 409, `106`},
		{"POST", at + "/methods/Claim", `{"arguments":{}}`, 400, `106`},
		{"POST", at + "/methods/Claim", `{"args":[0]}`, 400, `"message":"the body is not as documented: args: an array in place of an object"`},
		{"POST", at + "/methods/Claim", `{"args":{"timeout":"0"}}`, 409, `timeout: the text \"0\" is not an int32`},
		{"POST", at + "/methods/Close", `{"args":{"timeout":0}}`, 409, `Close takes no argument`},
		{"POST", at + "/methods/Claim", `{"args":{"timeout":0},"requestId":"` + strings.Repeat("x", 129) + `"}`, 400, `128`},
		{"POST", at + "/methods/Claim", `{"args":{"timeout":0.5}}`, 400, `0.5 is not a whole number of 32 bits`},
		{"POST", at + "/methods/Claim", `{"args":{"timeout":0.0}}`, 200, `{"out":{}}`},
		{"POST", at + "/methods/BeginDeposit", "", 409, `"resultCode":105`},
		{"POST", at + "/methods/Release", `{}`, 200, `{"out":{}}`},
		{"POST", at + "/methods/Open", `{"args":{"deviceName":"Till1"}}`, 409, `106`},
		{"GET", at + "/events?ack=x", "", 400, `106`},
		{"GET", at + "/events?wait=-1", "", 400, `106`},
		{"GET", at + "/events?wait=NaN", "", 400, `106`},
		{"GET", at + "/events?ack=99&wait=0", "", 409, `106`},
		{"GET", at + "/events?wait=0", "", 204, ""},
		{"GET", at + "/events?wait=0.01", "", 204, ""},
		{"POST", at + "/methods/Close", "", 200, `{"out":{}}`},
		{"GET", at + "/properties/State", "", 200, `{"value":1}`},
		{"GET", at + "/properties/CurrencyCode", "", 409, `"name":"E_CLOSED"`},
		{"GET", at + "/events?wait=0", "", 409, `101`},
		{"POST", at + "/methods/Open", `{"args":{"deviceName":"Till1"}}`, 200, `{"out":{}}`},
		{"GET", at + "/properties/State", "", 200, `{"value":2}`},
		{"DELETE", at, "", 204, ""},
		{"DELETE", at, "", 404, `101`},
		{"GET", "/nothing", "", 404, `106`},
		{"POST", "/devices", "", 405, `106`},
	} {
		status, body := v.raw(c.method, root+c.path, c.body)
		if status != c.status || !strings.Contains(body, c.holds) {
			t.Errorf("%s %s %.60s: %d %s, want %d with %s", c.method, c.path, c.body, status, body, c.status, c.holds)
		}
	}
}

// TestTokens: nothing but the example page is served without a good one.
func TestTokens(t *testing.T) { synctest.Test(t, testTokens) }

func testTokens(t *testing.T) {
	v, _ := till(t, 0)
	for path, want := range map[string]int{
		"/devices": 401, "/handles": 401, "/handles/x/properties": 401, "/handles/x/events": 401, "/nothing": 401, "/example": 200,
	} {
		for _, token := range []string{"", "Bearer nonsense"} {
			r, _ := http.NewRequest(http.MethodGet, v.server.URL+root+path, nil)
			if token != "" {
				r.Header.Set("Authorization", token)
			}
			resp, err := v.http.Do(r)
			v.must(err)
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s with %q: %d, want %d", path, token, resp.StatusCode, want)
			}
		}
	}
}

// TestListsOnlyOnesOwn: the handles of others are not shown.
func TestListsOnlyOnesOwn(t *testing.T) { synctest.Test(t, testListsOnlyOnesOwn) }

func testListsOnlyOnesOwn(t *testing.T) {
	v, _ := till(t, 0)
	mine, theirs := v.opened("anna"), v.opened("bert")
	status, body := v.raw(http.MethodGet, root+"/handles", "")
	if status != 200 || !strings.Contains(body, mine.ID()) || strings.Contains(body, theirs.ID()) {
		t.Errorf("%d %s", status, body)
	}
	again, err := v.client("anna").Resume(t.Context(), mine.ID())
	if err != nil || again.Name() != "Till1" || again.Class() != "CashChanger" {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := v.client("bert").Resume(t.Context(), mine.ID()); uposclient.CodeOf(err) != upos.E_CLOSED {
		t.Errorf("somebody else's: %v", err)
	}
}

// TestOpenedLater: an instance that its method Open opens has the name and the lease of that device.
func TestOpenedLater(t *testing.T) { synctest.Test(t, testOpenedLater) }

func testOpenedLater(t *testing.T) {
	v, _ := till(t, 7*time.Second)
	h, err := v.client("anna").Open(t.Context(), "CashChanger", "")
	v.must(err)
	path := root + "/handles/" + h.ID()
	if _, got := v.raw(http.MethodGet, path, ""); !strings.Contains(got, `"leaseSeconds":60,"name":""`) {
		t.Errorf("before: %s", got)
	}
	_, err = h.Call(t.Context(), "Open", uposclient.Args{"deviceName": "Till1"})
	v.must(err)
	if _, got := v.raw(http.MethodGet, path, ""); !strings.Contains(got, `"leaseSeconds":7,"name":"Till1"`) {
		t.Errorf("after: %s", got)
	}
}

// TestTooMany: callers cannot fill the memory with instances.
func TestTooMany(t *testing.T) { synctest.Test(t, testTooMany) }

func testTooMany(t *testing.T) {
	v, _ := till(t, 0)
	v.api.mu.Lock()
	for n := range maxInstances {
		v.api.open[fmt.Sprint(n)] = &instance{}
	}
	v.api.mu.Unlock()
	_, err := v.client("anna").Open(t.Context(), "CashChanger", "Till1")
	if uposclient.CodeOf(err) != upos.E_FAILURE {
		t.Errorf("%v", err)
	}
	for _, d := range v.api.Service.Devices() {
		if d.Handles != 0 {
			t.Errorf("%s was left open %d times", d.Name, d.Handles)
		}
	}
	v.api.mu.Lock()
	clear(v.api.open)
	v.api.mu.Unlock()
}

// TestLongWaits: the limit for reading a request does not end a claim that waits longer, nor a long poll.
func TestLongWaits(t *testing.T) { synctest.Test(t, testLongWaits) }

func testLongWaits(t *testing.T) {
	v, _ := till(t, 0)
	v.server.Config.ReadTimeout = 250 * time.Millisecond
	v.enabled("anna")
	h := v.opened("bert")
	wait := 3 * v.server.Config.ReadTimeout
	begin := time.Now()
	err := h.Claim(t.Context(), wait)
	if took := time.Since(begin); uposclient.CodeOf(err) != upos.E_TIMEOUT || took < wait {
		t.Errorf("after %v: %v", took, err)
	}
	begin = time.Now()
	_, found, err := h.Poll(t.Context(), 0, wait)
	if took := time.Since(begin); found || err != nil || took < wait {
		t.Errorf("after %v: %v %v", took, found, err)
	}
}
