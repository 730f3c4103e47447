package cashdevice

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var update = flag.Bool("update", false, "write docs/api/cash-device-coverage.md anew")

// TestCoveragePage holds the page of what is done to the table of endpoints. testdata/documented.txt lists the manual's.
func TestCoveragePage(t *testing.T) {
	const page = "../../docs/api/cash-device-coverage.md"
	have := newTable(users, device)
	var rows strings.Builder
	done, all := 0, 0
	for _, line := range strings.Split(strings.TrimSpace(golden(t, "documented.txt")), "\n") {
		id, name, _ := strings.Cut(line, " ")
		state := "no"
		for _, prefix := range []string{"/api/users/", "/api/cashdevice/", "/api/download/"} {
			if have[prefix+strings.ToLower(name)] != nil {
				state = "yes"
			}
		}
		all++
		if state == "yes" {
			done++
		}
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", id, name, state)
	}
	want := fmt.Sprintf("# Cash Device REST API: what is done\n\nMade by `go test ./httpapi/cashdevice -run TestCoveragePage -update`. %d of the manual's %d endpoints; "+
		"what is not done answers 404.\nHow each is called: [cash-device.md](cash-device.md).\n\n| | Endpoint | done |\n|---|---|---|\n%s", done, all, rows.String())
	if all != 69 {
		t.Errorf("%d endpoints, the manual has 69", all)
	}
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("%s is old (%v); run the command that it names", page, err)
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
