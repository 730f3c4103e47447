package devices

import (
	"cmp"
	"errors"
	"strconv"
	"time"

	"coffer/devices/line"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Defaults of DeviceConfig.
const (
	DefaultPoll  = 200 * time.Millisecond
	DefaultAudit = 30 * time.Second
)

// LineConfig is one port and the machines on it.
type LineConfig struct {
	Port    string         `yaml:"port"`           // the name that callers use: any text without control characters
	Link    string         `yaml:"link,omitempty"` // where the bytes come from: tcp://host:port or a serial port; "" means Port
	Baud    int            `yaml:"baud,omitempty"` // 0 means 9600
	Devices []DeviceConfig `yaml:"devices"`
	// ReplyTimeout is how long an answer is waited for, each try; 0 means line.DefaultReplyTimeout.
	ReplyTimeout time.Duration `yaml:"-"`
	// DownloadPace is what the pauses and limits of a download are multiplied with, where machines are known to be
	// faster than real ones; 0 means 1.
	DownloadPace float64 `yaml:"-"`
}

// DeviceConfig is one machine. The zero value of a field means its default.
type DeviceConfig struct {
	ID               string        `yaml:"id"`                           // the configuration's own name for it
	Address          ssp.Address   `yaml:"address"`                      // on its line
	Currency         cash.Currency `yaml:"currency,omitempty"`           // expected; a dataset without currency codes is read in it
	Escrow           bool          `yaml:"escrow,omitempty"`             // true: auto accept is off from the start
	AutoClearCashbox bool          `yaml:"auto_clear_cashbox,omitempty"` // for the till
	Inhibit          []int64       `yaml:"inhibit,omitempty"`            // denominations blocked from the start, minor units
	Sim              string        `yaml:"sim,omitempty"`                // profile of a simulated machine, for the service
	Dataset          []int64       `yaml:"dataset,omitempty"`            // of a simulated machine, minor units
	Levels           map[int64]int `yaml:"levels,omitempty"`             // of a simulated machine, pieces a denomination
	Cassette         map[int64]int `yaml:"cassette,omitempty"`           // of a simulated machine, notes in its replenishment cassette
	FixedKey         SessionKey    `yaml:"fixed_key,omitempty"`          // fixed half of the session key; 0 means ssp.DefaultFixedKey
	// Extensions lets a driver use bytes for features of which no public document has any, and which only machines that
	// are simulated elsewhere understand (specs/ssp.md section 16). A machine with Sim has it in any case.
	Extensions bool `yaml:"extensions,omitempty"`
	// Profile names a file with the bytes of such features that the site has from the maker; see OwnBytes. nil: none.
	Profile *OwnBytes     `yaml:"profile,omitempty"`
	Poll    time.Duration `yaml:"poll,omitempty"`  // between polls at rest, default 200 ms
	Audit   time.Duration `yaml:"audit,omitempty"` // between audits at rest, default 30 s
}

// SessionKey is the fixed half of a machine's session key.
type SessionKey uint64

// UnmarshalYAML reads a number, plain or as text, decimal or 0x…: all 64 bits of it.
func (k *SessionKey) UnmarshalYAML(decode func(any) error) error {
	var text string
	if err := decode(&text); err != nil {
		return err
	}
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return errors.New("a session key is a number of at most 64 bits")
	}
	*k = SessionKey(n)
	return nil
}

func (c DeviceConfig) poll() time.Duration  { return cmp.Or(c.Poll, DefaultPoll) }
func (c DeviceConfig) audit() time.Duration { return cmp.Or(c.Audit, DefaultAudit) }

// extended says whether a driver may send the machine the project's own coding.
func (c DeviceConfig) extended() bool { return c.Extensions || c.Sim != "" }

// link returns where the bytes of the line come from.
func (c LineConfig) link() string { return cmp.Or(c.Link, c.Port) }

// opener returns the opener of the line, by its link.
func (c LineConfig) opener() line.Opener { return line.OpenerFor(c.link(), c.Baud) }

// LineStatus is a line and the devices on it, as they are now.
type LineStatus struct {
	Port    string
	Link    string
	AdHoc   bool // opened by Station.Open, not configured
	State   line.State
	Devices []Device
}
