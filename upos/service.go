package upos

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Logger is what this package needs of a log.
type Logger interface {
	Infof(format string, args ...any)
	Warnf(format string, args ...any)
}

// Options are what all devices of a Service share. The zero value works.
type Options struct {
	Log         Logger
	Now         func() time.Time // of events; default time.Now
	Version     string           // of this program, for the descriptions
	Statistics  Keeper           // keeps the statistics from one start to the next; nil: they begin anew
	FirmwareDir string           // where CompareFirmwareVersion and UpdateFirmware look for files; "" for nowhere
	Settle      time.Duration    // how long FixDeposit and its like wait for money under way; default 60s
	Stop        time.Duration    // how long Close waits for halted payouts and money under way; default 10s
}

// Device is one configured device and what is behind it: a Mechanism, or the Drawer of a CashDrawer.
type Device struct {
	Config    Config
	Mechanism Mechanism
	Drawer    Drawer
}

// Info describes a device in a list.
type Info struct {
	Name     string
	Class    Class
	Config   Config
	State    int32  // S_IDLE, S_BUSY; S_CLOSED where nobody has it open
	Handles  int    // that have it open
	Claimed  bool   // by one of them
	Enabled  bool   // by one of them
	Online   bool   // every machine of it answers
	Jammed   bool   // one of them is jammed
	Physical string // PhysicalDeviceName
}

// Service holds the configured devices. Safe for use from any goroutine.
type Service struct {
	opts    Options
	devices []*device
	handles atomic.Int64 // for the names of owners

	// mu guards all devices and handles. It is never held while a Mechanism or a Drawer is called, nor while an event is
	// with an application.
	mu     sync.Mutex
	closed bool

	keeping sync.WaitGroup // of statistics

	ctx    context.Context // ends when Close waits no longer
	cancel context.CancelFunc
}

// New checks the configuration and starts to watch the machines. Errors name the device.
func New(devices []Device, opts Options) (*Service, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = silent{}
	}
	if opts.Settle == 0 {
		opts.Settle = time.Minute
	}
	if opts.Stop == 0 {
		opts.Stop = 10 * time.Second
	}
	s := &Service{opts: opts}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	var errs []error
	seen := map[string]bool{}
	for _, d := range devices {
		err := d.Config.Validate()
		switch {
		case err != nil:
		case seen[d.Config.Name]:
			err = errors.New("another device has this name")
		case d.Config.Class == CashDrawer && d.Drawer == nil, d.Config.Class != CashDrawer && d.Mechanism == nil:
			err = errors.New("nothing is plugged in behind it")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("upos device %q: %w", d.Config.Name, err))
			continue
		}
		seen[d.Config.Name] = true
		s.devices = append(s.devices, newDevice(s, d))
	}
	if len(errs) > 0 {
		s.Close()
		return nil, errors.Join(errs...)
	}
	s.resume()
	return s, nil
}

// silent is the Logger of those who want none.
type silent struct{}

func (silent) Infof(string, ...any) {}
func (silent) Warnf(string, ...any) {}

// Devices lists the configured devices in the order of the configuration.
func (s *Service) Devices() []Info {
	out := make([]Info, 0, len(s.devices))
	for _, d := range s.devices {
		out = append(out, d.info())
	}
	return out
}

// Handle returns an instance of a class in the state CLOSED; its method Open opens it. It returns E_NOEXIST for a class
// that this package does not know.
func (s *Service) Handle(class Class) (*Handle, error) {
	if members[class] == nil {
		return nil, fail(E_NOEXIST, "there is no class %q; there are %s", class, classNames())
	}
	n := s.handles.Add(1)
	return &Handle{service: s, class: class, owner: "upos#" + strconv.FormatInt(n, 10),
		slot: make(chan struct{}, 1), wake: make(chan struct{})}, nil
}

// Open opens a device: E_NOEXIST for a name that the configuration does not have with this class, E_NOSERVICE where the
// machines have never answered or cannot be such a device.
func (s *Service) Open(class Class, name string) (*Handle, error) {
	h, err := s.Handle(class)
	if err != nil {
		return nil, err
	}
	if err := h.open(name); err != nil {
		return nil, err
	}
	return h, nil
}

// Close closes every handle and stops watching. It waits for payouts that it had to halt and for money under way, as long
// as Options.Stop; what then still moves is left to the machinery.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	enough := time.AfterFunc(s.opts.Stop, s.cancel)
	defer enough.Stop()
	var all sync.WaitGroup
	for _, d := range s.devices {
		all.Go(d.shut)
	}
	all.Wait()
	s.cancel()
	s.keeping.Wait()
}

// patient is a context for work that is not broken off when its caller goes: it ends after Options.Settle, or when Close
// waits no longer.
func (s *Service) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.Settle)
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// lookup finds a configured device.
func (s *Service) lookup(class Class, name string) (*device, error) {
	for _, d := range s.devices {
		if d.cfg.Name == name && d.cfg.Class == class {
			return d, nil
		}
		if d.cfg.Name == name {
			return nil, fail(E_NOEXIST, "%s is a %s, not a %s", name, d.cfg.Class, class)
		}
	}
	return nil, fail(E_NOEXIST, "no device is called %q: see the section upos of the configuration", name)
}
