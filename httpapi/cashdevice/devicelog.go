package cashdevice

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

// deviceLog is the log of one open machine: what its client is told, and the frames of its wire while that is asked for.
// The zero value writes nothing.
type deviceLog struct {
	mu   sync.Mutex
	out  *logFile
	stop func() // ends the frames; nil while they are off
	over bool   // closed: nothing begins any more
}

// openLog opens the log that a client names, "" for the usual one.
func (a *api) openLog(id, name string) (*logFile, error) {
	if a.logDir == "" {
		return nil, fmt.Errorf("%w: device logs", cash.ErrUnsupported)
	}
	path, err := logPath(a.logDir, id, name, a.now())
	if err != nil {
		return nil, err
	}
	return a.logs.open(path)
}

// logPath is where a log goes. A folder gets a file named after the machine and the time; a path of another system, or
// one that is not absolute, goes below dir by its last part.
func logPath(dir, id, name string, now time.Time) (string, error) {
	usual := "Cash-Device_" + strings.Map(plain, id) + "_LOG_" + now.Local().Format("2006_01_02_15_04_05") + ".log"
	name = strings.TrimSpace(name)
	if runtime.GOOS != "windows" && strings.ContainsRune(name, '\\') {
		name = name[strings.LastIndexByte(name, '\\')+1:]
	}
	if name == "" {
		return filepath.Join(dir, usual), nil
	}
	folder := os.IsPathSeparator(name[len(name)-1])
	if !filepath.IsAbs(name) {
		if !filepath.IsLocal(name) {
			return "", fmt.Errorf("%w: log file %q leaves its folder", cash.ErrInvalid, name)
		}
		name = filepath.Join(dir, name)
	}
	if info, err := os.Stat(name); folder || (err == nil && info.IsDir()) {
		return filepath.Join(name, usual), nil
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".log", ".txt":
		return filepath.Clean(name), nil
	}
	return "", fmt.Errorf("%w: log file %q; its name must end in .log or .txt", cash.ErrInvalid, name)
}

// plain makes a deviceID fit for a file name.
func plain(r rune) rune {
	if strings.ContainsRune(`/\:*?"<>|`, r) {
		return '_'
	}
	return r
}

// line writes one line. A log that cannot be written does not keep the machine from working.
func (l *deviceLog) line(at time.Time, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out != nil {
		l.out.write(at.Local().Format("2006-01-02 15:04:05.000") + " " + fmt.Sprintf(format, args...) + "\n")
	}
}

// frame writes one frame of the wire.
func (l *deviceLog) frame(f devices.Frame) {
	way := "RX"
	if f.Sent {
		way = "TX"
	}
	if f.Raw == nil {
		l.line(f.At, "%s %s (bytes left out: they carry a key)", way, f.Text)
		return
	}
	l.line(f.At, "%s % X (%s)", way, f.Raw, f.Text)
}

// begin sets the file that is written to. Of two that come at the same time one stays.
func (l *deviceLog) begin(out *logFile) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.out != nil {
		out.release()
		return
	}
	l.out = out
}

// watch sets what frames are written by, and ends what was before.
func (l *deviceLog) watch(stop func()) {
	l.mu.Lock()
	before := l.stop
	if l.over && stop != nil {
		before = stop
	} else {
		l.stop = stop
	}
	l.mu.Unlock()
	if before != nil {
		before()
	}
}

// close ends the log. It may be called more than once.
func (l *deviceLog) close() {
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.watch(nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out != nil {
		l.out.release()
	}
	l.out = nil
}

// logTo begins the log of a view. A file that cannot be had is said in coffer's own log.
func (c *call) logTo(v *view, name string) error {
	out, err := c.api.openLog(v.id, name)
	if err != nil {
		return err
	}
	v.log.begin(out)
	v.log.line(c.api.now(), "%s: log begins", v.id)
	c.api.log.WithField("device", v.device).WithField("file", out.path).Info("device log")
	return nil
}

// logRawPackets: POST LogRawPackets with a bare boolean, true for none. A machine that was opened without LogFilePath
// gets the usual file.
func (c *call) logRawPackets() (any, error) {
	on, err := c.bareFlag(true)
	if err != nil {
		return nil, err
	}
	if !on {
		c.view.log.watch(nil)
		return c.id + ": Raw packet logging has been disabled.", nil
	}
	c.view.log.mu.Lock()
	has := c.view.log.out != nil
	c.view.log.mu.Unlock()
	if !has {
		if err := c.logTo(c.view, ""); err != nil {
			return nil, err
		}
	}
	stop, err := c.api.station.Frames(c.view.port, c.view.addr, c.view.log.frame)
	if err != nil {
		return nil, err
	}
	c.view.log.watch(stop)
	return c.id + ": Raw packet logging has been enabled.", nil
}
