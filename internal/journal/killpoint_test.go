//go:build killpoints

package journal

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

func init() { children["serial"] = writeSerially }

// writeSerially is a child with one caller.
func writeSerially() error {
	j, err := Open(testContext(), os.Getenv("DIR"), nil)
	for n := 0; err == nil; n++ {
		if err = j.Check(testContext()); err == nil { // no ledger content, so not counted
			err = writeOne(j, strconv.Itoa(n))
		}
	}
	return err
}

// TestKillpoints: the process ends at exactly the killpoint that is asked for: before a commit nothing of it is there,
// after it all is, though the caller has not been told.
func TestKillpoints(t *testing.T) {
	for point, rows := range map[int]int64{1: 0, 2: 1, 3: 1, 4: 5, 5: 5, 6: 6} {
		dir := t.TempDir()
		cmd, out := startChild(t, "serial", "DIR="+dir, fmt.Sprintf("%s=%d", KillEnv, point))
		var said []string
		for lines := bufio.NewScanner(out); lines.Scan(); {
			said = append(said, lines.Text())
		}
		if err := cmd.Wait(); err == nil {
			t.Fatalf("point %d: the child ended by itself", point)
		}
		r, err := OpenReadOnly(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		verified(t, r, rows)
		_ = r.Close()
		if want := (point - 1) / 2; len(said) != want {
			t.Errorf("point %d: %s; want %d acknowledged", point, strings.Join(said, ","), want)
		}
	}
}
