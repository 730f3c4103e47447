package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFiguresAreFound(t *testing.T) {
	const in = `goos: linux
BenchmarkPollExchange-2   	 7000000	       141.5 ns/op	       0 B/op	       0 allocs/op
    e2e_test.go:12: bench: cold_start 212 ms
BenchmarkBroken
PASS
ok  	coffer/ssp	2.1s
`
	const want = "PollExchange 141.5 ns/op\nPollExchange 0 B/op\nPollExchange 0 allocs/op\ncold_start 212 ms\n"
	file := filepath.Join(t.TempDir(), "bench.json")
	var out strings.Builder
	failed, err := run(strings.NewReader(in), &out, file)
	if err != nil || failed || out.String() != want {
		t.Errorf("%v, failed %v:\n%swant:\n%s", err, failed, out.String(), want)
	}
	if b, err := os.ReadFile(file); err != nil || !strings.Contains(string(b), `"name": "cold_start"`) {
		t.Errorf("%v: %s", err, b)
	}
	if failed, _ := run(strings.NewReader("--- FAIL: BenchmarkX\n"), &out, ""); !failed {
		t.Error("a failed benchmark passed")
	}
}
