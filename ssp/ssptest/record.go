package ssptest

import (
	"io"
	"sync"
	"time"
)

// Port is what a line needs of a port; Link has it, and so has a serial port.
type Port interface {
	io.ReadWriteCloser
	SetReadTimeout(time.Duration) error
	ResetInputBuffer() error
}

// Recorder is a Port that keeps what passes through it.
type Recorder struct {
	Port

	mu  sync.Mutex
	log []Record
}

// Record is one Write, or one Read that brought bytes.
type Record struct {
	Tx    bool // written
	Bytes []byte
}

// NewRecorder records the traffic of p.
func NewRecorder(p Port) *Recorder { return &Recorder{Port: p} }

// Read implements io.Reader.
func (r *Recorder) Read(p []byte) (int, error) {
	n, err := r.Port.Read(p)
	if n > 0 {
		r.add(false, p[:n])
	}
	return n, err
}

// Write implements io.Writer.
func (r *Recorder) Write(p []byte) (int, error) {
	r.add(true, p)
	return r.Port.Write(p)
}

func (r *Recorder) add(tx bool, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, Record{tx, append([]byte(nil), b...)})
}

// Log returns what was recorded so far.
func (r *Recorder) Log() []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Record(nil), r.log...)
}

// Bytes returns all that went one way.
func (r *Recorder) Bytes(tx bool) (out []byte) {
	for _, rec := range r.Log() {
		if rec.Tx == tx {
			out = append(out, rec.Bytes...)
		}
	}
	return out
}
