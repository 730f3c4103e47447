package line

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"coffer/internal/cash"
	"coffer/ssp"
)

// openPty gives b a pseudo-terminal and returns the path of its other end.
func openPty(t testing.TB, b *bus) (path string, master *os.File) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { slave.Close(); master.Close() })
	go b.serve(master)
	return slave.Name(), master
}

// TestSerialPort talks through a real serial device file, every byte value included, and sees the machine go away.
func TestSerialPort(t *testing.T) {
	b := newBus(&slave{handle: func(cmd []byte) []byte { return append(ssp.OK.Data(), cmd...) }})
	path, master := openPty(t, b)
	l := startOpener(t, Config{}, OpenerFor(path, 0))
	p := synced(t, l, 0)
	all := make([]byte, 200)
	for i := range all {
		all[i] = byte(i)
	}
	for _, cmd := range [][]byte{{0x07}, all, bytes.Repeat([]byte{ssp.STX}, 200), all[100:]} {
		if reply, err := p.Tx(t.Context(), cmd); err != nil || !bytes.Equal(reply[1:], cmd) {
			t.Fatalf("plain % X: % X, %v", cmd, reply, err)
		}
	}
	if err := p.Negotiate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 256 {
		cmd := []byte{0x50, byte(i)}
		if reply, err := p.Tx(t.Context(), cmd); err != nil || !bytes.Equal(reply[1:], cmd) {
			t.Fatalf("encrypted % X: % X, %v", cmd, reply, err)
		}
	}
	master.Close()
	if _, err := p.Tx(t.Context(), []byte{0x07}); !errors.Is(err, cash.ErrNotConnected) {
		t.Errorf("after the machine went away: %v", err)
	}
	if st := l.State(); st.Open || st.Err == nil {
		t.Errorf("state %+v, want closed and why", st)
	}
}

// TestStableName: a line whose port is a name below /dev/serial/by-id finds its machine again where the cable is plugged in
// anew, though the device file is another.
func TestStableName(t *testing.T) {
	b := newBus(&slave{any: true})
	path, master := openPty(t, b)
	byID := filepath.Join(t.TempDir(), "serial", "by-id", "usb-ITL_SMART_Coin_System-if00")
	if err := os.MkdirAll(filepath.Dir(byID), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, byID); err != nil {
		t.Fatal(err)
	}
	l := startOpener(t, Config{}, OpenerFor(byID, 0))
	p := synced(t, l, 0)
	if _, err := p.Tx(t.Context(), []byte{0x07}); err != nil {
		t.Fatal(err)
	}
	master.Close()
	if err := os.Remove(byID); err != nil {
		t.Fatal(err)
	}
	for l.State().Open {
		_, _ = p.Tx(t.Context(), []byte{0x07})
	}
	other, _ := openPty(t, b)
	if err := os.Symlink(other, byID); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.Opened():
	case <-time.After(time.Minute):
		t.Fatalf("not opened again: %+v", l.State())
	}
	synced(t, l, 0)
	if _, err := p.Tx(t.Context(), []byte{0x07}); err != nil {
		t.Error(err)
	}
}

// TestSerialPortMissing: a device file that is not there is reported in words, and tried again.
func TestSerialPortMissing(t *testing.T) {
	l := startOpener(t, Config{}, SerialOpener(t.TempDir()+"/ttyNone", 9600))
	deadline := time.Now().Add(time.Minute)
	for {
		err := l.Peer(0).Sync(t.Context())
		if !errors.Is(err, cash.ErrNotConnected) || !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%v, want ErrNotConnected and ErrNotExist", err)
		}
		if l.State().Err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the line does not say why it is closed")
		}
	}
}

func BenchmarkExchangePty(b *testing.B) {
	peer := newBus(&slave{})
	path, _ := openPty(b, peer)
	benchmark(b, SerialOpener(path, 0))
}

// TestNoSerialPort: a device file of another kind is called what it is.
func TestNoSerialPort(t *testing.T) {
	_, err := SerialOpener("/dev/null", 0)(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no serial port, correct the name") {
		t.Errorf("%v", err)
	}
}
