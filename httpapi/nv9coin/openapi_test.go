package nv9coin

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

var document = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	doc.Servers = nil
	return gorillamux.NewRouter(doc)
})

// conforms holds a request and its answer to openapi.yaml. A request that the document does not allow must be refused; a
// path that is not in it as it stands is not looked at.
func conforms(t *testing.T, r *http.Request, body string, a answer) {
	t.Helper()
	router, err := document()
	if err != nil {
		t.Fatal(err)
	}
	route, params, err := router.FindRoute(r)
	if err != nil {
		return
	}
	if in := members([]byte(body)); in != nil { // names are taken in any letter case
		b, _ := json.Marshal(in)
		body = string(b)
	}
	if body != "" {
		r.Body, r.GetBody = io.NopCloser(strings.NewReader(body)), nil
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
	}}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil && a.status == 200 {
		t.Errorf("%s %s %s is accepted, and the document does not allow it: %v", r.Method, r.URL.Path, body, err)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.status, Header: a.header, Options: in.Options, Body: io.NopCloser(strings.NewReader(a.body)),
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		t.Errorf("%s %s: the answer is not as documented: %v", r.Method, r.URL.Path, err)
	}
}

// TestDocumentAndTableAgree: every operation stands in openapi.yaml, and nothing else does.
func TestDocumentAndTableAgree(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"GET /deviceservice/itl/nv9andcoin/status": true}
	for verb := range table {
		want["POST "+base+verb] = true
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			key := method + " " + normal(path)
			if !want[key] {
				t.Errorf("openapi.yaml has %s, which is not served", key)
			}
			delete(want, key)
		}
	}
	for left := range want {
		t.Errorf("%s is not in openapi.yaml", left)
	}
}
