package cashdevice

import (
	"strconv"

	"coffer/devices"
	"coffer/internal/cash"
)

// deviceStatus: GET GetDeviceStatus → the events since the last call, [] for none. It never waits for the machine.
func (c *call) deviceStatus() (any, error) {
	_, events := c.events()
	return events, nil
}

// deviceStatusV2: GET GetDeviceStatus/v2 → the same queue with the state that it ends in, as later servers answer.
func (c *call) deviceStatusV2() (any, error) {
	state, events := c.events()
	return object{{"deviceState", state.String()}, {"pollBuffer", events}}, nil
}

// events drains the queue, unless the client has gone, whom the answer would not reach. state is what was told last.
func (c *call) events() (state cash.State, out list) {
	v := c.view
	v.mu.Lock()
	defer v.mu.Unlock()
	v.catchUp()
	state = v.story.shown
	if c.ctx.Err() != nil {
		return state, list{}
	}
	entries, dropped := v.queue.drain()
	if dropped > 0 {
		c.api.log.WithField("device", v.device).Errorf("%d cash events were dropped before anybody fetched them; the ledger has the money", dropped)
	}
	out = make(list, len(entries))
	for i, e := range entries {
		out[i] = e.body
	}
	return state, out
}

// lastRejectCode: GET GetLastRejectCode → dump of RejectCategory.
func (c *call) lastRejectCode() (any, error) {
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	m, ok := d.(devices.LastRejecter)
	if !ok {
		return nil, cash.ErrUnsupported
	}
	code, err := m.LastReject(c.ctx)
	return dump(c.id, "RejectCategory", rejectText(code)), err
}

// rejectReasons are the texts of the last-reject codes of SSP (specs/itl-rest.md §6.9).
var rejectReasons = [...]string{
	"Note Accepted", "Invalid Note Length", "Invalid Note", "Invalid Note", "Invalid Note", "Invalid Note", "Channel Inhibit",
	"Second Note Inserted", "Host Rejected Note", "Invalid Note", "Invalid Note Read", "Note Too Long", "Validator Disabled",
	"Mechanism Slow/Stalled", "Strimming Attempt", "Fraud Channel Reject", "No Notes Inserted", "Peak Detect Fail",
	"Twisted Note Detected", "Escrow Time-Out", "Bar Code Scan Fail", "Invalid Note Read", "Slot Fail 1", "Slot Fail 2",
	"Lens Over-Sample", "Width Detection Fail", "Short Note Detected", "Note Payout", "Unable To Stack Note",
}

// rejectText is the text of a last-reject code; an unknown one prints its number.
func rejectText(code byte) string {
	if int(code) < len(rejectReasons) {
		return "Reject Reason: " + rejectReasons[code]
	}
	return "Reject Reason: Code " + strconv.Itoa(int(code))
}

// comPortReadError: GET comPortReadError → dump of whether the port cannot be read at the moment. It does not ask the
// machine.
func (c *call) comPortReadError() (any, error) {
	broken := true
	for _, l := range c.api.station.Lines() {
		if l.Port == c.view.port {
			broken = !l.State.Open
		}
	}
	return dump(c.id, "ComPortReadError", truth(broken)), nil
}
