package cashdevice

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"

	"coffer/internal/cash"
)

// Bounds of a device log: beyond largestLog it is put aside as NAME.1 and begun anew; NAME.1 to NAME.5 are kept.
const (
	largestLog = 10 << 20
	logsKept   = 5
)

// logHeader begins every device log.
const logHeader = "# Cash device log\n"

// logBegins is how a device log begins. Only such a file, or one that is empty or new, is written to: its name is a
// client's word.
var logBegins = regexp.MustCompile(`^# Cash device log\n`)

// logFiles are the logs that are open, by path. Machines whose clients name the same file share it. The zero value has
// none.
type logFiles struct {
	mu     sync.Mutex
	byPath map[string]*logFile
}

// logFile is one log on disk. Safe for use from any goroutine.
type logFile struct {
	path  string
	limit int64
	all   *logFiles
	users int // guarded by all.mu

	mu   sync.Mutex
	f    *os.File
	size int64
}

// open returns the log at path, made with its folder where there is none.
func (l *logFiles) open(path string) (*logFile, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if have := l.byPath[path]; have != nil {
		have.users++
		return have, nil
	}
	if err := ours(path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	out := &logFile{path: path, limit: largestLog, all: l, users: 1}
	if err := out.begin(); err != nil {
		return nil, err
	}
	if l.byPath == nil {
		l.byPath = map[string]*logFile{}
	}
	l.byPath[path] = out
	return out, nil
}

// ours says whether the file at path may be written to.
func ours(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		begin := make([]byte, len(logHeader))
		if n, _ := io.ReadFull(f, begin); n == 0 || logBegins.Match(begin) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s is something else; name a new log file", cash.ErrInvalid, path)
}

// begin opens the file to write at its end. The caller holds mu or is alone.
func (l *logFile) begin() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Size() == 0 {
		_, err = f.WriteString(logHeader)
	}
	if err != nil {
		f.Close()
		return err
	}
	l.f, l.size = f, max(info.Size(), int64(len(logHeader)))
	return nil
}

// write appends one line. A log that cannot be written does not keep the machine from working.
func (l *logFile) write(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return
	}
	if l.size+int64(len(line)) > l.limit {
		l.rotate()
		if l.f == nil {
			return
		}
	}
	n, _ := l.f.WriteString(line)
	l.size += int64(n)
}

// rotate puts the file aside and begins a new one. The caller holds mu.
func (l *logFile) rotate() {
	l.f.Close()
	l.f = nil
	for n := logsKept; n > 1; n-- {
		_ = os.Rename(l.path+"."+strconv.Itoa(n-1), l.path+"."+strconv.Itoa(n))
	}
	_ = os.Rename(l.path, l.path+".1")
	_ = l.begin() // where even that fails, there is no log any more
}

// release closes the file when its last user has left.
func (l *logFile) release() {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	if l.users--; l.users > 0 {
		return
	}
	delete(l.all.byPath, l.path)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		l.f.Close()
		l.f = nil
	}
}
