package cashdevice

import (
	"flag"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var update = flag.Bool("update", false, "write docs/api/cash-device.md anew")

// TestNothingIsLeftOut: testdata/documented.txt lists the manual's endpoints, and each is in the table.
func TestNothingIsLeftOut(t *testing.T) {
	have := newTable(users, device)
	lines := strings.Split(strings.TrimSpace(golden(t, "documented.txt")), "\n")
	if len(lines) != 69 {
		t.Errorf("%d endpoints, the manual has 69", len(lines))
	}
	for _, line := range lines {
		id, name, _ := strings.Cut(line, " ")
		found := false
		for _, prefix := range []string{"/api/users/", "/api/cashdevice/", "/api/download/"} {
			found = found || have[prefix+strings.ToLower(name)] != nil
		}
		if !found {
			t.Errorf("%s %s is not served", id, name)
		}
	}
}

// TestDocumentAndTableAgree: every endpoint stands in openapi.yaml with its methods, and nothing else does.
func TestDocumentAndTableAgree(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	inTable := map[string]bool{}
	for _, list := range [][]endpoint{users, device} {
		for _, e := range list {
			for _, method := range strings.Fields(e.methods) {
				inTable[method+" "+e.path] = true
			}
		}
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if !inTable[method+" "+path] {
				t.Errorf("openapi.yaml has %s %s, which is not served", method, path)
			}
			delete(inTable, method+" "+path)
		}
	}
	for left := range inTable {
		t.Errorf("%s is not in openapi.yaml", left)
	}
}
