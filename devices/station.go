package devices

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sirupsen/logrus"

	"coffer/devices/line"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Station owns the lines of a till and drives the machines on them: the configured ones from start to end, with their
// acceptors off until somebody enables them, and others between Open and Release. Safe for use from any goroutine.
type Station struct {
	sink     Sink
	families []Family
	log      logrus.FieldLogger
	tried    chan struct{}
	running  chan struct{} // closed when Run has begun

	mu    sync.Mutex
	ctx   context.Context // of Run
	lines []*stationLine
	names map[cash.DeviceID]*Base
	wg    sync.WaitGroup

	ending bool // Run waits for all that was started
}

// stationLine is a line and its devices.
type stationLine struct {
	cfg    LineConfig
	adHoc  bool
	line   *line.Line
	bases  []*Base
	stop   context.CancelFunc // ends the line, once its devices have ended
	done   chan struct{}      // closed when the line has ended
	wg     sync.WaitGroup     // its devices
	ending bool               // the station stops

	downloads atomic.Bool // a download runs on it
}

// NewStation returns a station over the configured lines. openers gives the link of a line by port name; a line without
// one is opened by its Link. Nothing is opened before Run.
func NewStation(cfg []LineConfig, openers map[string]line.Opener, families []Family, sink Sink, log logrus.FieldLogger) *Station {
	s := &Station{
		sink: sink, families: families, log: log,
		tried: make(chan struct{}), running: make(chan struct{}), names: map[cash.DeviceID]*Base{},
	}
	for _, lc := range cfg {
		s.addLine(lc, openers[lc.Port], false)
	}
	return s
}

// addLine appends a line with its devices; the caller holds s.mu or is alone.
func (s *Station) addLine(cfg LineConfig, open line.Opener, adHoc bool) *stationLine {
	if open == nil {
		open = cfg.opener()
	}
	lc := line.Config{Name: cfg.Port, ReplyTimeout: cfg.ReplyTimeout}
	l := &stationLine{cfg: cfg, adHoc: adHoc, line: line.New(lc, open, s.log)}
	for _, dc := range cfg.Devices {
		l.bases = append(l.bases, s.newBase(l, dc, adHoc))
	}
	s.lines = append(s.lines, l)
	return l
}

// newBase makes the device of dc on l.
func (s *Station) newBase(l *stationLine, dc DeviceConfig, adHoc bool) *Base {
	peer := l.line.Peer(dc.Address)
	if dc.FixedKey != 0 {
		peer.SetFixedKey(uint64(dc.FixedKey))
	}
	return newBase(baseConfig{
		port: l.cfg.Port, device: dc, adHoc: adHoc, peer: peer, sink: s.sink, families: s.families,
		name:    func(b *Base, model string) cash.DeviceID { return s.name(l, b, model) },
		logWire: l.line.LogTrace,
		key:     cmp.Or(uint64(dc.FixedKey), ssp.DefaultFixedKey),
	}, s.log)
}

// name decides the DeviceID of b, a machine of the given model on l: the second of one model on the same port has its
// address added. It waits for the devices that stand before b on the line, so that the names do not depend on which
// machine answers first; one that does not answer at all cannot be waited for.
func (s *Station) name(l *stationLine, b *Base, model string) cash.DeviceID {
	s.mu.Lock()
	before := slices.Clone(l.bases[:max(0, slices.Index(l.bases, b))])
	ctx := s.ctx
	s.mu.Unlock()
	for _, other := range before {
		other.awaitName(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := cash.DeviceID(model + "-" + l.cfg.Port)
	if other := s.names[id]; other != nil && other != b {
		id += cash.DeviceID("@" + strconv.Itoa(int(b.cfg.device.Address)))
	}
	maps.DeleteFunc(s.names, func(_ cash.DeviceID, holder *Base) bool { return holder == b })
	s.names[id] = b
	return id
}

// Run drives every configured line until ctx ends. Then it turns the acceptors off, gives back what is in escrow, lets
// running operations end (15 s at most) and returns nil. A station runs once.
func (s *Station) Run(ctx context.Context) error {
	s.mu.Lock()
	s.ctx = ctx
	var configured []*Base
	for _, l := range s.lines {
		s.start(l)
		configured = append(configured, l.bases...)
	}
	close(s.running)
	s.mu.Unlock()
	go s.watchTried(ctx, configured)
	<-ctx.Done()
	s.mu.Lock()
	s.ending = true // from here on obtain starts nothing more
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

// start runs a line and its devices. The line outlives its devices, which need it to shut down. The caller holds s.mu.
func (s *Station) start(l *stationLine) {
	ctx, stop := context.WithCancel(context.WithoutCancel(s.ctx))
	l.stop, l.done = stop, make(chan struct{})
	for _, b := range l.bases {
		s.startBase(l, b)
	}
	s.wg.Add(2)
	go func() {
		defer s.wg.Done()
		defer close(l.done)
		_ = l.line.Run(ctx)
	}()
	go func() {
		defer s.wg.Done()
		select {
		case <-l.done:
			return
		case <-s.ctx.Done():
		}
		s.mu.Lock()
		l.ending = true // from here on obtain starts no more devices on it
		s.mu.Unlock()
		l.wg.Wait()
		stop()
	}()
}

// startBase runs a device of l until the station or its own release ends it. The caller holds s.mu.
func (s *Station) startBase(l *stationLine, b *Base) {
	ctx, stop := context.WithCancel(s.ctx)
	b.stop = stop
	l.wg.Add(1)
	go func() {
		defer l.wg.Done()
		defer stop()
		b.run(ctx)
	}()
}

// watchTried closes tried when every configured device was tried once.
func (s *Station) watchTried(ctx context.Context, configured []*Base) {
	for _, b := range configured {
		select {
		case <-b.tried:
		case <-ctx.Done():
			return
		}
	}
	close(s.tried)
}

// Tried returns a channel that is closed once every configured device was tried: it is ready, or did not answer, or
// has a fault that keeps it from getting ready.
func (s *Station) Tried() <-chan struct{} { return s.tried }

// Lines returns the configured lines in the order of the configuration, then the ad hoc ones.
func (s *Station) Lines() []LineStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]LineStatus, 0, len(s.lines))
	for _, l := range s.lines {
		st := LineStatus{Port: l.cfg.Port, Link: l.cfg.link(), AdHoc: l.adHoc, State: l.line.State()}
		for _, b := range l.bases {
			st.Devices = append(st.Devices, b.current())
		}
		out = append(out, st)
	}
	return out
}

// Devices returns all devices, in the order of Lines. Those that were never identified have no capabilities yet.
func (s *Station) Devices() []Device {
	var out []Device
	for _, l := range s.Lines() {
		out = append(out, l.Devices...)
	}
	return out
}

// Device returns the device called id, in any letter case.
func (s *Station) Device(id cash.DeviceID) (Device, bool) {
	for _, d := range s.Devices() {
		if got := d.Snapshot().ID; got != "" && strings.EqualFold(string(got), string(id)) {
			return d, true
		}
	}
	return nil, false
}

// Trace returns the line of a port, whose Trace and Subscribe show its frames.
func (s *Station) Trace(port string) (*line.Line, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.find(port); l != nil {
		return l.line, true
	}
	return nil, false
}

// find returns the line of a port; the caller holds s.mu.
func (s *Station) find(port string) *stationLine {
	for _, l := range s.lines {
		if l.cfg.Port == port {
			return l
		}
	}
	return nil
}

// at returns the device at an address of l; the caller holds the station's mutex.
func (l *stationLine) at(addr ssp.Address) *Base {
	for _, b := range l.bases {
		if b.cfg.device.Address == addr {
			return b
		}
	}
	return nil
}
