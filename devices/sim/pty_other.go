//go:build !linux

package sim

import "fmt"

// OpenPty needs Linux; elsewhere it returns ErrInvalid. Use Pipe or ListenTCP.
func (l *Line) OpenPty() (path string, err error) {
	return "", fmt.Errorf("%w: no pseudo-terminal here; use a pipe or TCP", ErrInvalid)
}
