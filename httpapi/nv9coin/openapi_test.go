package nv9coin

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"coffer/httpapi/apitest"
)

var document = apitest.New(OpenAPI)

// conforms holds a request and its answer to openapi.yaml. A request that the document does not allow must be refused; a
// path that is not in it as it stands is not looked at.
func conforms(t *testing.T, r *http.Request, body string, a answer) {
	t.Helper()
	if in := members([]byte(body)); in != nil { // names are taken in any letter case
		b, _ := json.Marshal(in)
		body = string(b)
	}
	document.Holds(t, apitest.Exchange{Request: r, Sent: []byte(body), Status: a.status, Header: a.header, Got: []byte(a.body)})
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
