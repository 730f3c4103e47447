package upos

import (
	"context"
	"slices"
	"time"
)

// The kinds of events that cash devices have.
const (
	DataEvent         = "DataEvent"
	StatusUpdateEvent = "StatusUpdateEvent"
	DirectIOEvent     = "DirectIOEvent"
)

// Event is one event as an application gets it.
type Event struct {
	Seq    uint64 // rises by one with every event of the handle; what Ack wants
	Kind   string // DataEvent, StatusUpdateEvent or DirectIOEvent
	Status int32  // of the first two
	Number int32  // EventNumber, Data and Obj of a DirectIOEvent
	Data   int32
	Obj    string
	At     time.Time // when it happened

	// Properties holds those that the event changed or reports, as they are when it is delivered.
	Properties map[string]any
}

// queued is an event that waits, with what its delivery changes.
type queued struct {
	Event
	deposit int    // of a DataEvent: which deposit of the handle
	taken   Pieces // and all that had been taken in it by then,
	upTo    int    // by so many changes
	about   []string
}

// delivery is the event that the application has and has not acknowledged. void: it was discarded meanwhile.
type delivery struct {
	Event
	void bool
}

// maxQueue bounds the queue of an application that never takes its events: weeks of them.
const maxQueue = 10_000

// enqueue puts an event at the end of the queue, if the device is enabled. The caller holds mu.
func (h *Handle) enqueue(q queued) {
	if !h.enabled {
		return
	}
	q.At = h.service.opts.Now()
	if len(h.queue) >= maxQueue {
		h.drop()
	}
	h.queue = append(h.queue, q)
	h.poke()
}

// drop gives up the oldest event, a DataEvent only if there is nothing else: those after it carry its money too. The
// caller holds mu.
func (h *Handle) drop() {
	i := max(0, slices.IndexFunc(h.queue, func(q queued) bool { return q.Kind != DataEvent }))
	if h.queue = slices.Delete(h.queue, i, i+1); !h.overrun {
		h.overrun = true
		h.service.opts.Log.Warnf("upos %s: an application does not take its events; the oldest of %d are dropped", h.dev.cfg.Name, maxQueue)
	}
}

// status queues a StatusUpdateEvent that reports the named properties. The caller holds mu.
func (h *Handle) status(code int32, about ...string) {
	h.enqueue(queued{Event: Event{Kind: StatusUpdateEvent, Status: code}, about: about})
}

// direct queues a DirectIOEvent. The caller holds mu.
func (h *Handle) direct(number, data int32, obj string) {
	h.enqueue(queued{Event: Event{Kind: DirectIOEvent, Number: number, Data: data, Obj: obj}})
}

// poke wakes whoever waits in Next. The caller holds mu.
func (h *Handle) poke() {
	close(h.wake)
	h.wake = make(chan struct{})
}

// dataCount is the number of DataEvents that wait. The caller holds mu.
func (h *Handle) dataCount() int32 {
	n := int32(0)
	for _, q := range h.queue {
		if q.Kind == DataEvent {
			n++
		}
	}
	return n
}

// discard drops all events, or only the DataEvents. One that is with the application counts as delivered. The caller
// holds mu.
func (h *Handle) discard(dataOnly bool) {
	var keep []queued
	for _, q := range h.queue {
		if dataOnly && q.Kind != DataEvent {
			keep = append(keep, q)
		}
	}
	h.queue = keep
	if h.flight != nil && (!dataOnly || h.flight.Kind == DataEvent) {
		h.flight.void = true
	}
	h.poke()
}

// front returns the index of the next event that may be delivered, or -1. The caller holds mu.
func (h *Handle) front() int {
	for i, q := range h.queue {
		switch {
		case q.Kind != DataEvent || h.dataEnabled:
			return i
		case h.dev.cfg.StrictFIFO:
			return -1
		}
	}
	return -1
}

// Next waits for the first event that may be delivered and returns it. From this moment a DataEvent counts as delivered
// for the properties: DataEventEnabled is false and the amounts are copied. The next event follows after Ack; until
// then Next returns the same one again, so that a reader that lost its connection misses nothing. While FreezeEvents is
// true Next returns nothing. Errors: ErrClosed, and ctx's.
func (h *Handle) Next(ctx context.Context) (Event, error) {
	for {
		h.service.mu.Lock()
		if h.dev == nil {
			h.service.mu.Unlock()
			return Event{}, ErrClosed
		}
		ev, ok := h.deliver()
		wake := h.wake
		h.service.mu.Unlock()
		if ok {
			return ev, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
}

// deliver begins the delivery of the next event, or repeats the one that is not acknowledged. The caller holds mu.
func (h *Handle) deliver() (Event, bool) {
	if h.frozen {
		return Event{}, false
	}
	if h.flight != nil && !h.flight.void {
		return h.flight.Event, true
	}
	i := h.front()
	if i < 0 {
		return Event{}, false
	}
	q := h.queue[i]
	h.queue = append(h.queue[:i:i], h.queue[i+1:]...)
	if q.Kind == DataEvent {
		h.dataEnabled = false
		h.show(q)
	}
	h.seq++
	q.Seq = h.seq
	q.Properties = map[string]any{}
	for _, name := range q.about {
		if get := getters[name]; h.has(name) && get != nil {
			q.Properties[name] = get(h, h.dev.last)
		}
	}
	h.flight = &delivery{Event: q.Event}
	return q.Event, true
}

// has says whether the class has the property.
func (h *Handle) has(property string) bool {
	_, ok := find(h.class, property, false)
	return ok
}

// Ack says that the handler of event seq has returned: it is delivered for good and the next may follow. An event that
// was acknowledged before is none of its business any more. Errors: ErrClosed, E_ILLEGAL for an event never delivered.
func (h *Handle) Ack(seq uint64) error {
	h.service.mu.Lock()
	defer h.service.mu.Unlock()
	switch {
	case h.dev == nil:
		return ErrClosed
	case seq > h.seq || seq == 0:
		return fail(E_ILLEGAL, "event %d was not delivered: the last one is %d", seq, h.seq)
	case h.flight != nil && h.flight.Seq == seq:
		h.flight = nil
		h.poke()
	}
	return nil
}
