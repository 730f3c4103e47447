package cashdevice

import (
	"context"
	"errors"
	"strings"
	"sync"

	"coffer/devices"
	"coffer/internal/cash"
)

// Older clients open a machine in four steps, for which OpenConnection stands today: InitialiseDevice, OpenDevice,
// ConnectDevice, StartDevice. No document has their contract any more. They choose the deviceID themselves, as Name; one
// that does not gets the id of today. Each step takes what an earlier one did not bring, and the acceptor stays off.

// draft is a machine on its way through the four steps.
type draft struct {
	target
	known  bool // where it is
	device devices.Device
}

// drafts are the machines on their way, by the id that their client has chosen, in any letter case.
type drafts struct {
	mu   sync.Mutex
	byID map[string]*draft
}

// mostDrafts bounds what clients begin and do not end.
const mostDrafts = 256

func (d *drafts) put(id string, x *draft) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byID == nil || len(d.byID) >= mostDrafts {
		d.byID = map[string]*draft{}
	}
	d.byID[strings.ToLower(id)] = x
}

func (d *drafts) get(id string) *draft {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byID[strings.ToLower(id)]
}

func (d *drafts) drop(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byID, strings.ToLower(id))
}

// step reads what a request of the four steps says: the id, and where the machine is, if it does.
func (c *call) step() (string, *draft, error) {
	in, err := c.object()
	if err != nil {
		return "", nil, err
	}
	id := c.query["deviceid"]
	if id == "" {
		id = in.text("DeviceID", "Name")
	}
	x := &draft{}
	if before := c.api.drafts.get(id); before != nil {
		*x = *before
	}
	if portOf(in) != nil {
		if x.target, err = c.target(in); err != nil {
			if p := new(problem); errors.As(err, &p) {
				return "", nil, err
			}
			return "", nil, openFailed(err)
		}
		x.known, x.device = true, nil
	}
	c.id = id
	return id, x, in.err()
}

// initialiseDevice: POST InitialiseDevice. It keeps what the request says for the steps to come.
func (c *call) initialiseDevice() (any, error) {
	id, x, err := c.step()
	if err != nil {
		return nil, err
	}
	if id == "" {
		return "Device initialised successfully.", nil
	}
	c.api.drafts.put(id, x)
	return id + ": Device initialised successfully.", nil
}

// openDevice: POST OpenDevice {"ComPort":"COM5","SSPAddress":0,"Name":"NV200S"}. The machine must answer.
func (c *call) openDevice() (any, error) {
	id, x, err := c.step()
	if err != nil {
		return nil, err
	}
	if !x.known {
		return nil, fault("ComPort", "The ComPort field is required.")
	}
	if err := c.reach(x); err != nil {
		return nil, err
	}
	if id, err = c.name(id, x); err != nil {
		return nil, err
	}
	c.api.drafts.put(id, x)
	return id + ": Device opened successfully.", nil
}

// reach opens the machine of a draft.
func (c *call) reach(x *draft) (err error) {
	defer c.api.views.lock(x.port, x.addr)()
	ctx, stop := context.WithTimeout(c.ctx, openTimeout)
	defer stop()
	if x.device, err = c.open(ctx, x.target); err != nil {
		return openFailed(err)
	}
	return nil
}

// name is the id of the machine of a draft: the one that its client has chosen, or that of today. The id of another
// machine is refused, since its clients would speak to this one; a name that was chosen for another moves over.
func (c *call) name(id string, x *draft) (string, error) {
	own := x.device.Snapshot().ID
	if id == "" {
		id = c.api.idOf(x.device, x.place)
	}
	c.id = id
	d, known := c.api.station.Device(cash.DeviceID(id))
	v := c.api.views.find(id)
	if known && d.Snapshot().ID != own || v != nil && v.device != own && !v.chosen {
		return "", &refusal{status: 400, body: id + ": The name belongs to another device.", err: cash.ErrInvalid}
	}
	return id, nil
}

// connectDevice: POST ConnectDevice. It begins the view of the machine, which is silent until StartDevice. Of a machine
// that is connected it changes nothing.
func (c *call) connectDevice() (any, error) {
	id, x, err := c.step()
	if err != nil {
		return nil, err
	}
	if v := c.api.views.find(id); v != nil && !x.known {
		return v.id + ": Device connected successfully.", nil
	}
	if !x.known {
		if id == "" {
			return nil, fault("deviceID", "The deviceID field is required.")
		}
		return nil, errNoDevice
	}
	if x.device == nil {
		if err := c.reach(x); err != nil {
			return nil, err
		}
	}
	if id, err = c.name(id, x); err != nil {
		return nil, err
	}
	defer c.api.views.lock(x.port, x.addr)()
	v := c.api.newView(x.device, x.place, id)
	v.chosen = id != c.api.idOf(x.device, x.place)
	v.arrive(false)
	v.run(c.api.ctx, func() bool { return c.api.accepts(v.device) }, c.api.log)
	for _, before := range c.api.views.put(v) {
		before.end()
	}
	c.api.drafts.drop(id)
	return id + ": Device connected successfully.", nil
}
