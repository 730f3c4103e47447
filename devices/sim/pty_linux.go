package sim

import (
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"github.com/creack/pty"
)

// OpenPty gives the line a pseudo-terminal and returns the path of the end that a host opens like a serial port. The
// terminal is raw from the start and outlives a host that closes it; whatever that host left unread waits for the
// next. It ends with the line.
func (l *Line) OpenPty() (path string, err error) {
	master, slave, err := pty.Open()
	if err != nil {
		return "", fmt.Errorf("%s: %w", l.port, err)
	}
	if err := makeRaw(slave); err != nil {
		master.Close()
		slave.Close()
		return "", fmt.Errorf("%s: make %s raw: %w", l.port, slave.Name(), err)
	}
	far, err := unblocked(master)
	if err != nil {
		slave.Close()
		return "", fmt.Errorf("%s: %w", l.port, err)
	}
	if l.adopt(&terminal{File: far, slave: slave}, true) == nil {
		return "", fmt.Errorf("%s: %w", l.port, os.ErrClosed)
	}
	return slave.Name(), nil
}

// terminal is the machines' end of a pseudo-terminal. It holds the host's end open as well: without that, a host that
// closes would end the terminal.
type terminal struct {
	*os.File
	slave *os.File
	once  sync.Once
}

var _ io.ReadWriteCloser = (*terminal)(nil)

func (t *terminal) Close() error {
	t.once.Do(func() {
		t.File.Close()
		t.slave.Close()
	})
	return nil
}

// unblocked exchanges f, which the pty library has made blocking, for a file on the same terminal whose Read ends when
// it is closed.
func unblocked(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		syscall.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// makeRaw switches off echo, line editing and every translation of bytes.
func makeRaw(f *os.File) error {
	var t syscall.Termios
	if err := termios(f, syscall.TCGETS, &t); err != nil {
		return err
	}
	t.Iflag &^= syscall.IGNBRK | syscall.BRKINT | syscall.PARMRK | syscall.ISTRIP | syscall.INLCR | syscall.IGNCR |
		syscall.ICRNL | syscall.IXON
	t.Oflag &^= syscall.OPOST
	t.Lflag &^= syscall.ECHO | syscall.ECHONL | syscall.ICANON | syscall.ISIG | syscall.IEXTEN
	t.Cflag &^= syscall.CSIZE | syscall.PARENB
	t.Cflag |= syscall.CS8
	t.Cc[syscall.VMIN], t.Cc[syscall.VTIME] = 1, 0
	return termios(f, syscall.TCSETS, &t)
}

func termios(f *os.File, request uintptr, t *syscall.Termios) error {
	_, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(t)))
	if e != 0 {
		return e
	}
	return nil
}
