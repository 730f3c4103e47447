package journal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"coffer/internal/cash"
)

func testContext() context.Context { return context.Background() }

// startChild starts this test binary anew to do what children[name] does, and returns it with its standard output. Its
// standard input stays open until the test ends.
func startChild(t *testing.T, name string, env ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), append(env, childEnv+"="+name)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

func init() { children["writes"] = writeForEver }

// writeForEver is a child in which four callers write as fast as they can. Each prints what was acknowledged: the
// operation, with "+" when it is begun and "." when three rows and its close are written.
func writeForEver() error {
	j, err := Open(testContext(), os.Getenv("DIR"), nil)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for c := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				if err := writeOne(j, fmt.Sprintf("%s-%d-%d", os.Getenv("ROUND"), c, n)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
			}
		})
	}
	wg.Wait()
	return nil
}

func writeOne(j *Journal, key string) error {
	op, err := j.Begin(testContext(), cash.Op{Key: key, Kind: cash.OpDispense, Device: dev, Asked: cash.Amount{Value: 1500, Currency: "EUR"}})
	if err != nil {
		return err
	}
	fmt.Println("+ " + key) // one write call: the pipe has it whole even if the process is killed
	l := credit(500, 1, cash.Payout)
	l.Op = op.ID
	_, err = j.Write(testContext(), cash.LedgerWrite{
		Lines: []cash.Line{l, l, l}, Close: []cash.OpClose{{ID: op.ID, Result: cash.OpDone, Paid: cash.Counts{five: 3}}},
	})
	fmt.Println(". " + key)
	return err
}

// TestKilledInTheMiddle kills a process that writes and finds everything that it had acknowledged, each transaction
// whole or not there, and the chain sound; first read beside the log that the killed process left, then opened again.
func TestKilledInTheMiddle(t *testing.T) {
	dir := t.TempDir()
	acked := map[string]string{}
	for round := range 7 {
		cmd, out := startChild(t, "writes", "DIR="+dir, fmt.Sprintf("ROUND=%d", round))
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == 1+round*round*8 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			mark, key, _ := strings.Cut(lines.Text(), " ")
			acked[key] = mark
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		r, err := OpenReadOnly(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		checkAcked(t, r, acked)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	j := openTest(t, dir)
	checkAcked(t, j.Reader, acked)
	write(t, j, credit(500, 1, cash.Payout))
	t.Logf("%d operations acknowledged", len(acked))
}

// checkAcked compares the ledger with what a killed process had said.
func checkAcked(t *testing.T, r *Reader, acked map[string]string) {
	t.Helper()
	if _, err := r.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	pieces := 0
	for key, mark := range acked {
		op, ok, err := r.OpByKey(t.Context(), key)
		if err != nil || !ok {
			t.Fatalf("operation %s was acknowledged and is lost: %v", key, err)
		}
		rows, err := r.OpLines(t.Context(), op.ID)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case op.Open() && mark == ".":
			t.Errorf("operation %s was acknowledged as closed and is open", key)
		case op.Open() && len(rows) != 1, !op.Open() && len(rows) != 5:
			t.Errorf("operation %s (%q) has %d rows: a transaction is torn", key, op.State, len(rows))
		}
		pieces += 3 * (len(rows) / 5)
	}
	balance, err := r.Balance(t.Context(), "")
	if err != nil || len(balance) > 1 || len(balance) == 1 && balance[0].Count < pieces {
		t.Errorf("balance %v, %v; at least %d pieces were acknowledged", balance, err, pieces)
	}
}
