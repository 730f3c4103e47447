package upos

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/cash"
)

// Handle is one instance of a device: what UnifiedPOS calls a control. Claim, enable, freeze, the event queue and the
// modes are its own; the machines are shared with the other handles of the device. Safe for use from any goroutine, and
// from the handler of an event.
type Handle struct {
	service *Service
	class   Class
	owner   string        // names this handle to the machinery
	slot    chan struct{} // has one call at a time talk to the machines

	// The rest is guarded by service.mu.
	dev   *device // nil while closed
	gone  context.CancelFunc
	life  context.Context // ends with Close
	caps  capabilities
	each  []capabilities // of the parts, for CurrentService
	bills []bool         // which parts are of bills

	enabled, frozen, dataEnabled bool
	powerNotify, powerState      int32
	healthText                   string
	openResult, binary           int32 // of OPOS
	result, extended             int32 // of the last call, for OPOS

	currency            cash.Currency
	exit, part          int32 // CurrentExit, CurrentService
	async, realTime     bool
	asyncCode, asyncExt int32
	deposit             deposit
	last                outcome

	queue   []queued
	flight  *delivery
	overrun bool          // events were dropped
	seq     uint64        // of the last event that was begun to be delivered
	wake    chan struct{} // closed and replaced when something may have become deliverable
}

// Invocation is one call of a method. Args has the parameters of the standard by name, lower case first: "cashCounts",
// "amount", "success", "control", "level", "timeout", "command", "data", "obj", "statisticsBuffer", "firmwareFileName".
type Invocation struct {
	Method string
	Args   map[string]any
	Key    string // names one payout for ever, so that a repeat pays nothing; "" for none
	Actor  string // who asks, for the ledger
}

// Class returns the device class.
func (h *Handle) Class() Class { return h.class }

// Name returns the logical name of the open device, "" while closed.
func (h *Handle) Name() string {
	h.service.mu.Lock()
	defer h.service.mu.Unlock()
	if h.dev == nil {
		return ""
	}
	return h.dev.cfg.Name
}

// unknown makes the error for a member that the class lacks.
func (h *Handle) unknown(name string) error {
	return &Error{Code: E_ILLEGAL, Message: fmt.Sprintf("%s has no member %s", h.class, name), cause: ErrUnknownMember}
}

// allowed checks the preconditions of an access, in the order of the standard. The caller holds mu.
func (h *Handle) allowed(a Access) error {
	if a == Always {
		return nil
	}
	if h.dev == nil {
		return fail(E_CLOSED, "the device is not open: open it first")
	}
	other := h.dev.holder != nil && h.dev.holder != h
	mine := h.dev.holder == h
	switch {
	case a == AfterClaim && !h.class.exclusive():
		if !mine {
			return fail(E_NOTCLAIMED, "%s is not claimed by this instance", h.dev.cfg.Name)
		}
		return nil
	case a == AfterOpen:
		return nil
	case a == WhileEnabled:
	case other:
		return fail(E_CLAIMED, "%s is claimed by another instance", h.dev.cfg.Name)
	case h.class.exclusive() && !mine:
		return fail(E_NOTCLAIMED, "claim %s first", h.dev.cfg.Name)
	}
	if a != AfterClaim && !h.enabled {
		return fail(E_DISABLED, "set DeviceEnabled of %s to true first", h.dev.cfg.Name)
	}
	return nil
}

// check is allowed for one who does not hold mu; it returns the device, nil while closed.
func (h *Handle) check(a Access) (*device, error) {
	h.service.mu.Lock()
	defer h.service.mu.Unlock()
	return h.dev, h.allowed(a)
}

// device returns the device of the open handle and its parts as they are now, once the access is allowed.
func (h *Handle) device(a Access) (*device, []Part, error) {
	d, err := h.check(a)
	if err != nil {
		return nil, nil, err
	}
	if d == nil {
		return nil, nil, nil
	}
	return d, d.parts(), nil
}

// Get returns a property: bool, int32 or string. An unknown name is ErrUnknownMember.
func (h *Handle) Get(property string) (any, error) {
	m, ok := find(h.class, property, false)
	if !ok {
		return nil, h.unknown(property)
	}
	var parts []Part
	if ofMachines[property] { // reading them costs something
		var err error
		if _, parts, err = h.device(m.Access); err != nil {
			return nil, err
		}
	}
	h.service.mu.Lock()
	defer h.service.mu.Unlock()
	if err := h.allowed(m.Access); err != nil {
		return nil, err
	}
	return getters[property](h, parts), nil
}

// Properties returns all properties that can be read in the present state.
func (h *Handle) Properties() map[string]any {
	_, parts, err := h.device(AfterOpen)
	h.service.mu.Lock()
	defer h.service.mu.Unlock()
	if err != nil && h.dev != nil {
		parts = nil // opened just now: what is read of the machines is empty for this once
	}
	out := map[string]any{}
	for _, m := range members[h.class] {
		if !m.Method && h.allowed(m.Access) == nil {
			out[m.Name] = getters[m.Name](h, parts)
		}
	}
	return out
}

// Set writes a property. It takes bool, string, and every kind of whole number that fits an int32.
func (h *Handle) Set(property string, value any) error {
	m, ok := find(h.class, property, false)
	if !ok {
		return h.unknown(property)
	}
	err := h.set(m, value)
	h.remember(err)
	return err
}

func (h *Handle) set(m Member, value any) error {
	access := m.WriteAccess
	if !m.Writable {
		access = AfterOpen
	}
	if _, err := h.check(access); err != nil {
		return err
	}
	if !m.Writable {
		return fail(E_ILLEGAL, "%s is read-only", m.Name)
	}
	v, err := convert(m.Type, value)
	if err != nil {
		return fail(E_ILLEGAL, "%s: %v", m.Name, err)
	}
	var parts []Part
	switch m.Name {
	case "DeviceEnabled":
		return h.enable(v.(bool))
	case "CurrencyCode":
		if _, parts, err = h.device(access); err != nil {
			return err
		}
	}
	h.service.mu.Lock()
	defer h.service.mu.Unlock()
	if err := h.allowed(access); err != nil {
		return err
	}
	return setters[m.Name](h, parts, v)
}

// remember keeps the result of a call for ResultCode and ResultCodeExtended.
func (h *Handle) remember(err error) {
	h.service.mu.Lock()
	h.result, h.extended = resultOf(err)
	h.service.mu.Unlock()
}

// Call invokes a method and returns its out parameters by name. An unknown name is ErrUnknownMember. When ctx ends before
// a synchronous payout does, the answer is E_TIMEOUT and the payout goes on.
func (h *Handle) Call(ctx context.Context, in Invocation) (map[string]any, error) {
	m, ok := find(h.class, in.Method, true)
	if !ok {
		return nil, h.unknown(in.Method)
	}
	out, err := h.call(ctx, m, in)
	err = wrap(err)
	h.remember(err)
	return out, err
}

func (h *Handle) call(ctx context.Context, m Member, in Invocation) (map[string]any, error) {
	c := &call{Invocation: in, ctx: ctx, h: h, member: m}
	if _, err := h.check(m.Access); err != nil {
		return nil, err
	}
	var bad error
	c.args, bad = arguments(m, in.Args)
	if bad != nil {
		return nil, bad
	}
	if err := h.capable(m.Name); err != nil {
		return nil, err
	}
	do := methods[m.Name]
	if !do.machine {
		return do.run(c)
	}
	free, err := h.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { free() }()
	c.free = free
	d, parts, err := h.device(m.Access) // again: another call may have changed the state meanwhile
	if err != nil {
		return nil, err
	}
	c.d, c.parts = d, parts
	var cancel context.CancelFunc
	c.ctx, cancel = context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.service.ctx, cancel)() // the end of the service does not wait for a machine's answer
	return do.run(c)
}

// call is a method on its way.
type call struct {
	Invocation
	ctx    context.Context
	h      *Handle
	member Member
	args   map[string]any // converted to the types of the members file

	// Of methods that talk to the machines.
	d     *device
	parts []Part
	free  func() // gives the turn back before the end; may be called again
}

func (c *call) int(name string) int32     { return c.args[name].(int32) }
func (c *call) string(name string) string { return c.args[name].(string) }

// request is what the machinery is told of who asks.
func (c *call) request() Request { return Request{Owner: c.h.owner, Actor: c.Actor, Key: c.Key} }

// method is how a method is done: machine for those that talk to the machines and so come one after the other.
type method struct {
	machine bool
	run     func(*call) (map[string]any, error)
}

// turn waits until no other call of the handle talks to the machines. No other handle does, apart from drawers, where it
// does no harm. free may be called more than once.
func (h *Handle) turn(ctx context.Context) (free func(), err error) {
	select {
	case h.slot <- struct{}{}:
	case <-ctx.Done():
		return nil, fail(E_TIMEOUT, "gave up waiting for another call: %v", ctx.Err())
	}
	done := false
	return func() {
		if !done {
			done = true
			<-h.slot
		}
	}, nil
}

// capable refuses a method whose capability is false.
func (h *Handle) capable(name string) error {
	h.service.mu.Lock()
	defer h.service.mu.Unlock()
	for _, need := range gates[name] {
		if _, has := find(h.class, need, false); has && h.dev != nil && h.caps.can(need) == false {
			return fail(E_ILLEGAL, "%s is false: the machines of %s cannot do it", need, h.dev.cfg.Name)
		}
	}
	return nil
}

// gates names the capabilities that must be true for a method, where the class has them.
var gates = map[string][]string{
	"BeginDeposit":           {"CapDeposit"},
	"EndDeposit":             {"CapDeposit"},
	"FixDeposit":             {"CapDeposit"},
	"PauseDeposit":           {"CapDeposit", "CapPauseDeposit"},
	"RetrieveStatistics":     {"CapStatisticsReporting"},
	"ResetStatistics":        {"CapStatisticsReporting", "CapUpdateStatistics"},
	"UpdateStatistics":       {"CapStatisticsReporting", "CapUpdateStatistics"},
	"CompareFirmwareVersion": {"CapCompareFirmwareVersion"},
	"UpdateFirmware":         {"CapUpdateFirmware"},
}

// Close closes the instance: what it runs is halted, a deposit is ended with the money kept, its claim and its events are
// gone. It is the method Close and returns E_CLOSED the second time.
func (h *Handle) Close() error {
	_, err := h.Call(context.Background(), Invocation{Method: "Close"})
	return err
}

// elsewhere says whether an error of the machinery means that somebody else has it for the moment
func elsewhere(err error) bool {
	return errors.Is(err, cash.ErrClaimed) || errors.Is(err, cash.ErrBusy)
}
