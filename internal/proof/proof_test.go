package proof

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/coverage.md")

func TestParse(t *testing.T) {
	for name, want := range map[string][]claim{
		"TestX/ITL-34_DispenseValue/SPECTRAL_PAYOUT": {{"ITL-34", "SPECTRAL_PAYOUT", "TestX/ITL-34_DispenseValue"}},
		"TestX/ITL-07_StopDevice,_ITL-06_Start/NV11": {{"ITL-07", "NV11", "TestX/ITL-07_StopDevice,_ITL-06_Start"}, {"ITL-06", "NV11", "TestX/ITL-07_StopDevice,_ITL-06_Start"}},
		"TestX/GW-04_Dispense_coins/vectors":         {{"GW-04", "", "TestX/GW-04_Dispense_coins/vectors"}},
		"TestX/ITL-C2_401_rules":                     {{"ITL-C2", "", "TestX/ITL-C2_401_rules"}},
		"TestX/NV11/ITL-10":                          {{"ITL-10", "", "TestX/NV11/ITL-10"}},
		"TestX/other":                                nil,
	} {
		if got := parse(name); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestAFailedOrSkippedTestProvesNothing.
func TestAFailedOrSkippedTestProvesNothing(t *testing.T) {
	defer func(was []claim) { proved = was }(proved)
	proved = nil
	t.Run("GW-01", func(t *testing.T) {
		Of(t)
		t.Skip("on purpose")
	})
	t.Run("GW-02", func(t *testing.T) { Of(t) })
	if got := list(); got != "GW-02\t\tTestAFailedOrSkippedTestProvesNothing/GW-02\n" {
		t.Errorf("proved %q", got)
	}
}

// row is one line of the checklist.
type row struct{ id, name, call, check string }

func rows(t *testing.T) (list []row) {
	t.Helper()
	b, err := os.ReadFile("testdata/rows.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(f) != 4 {
			t.Fatalf("row %q", line)
		}
		list = append(list, row{strings.TrimSpace(f[0]), f[1], f[2], strings.TrimSpace(f[3])})
	}
	return list
}

// claims are those of all packages, by row.
func claims(t *testing.T) map[string][]claim {
	t.Helper()
	files, err := filepath.Glob("testdata/proved/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	out := map[string][]claim{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pkg := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".txt"), "_", "/")
		for line := range strings.Lines(string(b)) {
			f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if len(f) != 3 {
				t.Fatalf("%s: %q", file, line)
			}
			out[f[0]] = append(out[f[0]], claim{f[0], f[1], pkg + " " + f[2]})
		}
	}
	return out
}

// unproved are the rows that no test proves yet, as they are admitted.
func unproved(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/unproved.txt")
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

// TestCoveragePage: every row has a test, and docs/coverage.md says which.
func TestCoveragePage(t *testing.T) {
	const page = "../../docs/coverage.md"
	have, open := claims(t), unproved(t)
	var b strings.Builder
	all := rows(t)
	done := 0
	for _, r := range all {
		tests, families := summary(have[r.id])
		admitted := slices.Contains(open, r.id)
		switch {
		case tests == "" && !admitted:
			t.Errorf("no test proves %s %s", r.id, r.name)
		case tests != "" && admitted:
			t.Errorf("%s is proved; take it out of testdata/unproved.txt", r.id)
		}
		if tests != "" {
			done++
		} else {
			tests = "none yet"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.id, r.name, r.check, tests, families)
		delete(have, r.id)
	}
	for id, left := range have {
		t.Errorf("%s is proved by %s, and is no row of the checklist", id, left[0].Test)
	}
	if len(all) != 84 {
		t.Errorf("%d rows, the checklist has 84", len(all))
	}
	want := fmt.Sprintf(head, done, len(all)) + b.String()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("%s is old (%v); run: go test ./internal/proof -update", page, err)
	}
}

const head = `# What of the two device APIs is proved, and by which test

Made by ` + "`go test ./internal/proof -update`" + `. A row counts when a test that names it has passed, over HTTP against simulated
machines; the families are those it has passed on. %d of %d rows. A whole run of a package's tests fails if it does not prove
exactly what this page says of it.

| Row | Call | What must hold | Test | Families |
|---|---|---|---|---|
`

// summary prints the tests of a row, and the families.
func summary(list []claim) (tests, families string) {
	var t, f []string
	for _, c := range list {
		t = append(t, "`"+c.Test+"`")
		if c.Family != "" {
			f = append(f, c.Family)
		}
	}
	slices.Sort(t)
	slices.Sort(f)
	return strings.Join(slices.Compact(t), "<br>"), strings.Join(slices.Compact(f), ", ")
}
