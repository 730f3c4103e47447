package journalapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"coffer/httpapi/apitest"
)

var document = apitest.New(OpenAPI)

// call makes one request and holds both request and answer to openapi.yaml: what the document does not allow must be
// refused.
func call(t *testing.T, h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	request := func() *http.Request {
		r := httptest.NewRequest(method, "/journal/v1/"+target, strings.NewReader(body))
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		return r
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request())

	r := request()
	x := apitest.Exchange{Request: r, Sent: []byte(body), Status: w.Code, Header: w.Header(), Got: w.Body.Bytes()}
	if !document.Holds(t, x) {
		t.Fatalf("%s %s is not in the document", method, target)
	}
	return w
}
