package sim

import (
	"bytes"
	"testing"
	"time"

	"go.bug.st/serial"

	"coffer/ssp"
)

// openPort opens a path as the host's serial library does.
func openPort(t *testing.T, path string) serial.Port {
	t.Helper()
	port, err := serial.Open(path, &serial.Mode{BaudRate: 9600, DataBits: 8, StopBits: serial.TwoStopBits})
	if err != nil {
		t.Fatal(err)
	}
	if err := port.SetReadTimeout(20 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	return port
}

// exchange sends b and returns the next frame.
func exchange(t *testing.T, port serial.Port, b []byte) []byte {
	t.Helper()
	if _, err := port.Write(b); err != nil {
		t.Fatal(err)
	}
	var got []byte
	buf := make([]byte, 256)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		n, err := port.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:n]...)
		if f := ssp.DecodeAll(got); len(f) > 0 {
			return f[0].Data
		}
	}
	t.Fatalf("% X is not answered, only % X came", b, got)
	return nil
}

// TestPty: a terminal that a serial library opens, closes and opens again, carrying every byte as it is.
func TestPty(t *testing.T) {
	w := NewWorld(t.Logf)
	defer w.Close()
	l := w.AddLine("COM1")
	if _, err := l.AddMachine(0, "spectral-payout", Options{Serial: 0x7F110D13}); err != nil { // bytes that terminals like to eat
		t.Fatal(err)
	}
	path, err := l.OpenPty()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		port := openPort(t, path)
		if got := exchange(t, port, unhex(t, "7F 80 01 11 65 82")); !bytes.Equal(got, []byte{0xF0}) {
			t.Errorf("SYNC is answered % X", got)
		}
		ask, _ := ssp.AppendFrame(nil, ssp.Frame{Data: []byte{0x0C}})
		if got := exchange(t, port, ask); !bytes.Equal(got, unhex(t, "F0 7F 11 0D 13")) {
			t.Errorf("serial number % X", got)
		}
		if err := port.Close(); err != nil {
			t.Error(err)
		}
	}
	closed := make(chan struct{})
	go func() { w.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Fatal("a world with a terminal does not close")
	}
}
