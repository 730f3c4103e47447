package proof

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

var prove = flag.Bool("prove", false, "write what this run proves into internal/proof/testdata/proved")

var (
	rowName    = regexp.MustCompile(`\b(?:ITL|GW)-[A-Z]?[0-9]+`)
	familyName = regexp.MustCompile(`^[A-Z][A-Z0-9_+]*[A-Z0-9]$`)
)

// claim is one row that a test proves.
type claim struct{ Row, Family, Test string }

func (c claim) String() string { return c.Row + "\t" + c.Family + "\t" + c.Test }

var (
	mu     sync.Mutex
	proved []claim
)

// Of says that t proves the rows that it, or a test around it, is named for. They count when t has passed.
func Of(t testing.TB) {
	t.Helper()
	claims := parse(t.Name())
	if len(claims) == 0 {
		t.Fatalf("%s does not name a row of the checklist", t.Name())
	}
	t.Cleanup(func() {
		if t.Failed() || t.Skipped() {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		proved = append(proved, claims...)
	})
}

// parse reads the name of a test: "TestX/ITL-34_DispenseValue/SPECTRAL_PAYOUT", with several rows for
// "ITL-07_StopDevice,_ITL-06_StartDevice". The family is "" where none ends it; the test of the claims ends before it.
func parse(name string) []claim {
	parts := strings.Split(name, "/")
	i := slices.IndexFunc(parts, rowName.MatchString)
	if i < 0 {
		return nil
	}
	test, family := name, ""
	if last := len(parts) - 1; last > i && familyName.MatchString(parts[last]) {
		test, family = strings.Join(parts[:last], "/"), parts[last]
	}
	var out []claim
	for _, row := range rowName.FindAllString(strings.ReplaceAll(parts[i], "_", " "), -1) {
		out = append(out, claim{row, family, test})
	}
	return out
}

// Tests are the tests of the package pkg ("httpapi/nv9coin"): Run runs them, compares what they have proved with the list
// of the package, and returns the exit code. A run of some tests only is not compared. goleak.VerifyTestMain takes it.
func Tests(m *testing.M, pkg string) interface{ Run() int } { return tests{m, pkg} }

type tests struct {
	m   *testing.M
	pkg string
}

// Run implements what goleak.VerifyTestMain runs.
func (x tests) Run() int {
	code := x.m.Run()
	if code != 0 || !whole() {
		return code
	}
	file := filepath.Join(folder(), strings.ReplaceAll(x.pkg, "/", "_")+".txt")
	got := list()
	if *prove {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		fmt.Fprintf(os.Stderr, "FAIL: what the tests of %s prove is not what %s says (%v); run them with -prove\n%s", x.pkg, file, err, difference(string(want), got))
		return 1
	}
	return 0
}

// whole says whether all tests of a package ran, and ran once.
func whole() bool {
	for name, all := range map[string]string{"test.run": "", "test.skip": "", "test.short": "false", "test.list": "", "test.count": "1"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != all {
			return false
		}
	}
	return true
}

// list prints all claims, sorted, each once.
func list() string {
	mu.Lock()
	defer mu.Unlock()
	lines := make([]string, 0, len(proved))
	for _, c := range proved {
		lines = append(lines, c.String())
	}
	slices.Sort(lines)
	return strings.Join(append(slices.Compact(lines), ""), "\n")
}

// difference shows the lines that one of two lists has and the other has not.
func difference(was, is string) string {
	var b strings.Builder
	old, now := strings.Split(was, "\n"), strings.Split(is, "\n")
	for _, l := range old {
		if !slices.Contains(now, l) {
			b.WriteString("- " + l + "\n")
		}
	}
	for _, l := range now {
		if !slices.Contains(old, l) {
			b.WriteString("+ " + l + "\n")
		}
	}
	return b.String()
}

// folder is testdata/proved of this package.
func folder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "testdata", "proved")
}
