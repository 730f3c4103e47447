package nv9coin

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

var writePage = flag.Bool("page", false, "write docs/api/nv9-and-coin.md")

// transcript plays one call and prints what was said.
func (r *rig) transcript(method, verb, body string) string {
	r.t.Helper()
	req := r.request(r.t.Context(), method, verb, body)
	a := r.send(req, body)
	return printCall(req, body, a)
}

func printCall(req *http.Request, body string, a answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "```\n%s %s HTTP/1.1\n", req.Method, req.URL.Path)
	if h := req.Header.Get("Authorization"); h != "" {
		fmt.Fprintf(&b, "Authorization: %s\n", h)
	}
	if body != "" {
		fmt.Fprintf(&b, "\n%s\n", body)
	}
	fmt.Fprintf(&b, "```\n```\nHTTP/1.1 %d %s\nContent-Type: %s\nContent-Length: %s\n", a.status, http.StatusText(a.status), a.header.Get("Content-Type"), a.header.Get("Content-Length"))
	if a.body != "" {
		fmt.Fprintf(&b, "\n%s\n", a.body)
	}
	b.WriteString("```\n")
	return b.String()
}

// examples plays all operations, and the errors that their page shows.
func examples(r *rig) map[string]string {
	out := map[string]string{}
	anonymous := r.request(r.t.Context(), http.MethodGet, "Status", "")
	anonymous.Header.Del("Authorization")
	out["credentials"] = printCall(anonymous, "", r.send(anonymous, ""))
	out["enable"] = r.transcript("POST", "Enable", "")
	r.hold(1000)
	out["stack"] = r.transcript("POST", "StackEscrow", "") + "\nWithout a note in escrow:\n\n" + r.transcript("POST", "StackEscrow", "")
	r.insert(r.coins, 20, 1)
	r.until("the coin is in the ledger", func() bool { return r.credited() == 2 })
	out["check"] = r.transcript("POST", "CheckCanDispense", `{"amount":5.81,"currency":"GBP"}`) +
		"\nWhat is wrong with an argument:\n\n" + r.transcript("POST", "CheckCanDispense", `{"amount":0,"currency":"GBP"}`)
	out["dispense"] = r.transcript("POST", "Dispense", r.order("5.8")) +
		"\nMore than there is:\n\n" + r.transcript("POST", "Dispense", r.order("500"))
	r.insert(r.notes, 500, 1)
	r.until("the note is in escrow", func() bool { return r.snapshot(notesID).Escrow != nil })
	out["status"] = r.transcript("GET", "Status", "")
	out["disable"] = r.transcript("POST", "Disable/", "")
	out["return"] = r.transcript("POST", "ReturnEscrow", "")
	r.fault(r.coins, "power_off")
	r.until("the coin machine is away", func() bool { return !r.status().CurrentHopperState.IsConnected })
	out["enable"] += "\nWith one of the machines away:\n\n" + r.transcript("POST", "Enable", "")
	return out
}

// TestPage holds the page of this API to what is answered. The clock of the examples is put right: it begins in 2000.
func TestPage(t *testing.T) {
	const page = "../../docs/api/nv9-and-coin.md"
	text, err := os.ReadFile("testdata/page.md")
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	with(t, nil, func(r *rig) {
		for name, example := range examples(r) {
			if !strings.Contains(want, "{{"+name+"}}\n") {
				t.Errorf("the page has no place for %s", name)
			}
			want = strings.Replace(want, "{{"+name+"}}\n", example, 1)
		}
	})
	n := 0
	want = regexp.MustCompile(`"WhenInserted":"[^"]*"`).ReplaceAllStringFunc(want, func(string) string {
		n++
		return fmt.Sprintf(`"WhenInserted":"2018-03-07T10:15:%02d.6316841Z"`, 30+n)
	})
	if strings.Contains(want, "{{") {
		t.Error("a place of the page is left empty")
	}
	if *writePage {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("%s is old (%v); run: go test ./httpapi/nv9coin -run TestPage -page", page, err)
	}
}
