package line

import (
	"runtime"
	"strings"
	"testing"
)

// TestNames: which kind of link a configured name is. Nothing of it exists, and the error says what was tried.
func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"tcp://127.0.0.1:1":                   "127.0.0.1:1",
		"COM3":                                "open COM3:",
		"COM77":                               "open COM77:",
		"/dev/serial/by-id/usb-ITL_none-if00": "open /dev/serial/by-id/usb-ITL_none-if00:",
		"/dev/ttyACM99":                       "open /dev/ttyACM99:",
	} {
		if runtime.GOOS == "windows" && strings.HasPrefix(name, "COM") {
			continue // it may be there
		}
		link, err := OpenerFor(name, 0)(t.Context())
		if err == nil {
			link.Close()
			t.Errorf("%s was opened", name)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q in it", name, err, want)
		}
	}
}
