package cashdevice

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// openTimeout is how long OpenConnection waits for a machine.
const openTimeout = 30 * time.Second

// connectedUSBDevices: GET or POST GetConnectedUSBDevices → the configured lines; Port is what OpenConnection takes.
// Names are PascalCase in both dialects.
func (c *call) connectedUSBDevices() (any, error) {
	out := list{}
	for i, l := range c.api.configured() {
		for _, d := range l.Devices {
			out = append(out, object{{"Port", i}, {"DeviceName", usbName(d.Snapshot())}, {"VendorId", 6428}, {"ProductId", 16644}})
		}
	}
	return out, nil
}

// usbName is the name that the maker's devices have on USB.
func usbName(s *devices.Snapshot) string {
	switch {
	case s.Coins:
		return "ITL SMART System DEVICE"
	case isNV22(s):
		return "NV9 Spectral"
	}
	return "NV200 Spectral"
}

// isNV22 tells the NV22 Spectral from other recyclers, which it shares the model with.
func isNV22(s *devices.Snapshot) bool { return strings.HasPrefix(s.Firmware, "NVS009") }

// allCashDevices: GET GetAllCashDevices → the open deviceIDs.
func (c *call) allCashDevices() (any, error) {
	ids := []string{}
	for _, v := range c.api.views.all() {
		ids = append(ids, v.id)
	}
	slices.Sort(ids)
	out := list{}
	for _, id := range ids {
		out = append(out, id)
	}
	return out, nil
}

// configured returns the lines of the configuration, in its order.
func (a *api) configured() []devices.LineStatus {
	return slices.DeleteFunc(a.station.Lines(), func(l devices.LineStatus) bool { return l.AdHoc })
}

// place finds the line that a request means by ComPort or Port: an integer is the Nth configured line from 0, a text
// its name. With a name that no line has, that port is opened. index is -1 for a line asked for by name.
func (a *api) place(v any) (port string, index int, err error) {
	lines := a.configured()
	name, isText := v.(string)
	if isText {
		i := slices.IndexFunc(lines, func(l devices.LineStatus) bool { return l.Port == name })
		if i < 0 {
			i = slices.IndexFunc(lines, func(l devices.LineStatus) bool { return strings.EqualFold(l.Port, name) })
		}
		if i >= 0 {
			return lines[i].Port, -1, nil
		}
	}
	n, isNumber := asInt(v)
	switch {
	case isNumber && n >= 0 && n < int64(len(lines)):
		return lines[n].Port, int(n), nil
	case isNumber:
		return "", -1, cash.ErrNotConnected
	case isText && strings.TrimSpace(name) != "":
		return name, -1, nil
	}
	return "", -1, fault("ComPort", "The ComPort field is required.")
}

// target is what a request to open says of the machine: where it is and with which key it speaks.
type target struct {
	place
	key uint64 // 0 for the key that is in force
}

// target reads where a machine is. An error that is no problem is cash.ErrNotConnected.
func (c *call) target(in *form) (target, error) {
	where := portOf(in)
	address, key := in.number(0, 0x7D, "SspAddress"), in.unsigned("EncKey")
	if err := in.err(); err != nil {
		return target{}, err
	}
	port, index, err := c.api.place(where)
	return target{place{port, index, ssp.Address(address)}, key}, err
}

// open opens the machine; the caller holds the lock of its place. Another key connects a machine anew, which whoever has
// claimed it would feel: then it is cash.ErrClaimed.
func (c *call) open(ctx context.Context, t target) (d devices.Device, err error) {
	if t.key == 0 {
		return c.api.station.Open(ctx, t.port, t.addr)
	}
	before := c.api.at(t.place)
	if before == nil || c.api.station.HasKey(t.port, t.addr, t.key) {
		return c.api.station.OpenKeyed(ctx, t.port, t.addr, t.key)
	}
	err = c.api.till.Do(ctx, c.by(), before, "open with a key", func(ctx context.Context) (err error) {
		d, err = c.api.station.OpenKeyed(ctx, t.port, t.addr, t.key)
		return err
	})
	return d, err
}

// at returns the machine that is driven at a place, nil for none.
func (a *api) at(p place) devices.Device {
	for _, l := range a.station.Lines() {
		for _, d := range l.Devices {
			if l.Port == p.port && d.Snapshot().Address == p.addr {
				return d
			}
		}
	}
	return nil
}

// openConnection: POST OpenConnection. It opens or takes over the machine, sets it up as asked and begins its view.
func (c *call) openConnection() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	ask := in.setup()
	t, err := c.target(in)
	if p := new(problem); errors.As(err, &p) {
		return nil, err
	}
	if err != nil {
		return nil, openFailed(err)
	}
	defer c.api.views.lock(t.port, t.addr)()
	ctx, stop := context.WithTimeout(c.ctx, openTimeout)
	defer stop()
	d, err := c.open(ctx, t)
	if err != nil {
		return nil, openFailed(err)
	}
	answer, err := c.begin(ctx, d, t.place, ask)
	if err != nil {
		return nil, openFailed(err)
	}
	return answer, nil
}

// place is where a machine was asked for.
type place struct {
	port  string
	index int // of the configured line, where it was asked for by number, else -1
	addr  ssp.Address
}

// begin starts the view of d, in place of an earlier one, and sets the machine up.
func (c *call) begin(ctx context.Context, d devices.Device, at place, ask setup) (any, error) {
	c.id = c.api.idOf(d, at)
	v := c.api.newView(d, at, c.id)
	c.view = v
	if ask.log != "" {
		if err := c.logTo(v, ask.log); err != nil {
			c.api.log.WithField("device", v.device).WithError(err).Warn("OpenConnection: LogFilePath cannot be used; give one that ends in .log, or a folder")
		}
	}
	v.arrive(true)
	done, err := c.apply(ctx, d, ask)
	if err != nil {
		v.cursor.Close()
		v.log.close()
		return nil, err
	}
	v.run(c.api.ctx, func() bool { return c.api.accepts(v.device) }, c.api.log)
	for _, before := range c.api.views.put(v) {
		before.end()
	}
	return done.answer(), nil
}

// idOf is the deviceID that a machine is given when a client opens it.
func (a *api) idOf(d devices.Device, at place) string {
	if at.index >= 0 && a.dialect == Android {
		return androidID(d.Snapshot(), at)
	}
	return string(d.Snapshot().ID)
}

// accepts says whether the acceptor of the machine is on.
func (a *api) accepts(id cash.DeviceID) bool {
	d, ok := a.station.Device(id)
	return ok && d.Snapshot().AcceptorEnabled
}

// androidID is the deviceID in the form of the Android server: the index of the line in place of its name.
func androidID(s *devices.Snapshot, at place) string {
	id, suffix := s.Model+"-"+strconv.Itoa(at.index), ""
	if i := strings.LastIndexByte(string(s.ID), '@'); i >= 0 {
		suffix = string(s.ID)[i:]
	}
	return id + suffix
}

// openFailed words a failed OpenConnection: never a deviceID, never 200.
func openFailed(err error) error {
	word := "PORT_ERROR"
	if errors.Is(err, cash.ErrUnauthorized) {
		word = "ENCRYPTION_ERROR"
	} else if r := rowOf(err); errors.Is(err, cash.ErrClaimed) || errors.Is(err, cash.ErrJam) || errors.Is(err, cash.ErrBusy) || errors.Is(err, cash.ErrJournal) {
		word = r.word
	}
	return &refusal{status: 400, body: object{{"openResult", "FAILED"}, {"error", word}}, err: err}
}

// disconnectDevice: POST DisconnectDevice. The view ends and its id is forgotten; the acceptor goes off; a port opened
// for it is released. The machine may be lost or held by another, so that what it refuses does not keep it.
func (c *call) disconnectDevice() (any, error) {
	return c.id + ": Device disconnected and cleaned up successfully.", c.leave()
}

// leave ends the view.
func (c *call) leave() error {
	defer c.api.views.lock(c.view.port, c.view.addr)()
	if !c.api.views.remove(c.view) {
		return errNoDevice
	}
	c.view.end()
	if d, err := c.device(); err == nil {
		ctx, stop := context.WithTimeout(context.WithoutCancel(c.ctx), openTimeout)
		defer stop()
		if err := c.api.till.Disable(ctx, c.by(), d); err != nil {
			c.api.log.WithError(err).WithField("device", c.view.device).Warn("acceptor could not be turned off at DisconnectDevice")
		}
	}
	c.api.station.Release(c.view.device)
	return nil
}

// stopDevice: POST StopDevice. The acceptor goes off and the view is silent about states until StartDevice.
func (c *call) stopDevice() (any, error) {
	return c.do(c.id+": Device stopped successfully.", func(d devices.Device) error {
		c.view.gear.Lock()
		defer c.view.gear.Unlock()
		halted := c.view.halt(d.Snapshot().AcceptorEnabled)
		err := c.api.till.Disable(c.ctx, c.by(), d)
		if halted {
			c.view.halted(err == nil)
		}
		return err
	})
}

// startDevice: POST StartDevice. Of a running device it changes nothing. Where the acceptor cannot be turned on again the
// device stays stopped, so that the next StartDevice tries again.
func (c *call) startDevice() (any, error) {
	return c.do(c.id+": Device started successfully.", func(d devices.Device) error {
		c.view.gear.Lock()
		defer c.view.gear.Unlock()
		if resume := c.view.restart(); !resume {
			return nil
		}
		err := c.api.till.Enable(c.ctx, c.by(), d)
		if err != nil {
			c.view.halted(true)
		}
		return err
	})
}

// halt tells STOPPING and nothing of states from then on; false for a view that is stopped already. accepting is what
// StartDevice brings back.
func (v *view) halt(accepting bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.catchUp()
	if !v.story.running {
		return false
	}
	v.resume = accepting
	v.pass(cash.StateStopping)
	v.story.silent = true
	return true
}

// halted tells how it went: STOPPED, or the state that the machine is still in.
func (v *view) halted(ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.catchUp()
	v.story.silent = false
	if !ok {
		v.pass(v.story.machine)
		return
	}
	v.story.running = false
	v.pass(cash.StateStopped)
	v.story.silent = true
}

// restart tells STARTING, STARTED and the machine's state, and says whether the acceptor is to be turned on again.
func (v *view) restart() (accept bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.catchUp()
	if v.story.running {
		return false
	}
	v.story.running, v.story.silent = true, false
	v.pass(cash.StateStarting, cash.StateStarted)
	if accept = v.resume; !accept || v.story.machine != cash.StateDisabled {
		v.pass(v.story.machine)
	}
	return accept
}

// resetDevice: POST ResetDevice. The machine restarts and its id is forgotten, as by the maker's server since 1.4.4:
// OpenConnection is needed again.
func (c *call) resetDevice() (any, error) {
	answer, err := c.change("reset", "Device reset successfully.", func(ctx context.Context, d devices.Device) error { return d.Reset(ctx) })
	if err != nil {
		return nil, err
	}
	defer c.api.views.lock(c.view.port, c.view.addr)()
	if c.api.views.remove(c.view) {
		c.view.end()
		c.api.station.Release(c.view.device)
	}
	return answer, nil
}
