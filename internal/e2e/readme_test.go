//go:build unix

package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readme is README.md cut into what its test needs.
type readme struct {
	blocks  []string // fenced sh blocks before the section "Install": the five minutes
	install []string // commands of that section, which need an administrator
	inline  []string // `bin/coffer …` within the text
	links   []string // files of this repository
}

var (
	fenced     = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	inlineCode = regexp.MustCompile("`bin/coffer ([^`]+)`")
	localLink  = regexp.MustCompile(`\]\(([^)#:]+)\)`)
)

func readReadme(t *testing.T) readme {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	walk, rest, found := strings.Cut(string(b), "\n## Install\n")
	if !found {
		t.Fatal("README.md has no section Install")
	}
	var r readme
	for _, m := range fenced.FindAllStringSubmatch(walk, -1) {
		r.blocks = append(r.blocks, m[1])
	}
	for _, m := range fenced.FindAllStringSubmatch(rest, -1) {
		r.install = append(r.install, strings.Split(strings.TrimSpace(m[1]), "\n")...)
	}
	for _, m := range inlineCode.FindAllStringSubmatch(string(b), -1) {
		r.inline = append(r.inline, m[1])
	}
	for _, m := range localLink.FindAllStringSubmatch(string(b), -1) {
		r.links = append(r.links, m[1])
	}
	if len(r.blocks) < 5 || len(r.install) == 0 || r.blocks[0] != "make run\n" {
		t.Fatalf("README.md: %d blocks, first %q, %d install commands", len(r.blocks), r.blocks[0], len(r.install))
	}
	return r
}

// need skips the test where an outside program is missing; with CI=true that is a failure.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", p)
			}
			t.Skipf("%s is missing", p)
		}
	}
}

// TestReadmeWalk runs every command of the README's five minutes as a newcomer would: `make run` in one shell, the rest,
// in order, in another.
func TestReadmeWalk(t *testing.T) {
	need(t, "make", "curl", "sed", "sh")
	r := readReadme(t)
	script := strings.Join(r.blocks[1:], "\n")
	script, env := runReadmeDemo(t, script)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-eu", "-c", script)
	sh.Dir = "../.."
	sh.Env = append(sh.Environ(), env...)
	sh.WaitDelay = patience
	b, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	seen := string(b)
	for _, want := range []string{
		`"deviceID":"SPECTRAL_PAYOUT-COM5","isOpen":true`, "ACCEPTING", "ESCROW - Value: 2000",
		"SPECTRAL_PAYOUT-COM5: Note can be accepted from escrow.", "STORED - Value: 2000",
		"Dispense operation initiated successfully.", "DISPENSING", "DISPENSED", "COMPLETED",
		`{"countryCode":"EUR","value":500,"stored":3},{"countryCode":"EUR","value":1000,"stored":3},{"countryCode":"EUR","value":2000,"stored":5}`,
		`"payout":[{"value":500,"currency":"EUR","count":3},{"value":1000,"currency":"EUR","count":3},{"value":2000,"currency":"EUR","count":5}`,
		"ok ", "escrow → payout",
	} {
		at := strings.Index(seen, want)
		if at < 0 {
			t.Fatalf("%q is not seen, or not in its turn, in\n%s", want, b)
		}
		seen = seen[at:]
	}
	for _, row := range []string{`payout +3 +5\.00 EUR`, `payout +3 +10\.00 EUR`, `payout +5 +20\.00 EUR`} {
		if !regexp.MustCompile(`(?m)^SPECTRAL_PAYOUT-COM5 +` + row).Match(b) {
			t.Errorf("balance: no %s in\n%s", row, b)
		}
	}
}

// runReadmeDemo runs `make run` as it stands in the README until the end of the test, and returns the script. Where another
// program has the demo's ports, it runs the same demo on free ones and puts those into the script.
func runReadmeDemo(t *testing.T, script string) (string, []string) {
	t.Helper()
	// The compiler takes what it takes, on a machine that has built nothing yet; the demo starts at once after that.
	if out, err := exec.Command("make", "-C", "../..", "build").CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	if !slices.ContainsFunc(demoAddress.FindAllString(demoText(t), -1), func(addr string) bool { return !portFree(addr) }) {
		runMake(t)
		return script, nil
	}
	t.Log("the demo's ports are taken: running it on others")
	c, _ := runDemo(t)
	script = strings.NewReplacer("http://127.0.0.1:5000", c.ends.CashDevice, "http://127.0.0.1:8480", c.ends.Main).Replace(script)
	return script, []string{"COFFER_DATA_DIR=" + c.data}
}

func portFree(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		l.Close()
	}
	return err == nil
}

// runMake runs `make run` until the end of the test, which ends it as Ctrl-C does: an interrupt to all of its group.
func runMake(t *testing.T) {
	t.Helper()
	var out output
	cmd := exec.Command("make", "run")
	cmd.Dir, cmd.Stdout, cmd.Stderr = "../..", &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // make reports the interrupt as a failure
		close(done)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		within(t, patience, "Ctrl-C ends make run", func() error {
			select {
			case <-done:
				return nil
			default:
				return errNotYet
			}
		})
		if t.Failed() {
			t.Logf("make run printed:\n%s", tail(out.String(), 6000))
		}
	})
	within(t, 5*time.Minute, "make run prints its addresses", func() error {
		for _, want := range []string{"http://127.0.0.1:5000", "http://127.0.0.1:8480", "COM5", "Ctrl-C"} {
			if !strings.Contains(out.String(), want) {
				return fmt.Errorf("no %s in %s", want, out.String())
			}
		}
		return nil
	})
}

// TestReadmeCommands parses what the walk does not run: it would need an administrator, or break something.
func TestReadmeCommands(t *testing.T) {
	bin, r := built(t, binary), readReadme(t)
	commands := r.inline
	for _, line := range r.install {
		args, ok := strings.CutPrefix(line, "coffer ")
		if !ok {
			t.Errorf("%q is not a command of coffer", line)
			continue
		}
		commands = append(commands, args)
	}
	for _, args := range commands {
		must(t, append(append([]string{bin}, strings.Fields(args)...), "--help")...)
	}
	for _, link := range r.links {
		if _, err := os.Stat(filepath.Join("../..", link)); err != nil {
			t.Error(err)
		}
	}
}
