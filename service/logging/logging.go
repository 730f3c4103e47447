package logging

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/sirupsen/logrus"
	"gopkg.in/natefinch/lumberjack.v2"
)

// Logger is the process's logger and the files it writes. Make one a process: a rotating file keeps a goroutine.
type Logger struct {
	*logrus.Logger
	cfg    Config
	dir    string // data directory
	rotate func(path string) io.WriteCloser

	mu      sync.Mutex
	files   []io.Closer
	console *sink // nil for none
}

// New returns the logger for cfg, whose relative paths are below dataDir. Text goes to console (nil for none), JSON to
// the file if there is one; under systemd (JOURNAL_STREAM is set) the journal keeps and rotates the console, and the
// file is left alone. A file that cannot be made (a
// full or read-only disk) is said on the console, and the log goes on without it.
func New(cfg Config, dataDir string, console io.Writer) *Logger {
	l := &Logger{Logger: logrus.New(), cfg: cfg, dir: dataDir}
	l.rotate = func(path string) io.WriteCloser {
		return &lumberjack.Logger{
			Filename: path, MaxSize: orDefault(cfg.MaxSizeMB, 10), MaxBackups: orDefault(cfg.MaxBackups, 10),
			MaxAge: orDefault(cfg.MaxAgeDays, 30), Compress: true,
		}
	}
	l.SetLevel(levels[strings.ToLower(cfg.Level)])
	l.SetOutput(io.Discard)
	l.AddHook(redact{})
	if console != nil {
		l.console = &sink{w: console, f: &logrus.TextFormatter{FullTimestamp: true, DisableColors: true}}
		l.AddHook(l.console)
	}
	if cfg.File != "" && os.Getenv("JOURNAL_STREAM") == "" {
		f, err := l.Open(cfg.File)
		if err != nil {
			l.WithError(err).Error("no log file; logging to the console alone")
			return l
		}
		l.AddHook(&sink{w: f, f: &logrus.JSONFormatter{}})
	}
	return l
}

// Open returns a rotating file at path, below the data directory unless it is absolute. It is closed with the logger.
func (l *Logger) Open(path string) (io.Writer, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(l.dir, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	f := l.rotate(path)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files = append(l.files, f)
	return f, nil
}

// Mute takes the console away, for an error that its reader gets told otherwise.
func (l *Logger) Mute() {
	if l.console == nil {
		return
	}
	l.console.mu.Lock()
	defer l.console.mu.Unlock()
	l.console.w = io.Discard
}

// Close closes the files. What is logged afterwards is lost.
func (l *Logger) Close() error {
	l.ReplaceHooks(logrus.LevelHooks{})
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, f := range l.files {
		errs = append(errs, f.Close())
	}
	l.files = nil
	return errors.Join(errs...)
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// sink writes every entry to one place in one format.
type sink struct {
	f  logrus.Formatter
	mu sync.Mutex
	w  io.Writer
}

// Levels implements logrus.Hook.
func (s *sink) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook.
func (s *sink) Fire(e *logrus.Entry) error {
	b, err := s.f.Format(e)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.w.Write(b)
	return err
}

// secret are the field names whose values are never written.
var secret = map[string]bool{"password": true, "token": true, "secret": true, "authorization": true, "fixed_key": true}

// redact replaces the values of secret fields.
type redact struct{}

// Levels implements logrus.Hook.
func (redact) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook.
func (redact) Fire(e *logrus.Entry) error {
	for name := range e.Data {
		if secret[strings.ToLower(name)] {
			e.Data[name] = "***"
		}
	}
	return nil
}
