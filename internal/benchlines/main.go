// Command benchlines turns what `go test -bench` prints into one line a figure, "name value unit", and writes the same
// as JSON to the file named by BENCH_JSON. Lines that already are "name value unit" behind the word "bench:" pass
// through. `make bench` uses it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Figure is one measured number.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

func main() {
	failed, err := run(os.Stdin, os.Stdout, os.Getenv("BENCH_JSON"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchlines:", err)
		os.Exit(1)
	}
	if failed {
		os.Exit(1)
	}
}

// run copies the figures found in r to w, and to the file named jsonFile where that is not empty. failed says whether a
// package's benchmarks failed.
func run(r io.Reader, w io.Writer, jsonFile string) (failed bool, err error) {
	var all []Figure
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		found := parse(line)
		for _, f := range found {
			fmt.Fprintf(w, "%s %s %s\n", f.Name, strconv.FormatFloat(f.Value, 'f', -1, 64), f.Unit)
		}
		all = append(all, found...)
		if strings.HasPrefix(line, "FAIL") || strings.HasPrefix(line, "--- FAIL") || strings.HasPrefix(line, "panic:") {
			failed = true
			fmt.Fprintln(os.Stderr, line)
		}
	}
	if err := lines.Err(); err != nil || jsonFile == "" {
		return failed, err
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return failed, err
	}
	return failed, os.WriteFile(jsonFile, append(b, '\n'), 0o644)
}

// parse reads one line of output: "BenchmarkX-2  100  12.5 ns/op  0 allocs/op" or "bench: name value unit".
func parse(line string) []Figure {
	f := strings.Fields(line)
	if at := strings.Index(line, "bench: "); at >= 0 {
		f = strings.Fields(line[at+len("bench: "):])
		if len(f) == 3 {
			if v, err := strconv.ParseFloat(f[1], 64); err == nil {
				return []Figure{{f[0], v, f[2]}}
			}
		}
		return nil
	}
	if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
		return nil
	}
	name := strings.TrimPrefix(f[0], "Benchmark")
	if dash := strings.LastIndexByte(name, '-'); dash > 0 {
		if _, err := strconv.Atoi(name[dash+1:]); err == nil {
			name = name[:dash]
		}
	}
	var out []Figure
	for i := 2; i+1 < len(f); i += 2 {
		v, err := strconv.ParseFloat(f[i], 64)
		if err != nil {
			return out
		}
		out = append(out, Figure{name, v, f[i+1]})
	}
	return out
}
