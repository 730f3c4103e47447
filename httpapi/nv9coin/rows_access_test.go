package nv9coin

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// verbs are all operations with their methods.
var verbs = map[string]string{
	"Status": "GET", "Enable": "POST", "CheckCanDispense": "POST", "Dispense": "POST", "Disable": "POST", "ReturnEscrow": "POST", "StackEscrow": "POST",
}

func credentials(r *rig) {
	r.post("Enable", "").is(r.t, 200, "")
	r.insert(r.coins, 100, 1)
	r.until("the coin is in", func() bool { return r.worth(r.coins.Truth().Inserted) == 100 && !r.coins.Truth().Moving })
	time.Sleep(time.Second)
	i := 0
	for verb, method := range verbs {
		for _, header := range []string{"", "Basic", "Basic ???", "Bearer abc", "Basic a2l0dGVuczp3cm9uZw==", "Basic YWRtaW46cGFzc3dvcmQ=", "Basic a2l0dGVucw=="} {
			req := r.request(context.Background(), method, verb, "")
			req.Header.Del("Authorization")
			if header != "" {
				req.Header.Set("Authorization", header)
			}
			a := r.send(req, "")
			a.is(r.t, 401, paper(r.t, "credentials"))
			if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic realm=") && a.header.Get("Retry-After") == "" {
				r.t.Errorf("challenge %q", got)
			}
			i++
		}
	}
	a := r.send(r.wrong(), "")
	if a.is(r.t, 401, paper(r.t, "credentials")); a.header.Get("Retry-After") == "" {
		r.t.Error("a source that has failed so often does not have to wait")
	}
	// Whoever logged in before is let in all the same, and nothing was given away to the others.
	if s := r.status(); values(s.CashReceivedSinceLastCheck) != "1" {
		r.t.Errorf("lists %+v", s)
	}
	r.agrees()
}

// wrong is a request with a password that nobody has.
func (r *rig) wrong() *http.Request {
	req := r.request(context.Background(), http.MethodGet, "Status", "")
	req.SetBasicAuth("kittens", "x")
	return req
}

// TestOneAfterTheOther: whoever has the answer to a command may give the next one; nobody is busy with the last.
func TestOneAfterTheOther(t *testing.T) {
	with(t, nil, func(r *rig) {
		for range 200 {
			r.post("Enable", "").is(t, 200, "")
			r.post("Disable", "").is(t, 200, "")
			if t.Failed() {
				return
			}
		}
	})
}

func paths(r *rig) {
	for _, path := range []string{
		"/DeviceService/ITL/NV9AndCoin/Status", "/DeviceService//ITL/NV9AndCoin/Status", "/DeviceService/ITL/NV9AndCoin/Status/",
		"/deviceservice/itl/nv9andcoin/status", "//DEVICESERVICE///ITL/NV9ANDCOIN//STATUS//", "/DeviceService/ITL/NV9AndCoin/Status?x=1",
	} {
		if a := r.get(path); a.status != 200 {
			r.t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"Enable/", "/DeviceService//ITL/NV9AndCoin/Enable", "Disable/", "disable"} {
		r.post(path, "").is(r.t, 200, "")
		r.post(path, "what is this?").is(r.t, 200, "") // a body that nobody needs
	}
	for _, path := range []string{"", "Nothing", "Status/x", "/DeviceService", "/DeviceService/ITL", "/DeviceService/ITL/NoteRecycler/Status"} {
		if a := r.get(path); a.status != 404 || !strings.Contains(a.body, `"ErrorCode":"NotFound"`) {
			r.t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for verb, method := range verbs {
		other, allow := "POST", "GET"
		if method == "POST" {
			other, allow = "GET", "POST"
		}
		a := r.send(r.request(context.Background(), other, verb, ""), "")
		if a.status != 405 || a.header.Get("Allow") != allow {
			r.t.Errorf("%s %s: %d, Allow %q", other, verb, a.status, a.header.Get("Allow"))
		}
	}
	long := strings.Repeat("x", 1<<20+1)
	for _, verb := range []string{"Enable", "CheckCanDispense", "Dispense"} {
		if a := r.post(verb, long); a.status != 413 || !strings.HasPrefix(a.body, `{"ResponseStatus":{"ErrorCode":"RequestTooLarge"`) {
			r.t.Errorf("%s: %d %s", verb, a.status, a.body)
		}
		req := r.request(context.Background(), http.MethodPost, verb, long)
		req.ContentLength = -1 // does not say beforehand how long it is
		if a := r.send(req, long); a.status != 413 || !strings.HasPrefix(a.body, `{"ResponseStatus":{"ErrorCode":"RequestTooLarge"`) {
			r.t.Errorf("%s, chunked: %d %s", verb, a.status, a.body)
		}
	}
	if r.notes.Truth().Enabled {
		r.t.Error("a request that is too long was carried out")
	}
}
