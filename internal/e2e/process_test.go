package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// output collects what a process prints, for the report of a failed test.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// process is a coffer that runs. It is killed at the end of the test.
type process struct {
	t        testing.TB
	name     string
	cmd      *exec.Cmd
	out, err output
	done     chan struct{} // closed when it has ended
	brief    bool          // its output is its caller's
}

// launch starts a command line. env is added to our own environment.
func launch(t testing.TB, name string, env []string, argv ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.Env = append(p.cmd.Environ(), env...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() && !p.brief {
			t.Logf("%s printed:\n%s", name, tail(p.out.String()+p.err.String(), 6000))
		}
	})
	return p
}

// tail returns the last n bytes of s.
func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "…" + s[len(s)-n:]
}

// kill ends the process as kill -9 does and waits for its end. Killing it twice does nothing.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// ended says whether the process has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// wait waits up to limit for the end of the process and returns its exit code. Time in which the computer stood still
// does not count: a ticker skips it.
func (p *process) wait(limit time.Duration) int {
	p.t.Helper()
	const tick = 10 * time.Millisecond
	clock := time.NewTicker(tick)
	defer clock.Stop()
	for passed := time.Duration(0); passed < limit && !p.ended(); passed += tick {
		select {
		case <-p.done:
		case <-clock.C:
		}
	}
	if !p.ended() {
		p.t.Fatalf("%s runs on after %v", p.name, limit)
	}
	return p.cmd.ProcessState.ExitCode()
}

// terminate sends SIGTERM and waits up to limit for the end. It returns the exit code.
func (p *process) terminate(limit time.Duration) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	return p.wait(limit)
}

// readRun reads DIR/run/NAME once the process that runs has written it: pid says which. It returns false if the process
// was killed meanwhile; one that ends by itself ends the test.
func (p *process) readRun(dir, name string, into any, pid func() int) (alive bool) {
	p.t.Helper()
	eventually(p.t, p.name+" writes run/"+name, func() error {
		b, err := os.ReadFile(filepath.Join(dir, "run", name))
		if err == nil {
			err = json.Unmarshal(b, into)
		}
		if err == nil && pid() == p.cmd.Process.Pid {
			alive = true
			return nil
		}
		if !p.ended() {
			return fmt.Errorf("%v (it names process %d, want %d)", err, pid(), p.cmd.Process.Pid)
		}
		if code := p.cmd.ProcessState.ExitCode(); code >= 0 {
			p.t.Fatalf("%s ended with %d\n%s%s", p.name, code, p.out.String(), p.err.String())
		}
		return nil
	})
	return alive
}

// command runs a command line to its end and returns what it printed and its exit code.
func command(t testing.TB, argv ...string) (stdout, stderr string, code int) {
	t.Helper()
	p := launch(t, strings.Join(argv, " "), nil, argv...)
	p.brief = true
	code = p.wait(patience)
	return p.out.String(), p.err.String(), code
}

// must runs a command line and returns what it printed; the test ends if it did not succeed.
func must(t testing.TB, argv ...string) string {
	t.Helper()
	out, errs, code := command(t, argv...)
	if code != 0 {
		t.Fatalf("%s: exit %d: %s", strings.Join(argv, " "), code, errs)
	}
	return out
}

var errGone = errors.New("process ended")
