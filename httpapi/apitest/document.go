// Package apitest is for tests of REST dialects: it holds requests and answers to the OpenAPI document, and is the network
// within one process. Only tests import it.
package apitest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Document is an OpenAPI document. It is read when it is first needed.
type Document struct {
	router func() (routers.Router, error)
}

// New returns the document of text.
func New(text []byte) *Document {
	return &Document{sync.OnceValues(func() (routers.Router, error) {
		doc, err := openapi3.NewLoader().LoadFromData(text)
		if err != nil {
			return nil, err
		}
		if err := doc.Validate(context.Background()); err != nil {
			return nil, err
		}
		doc.Servers = nil
		return gorillamux.NewRouter(doc)
	})}
}

// Exchange is a request and its answer.
type Exchange struct {
	Request *http.Request // its body does not count
	Sent    []byte
	Status  int
	Header  http.Header
	Got     []byte
}

// Holds holds x to the document: a request that is not allowed must not be answered 2xx, and the answer must be one of
// those described. It returns false, and looks no further, where the document does not have the path or the method.
func (d *Document) Holds(t testing.TB, x Exchange) bool {
	t.Helper()
	router, err := d.router()
	if err != nil {
		t.Errorf("the document cannot be used: %v", err)
		return true
	}
	r := x.Request.Clone(context.Background())
	r.Body, r.GetBody = io.NopCloser(bytes.NewReader(x.Sent)), nil
	route, params, err := router.FindRoute(r)
	if err != nil {
		return false
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
	}}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil && x.Status < 300 {
		t.Errorf("%s %s %s is answered %d, and the document does not allow it: %v", r.Method, r.URL, x.Sent, x.Status, err)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: x.Status, Header: x.Header, Options: in.Options, Body: io.NopCloser(bytes.NewReader(x.Got)),
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		t.Errorf("%s %s: the answer %d is not as documented: %v", r.Method, r.URL, x.Status, err)
	}
	return true
}
