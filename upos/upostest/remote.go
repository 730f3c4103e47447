package upostest

import (
	"context"
	"errors"
	"testing"
	"time"

	"coffer/upos"
	"coffer/upos/uposclient"
)

// Remote is an App over HTTP: an instance that is not open, forgotten at the end of the test. Its events come by WebSocket
// if stream, else by long poll.
func Remote(t testing.TB, c *uposclient.Client, class upos.Class, stream bool) App {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h, err := c.Open(ctx, string(class), "")
	if err != nil {
		t.Fatal(err)
	}
	r := &remote{ctx: ctx, h: h, streaming: stream}
	t.Cleanup(func() {
		if r.events != nil {
			r.events.Close()
		}
		_ = h.Close(ctx) // the test may have done that
		cancel()
	})
	return r
}

type remote struct {
	ctx       context.Context
	h         *uposclient.Handle
	streaming bool
	events    *uposclient.Stream // once Next was called
	acked     uint64             // by long poll, with the next one
}

// failure is an error as the package itself reports it.
func failure(err error) error {
	var e *uposclient.Error
	if errors.As(err, &e) && e.Code != 0 {
		return &upos.Error{Code: e.Code, Extended: e.Extended, Message: e.Message}
	}
	return err
}

func (r *remote) Open(name string) error {
	_, err := r.Call("Open", map[string]any{"deviceName": name})
	return err
}

func (r *remote) Get(property string) (any, error) {
	v, err := r.h.Get(r.ctx, property)
	return v, failure(err)
}

func (r *remote) Set(property string, v any) error { return failure(r.h.Set(r.ctx, property, v)) }

func (r *remote) Call(method string, args map[string]any) (map[string]any, error) {
	out, err := r.h.Call(r.ctx, method, args)
	return out, failure(err)
}

func (r *remote) Next(ctx context.Context) (upos.Event, error) {
	if r.streaming {
		return r.receive(ctx)
	}
	for {
		wait := time.Minute
		if until, limited := ctx.Deadline(); limited {
			wait = max(0, time.Until(until))
		}
		e, found, err := r.h.Poll(r.ctx, r.acked, wait)
		switch {
		case err != nil:
			return upos.Event{}, failure(err)
		case found:
			return event(e), nil
		case ctx.Err() != nil:
			return upos.Event{}, ctx.Err()
		}
	}
}

func (r *remote) receive(ctx context.Context) (upos.Event, error) {
	if r.events == nil {
		var err error
		if r.events, err = r.h.Stream(r.ctx); err != nil {
			return upos.Event{}, failure(err)
		}
	}
	e, err := r.events.Next(ctx)
	return event(e), err
}

func event(e uposclient.Event) upos.Event {
	return upos.Event{Seq: e.Seq, Kind: e.Kind, Status: e.Status, Number: e.EventNumber, Data: e.Data, Obj: e.Obj, At: e.At, Properties: e.Properties}
}

func (r *remote) Ack(seq uint64) error {
	if r.streaming {
		return r.events.Ack(r.ctx, seq)
	}
	r.acked = seq
	_, _, err := r.h.Poll(r.ctx, seq, 0)
	return failure(err)
}
