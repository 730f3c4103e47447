//go:build unix

package e2e

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestUposGuide runs every command of docs/upos.md, in order, against the demo: a sale in cash, a refund, the end of the
// day. What the guide promises must come, in its turn.
func TestUposGuide(t *testing.T) {
	need(t, "curl", "sed", "sh")
	b, err := os.ReadFile("../../docs/upos.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range fenced.FindAllStringSubmatch(string(b), -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) < 6 {
		t.Fatalf("docs/upos.md has %d blocks of commands", len(blocks))
	}
	c, _ := runDemo(t)
	c.ready()
	note := controlled(t, c.ends.Main, recyclerPort, 0)
	note.speed(50)
	script := strings.ReplaceAll(strings.Join(blocks, "\n"), "http://127.0.0.1:8480", c.ends.Main)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-eu", "-c", script)
	sh.WaitDelay = patience
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	seen := string(out)
	for _, want := range []string{
		`{"value":2}`,         // DepositStatus END
		`"event":"DataEvent"`, // 20.00 are in
		`"DepositAmount":2000`, `{"value":2000}`,
		`{"value":2000}`, `2000:1`, // final
		`{"value":"1,2,5,10,20,50,100,200;500,1000,2000`, // ExitCashList
		`"resultCode":114,"resultCodeExtended":201`,      // 99 notes of 5.00
		`"cashCounts":"1:50,2:50,5:`, `"cashCounts":"1:50,2:50,5:`,
		"UPOSStat", `{"out":{}}`,
	} {
		at := strings.Index(seen, want)
		if at < 0 {
			t.Fatalf("%q is not seen, or not in its turn, in\n%s", want, out)
		}
		seen = seen[at+len(want):]
	}
	if n := strings.Count(string(out), `"resultCode"`); n != 1 {
		t.Errorf("%d refusals, want the one:\n%s", n, out)
	}
	// In: a note of 20. Out: the change of 7.50 once, though it was asked for twice, 5.25, 6.00 in given pieces.
	notes, coins := note.still(), controlled(t, c.ends.Main, "COM9", 16).still()
	if paid := worth(notes.Dispensed) + worth(coins.Dispensed); paid != 750+525+600 {
		t.Errorf("%d cents were handed out, want %d", paid, 750+525+600)
	}
	if n := count(notes.Cashbox, 500); n != 1 {
		t.Errorf("%d notes of 5.00 in the cashbox, want the one of the end of the day", n)
	}
	c.settled(recyclerID, note)
}
