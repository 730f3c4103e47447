package uposapi

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/sirupsen/logrus"

	"coffer/httpapi"
	"coffer/httpapi/apitest"
	"coffer/upos"
	"coffer/upos/uposclient"
)

// patience is how long a test waits for what should come at once.
const testPatience = 30 * time.Second

func init() {
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder)
}

var document = apitest.New(OpenAPI)

// holds is an HTTP transport that holds every request and answer to openapi.yaml: what the document does not allow must be
// refused.
type holds struct {
	t    testing.TB
	wire http.RoundTripper
}

func (h holds) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		sent, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := h.wire.RoundTrip(r)
	if err != nil || resp.StatusCode == http.StatusSwitchingProtocols || !strings.HasPrefix(r.URL.Path, root) {
		return resp, err
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	h.check(r, sent, resp, got)
	return resp, nil
}

func (h holds) check(r *http.Request, sent []byte, resp *http.Response, got []byte) {
	x := apitest.Exchange{Request: r, Sent: sent, Status: resp.StatusCode, Header: resp.Header, Got: got}
	if document.Holds(h.t, x) {
		return
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed:
	default:
		h.t.Errorf("%s %s is answered %d and not documented", r.Method, r.URL, resp.StatusCode)
	}
}

// served is a service behind a listener.
type served struct {
	t      testing.TB
	api    *API
	tokens *httpapi.Tokens
	server *httptest.Server
	http   *http.Client
	plain  *http.Client // http, without the documents
}

// serve puts the devices of s on a listener. lease is that of every device.
func serve(t testing.TB, s *upos.Service, lease time.Duration) *served {
	t.Helper()
	tokens, err := httpapi.NewTokens([]byte(strings.Repeat("k", 32)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	leases := map[string]time.Duration{}
	for _, d := range s.Devices() {
		leases[d.Name] = lease
	}
	api := New(Deps{Service: s, Lease: leases, Log: log})
	router := httpapi.NewRouter()
	api.Register(router, tokens, []string{"http://till.example"})
	server := httptest.NewUnstartedServer(httpapi.Wrap(httpapi.Listen{Name: "main"}, router, log))
	server.Config.ReadTimeout = testPatience
	server.Config.IdleTimeout = time.Hour
	server.Listener.Close()
	listener := apitest.NewPipes()
	server.Listener = listener
	server.Start()
	wire := listener.Transport(2)
	v := &served{t, api, tokens, server, &http.Client{Transport: holds{t, wire}}, &http.Client{Transport: wire}}
	t.Cleanup(func() {
		api.Close()
		wire.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	return v
}

// client returns a client of a user.
func (v *served) client(user string) *uposclient.Client {
	v.t.Helper()
	token, err := v.tokens.Issue(user)
	if err != nil {
		v.t.Fatal(err)
	}
	return &uposclient.Client{Base: v.server.URL, Token: token, HTTP: v.http}
}

// raw makes a request by hand and returns status and body.
func (v *served) raw(method, path, body string, header ...string) (int, string) {
	v.t.Helper()
	r, err := http.NewRequest(method, v.server.URL+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+v.client("anna").Token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

// eventually asks until cond is true.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.NewTimer(testPatience)
	defer deadline.Stop()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for !cond() {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("%s: not in %v", what, testPatience)
		}
	}
}
