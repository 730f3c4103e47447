package line

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"time"

	"go.bug.st/serial"
)

// Link is what a Line needs of a serial port. serial.Port satisfies it as it is. One goroutine at a time uses a Link,
// except that Close may come while a Write hangs.
type Link interface {
	io.ReadWriteCloser
	// SetReadTimeout bounds the following Reads. A Read that times out returns 0, nil.
	SetReadTimeout(time.Duration) error
	// ResetInputBuffer drops what was received and not read yet.
	ResetInputBuffer() error
}

// Opener opens a link once. The context bounds the opening only.
type Opener func(ctx context.Context) (Link, error)

// DefaultBaud is the speed of every device after power-up (ssp.md section 1).
const DefaultBaud = 9600

// dialTimeout bounds the opening of a network link.
const dialTimeout = 2 * time.Second

// OpenerFor returns the opener of a configured link: tcp://host:port, or the path or name of a serial port.
// baud 0 means DefaultBaud; a network link ignores it.
func OpenerFor(link string, baud int) Opener {
	if addr, ok := strings.CutPrefix(link, "tcp://"); ok {
		return TCPOpener(addr)
	}
	return SerialOpener(link, baud)
}

// SerialOpener opens a serial port with 8 data bits, no parity, 2 stop bits and no flow control, and takes it for this
// process alone. baud 0 means DefaultBaud. Modem lines are left as the system sets them, since a pseudo-terminal has
// none.
func SerialOpener(path string, baud int) Opener {
	if baud == 0 {
		baud = DefaultBaud
	}
	mode := &serial.Mode{BaudRate: baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.TwoStopBits}
	return func(context.Context) (Link, error) {
		p, err := serial.Open(path, mode)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, explain(err))
		}
		return p, nil
	}
}

// explain gives the errors of the serial library, which come as *serial.PortError or as bare system errors, one wording
// that says what to do.
func explain(err error) error {
	var pe *serial.PortError
	if errors.As(err, &pe) {
		switch pe.Code() {
		case serial.PortBusy:
			return fmt.Errorf("in use by another program, close that one: %w", err)
		case serial.PortNotFound:
			return fmt.Errorf("no such port, plug the device in or correct the name: %w", err)
		case serial.PermissionDenied:
			return fmt.Errorf("no permission, give the service's user access: %w", err)
		case serial.InvalidSerialPort:
			return fmt.Errorf("no serial port, correct the name: %w", err)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no such port, plug the device in or correct the name: %w", err)
	}
	return err
}

// TCPOpener opens a network link to host:port, such as a serial device server or `coffer sim serve`.
func TCPOpener(addr string) Opener {
	return ConnOpener(func(ctx context.Context) (net.Conn, error) {
		d := net.Dialer{Timeout: dialTimeout}
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("open tcp://%s: %w", addr, err)
		}
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetNoDelay(true)
		}
		return c, nil
	})
}

// ConnOpener makes links of connections, which may be pipes within the process.
func ConnOpener(dial func(ctx context.Context) (net.Conn, error)) Opener {
	return func(ctx context.Context) (Link, error) {
		c, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		return newConnLink(c), nil
	}
}
