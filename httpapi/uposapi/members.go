package uposapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"coffer/upos"
)

// properties answers GET …/properties with all that are readable in the present state.
func (c *call) properties() error {
	return c.with(func(i *instance) error {
		answer(c.w, http.StatusOK, map[string]any{"properties": i.h.Properties()})
		return nil
	})
}

// get answers GET …/properties/{name}.
func (c *call) get() error {
	return c.with(func(i *instance) error {
		v, err := i.h.Get(mux.Vars(c.r)["name"])
		if err != nil {
			return err
		}
		answer(c.w, http.StatusOK, map[string]any{"value": v})
		return nil
	})
}

// set answers PUT …/properties/{name} {"value":…} with 204.
func (c *call) set() error {
	return c.with(func(i *instance) error {
		var in struct {
			Value any `json:"value"`
		}
		if err := c.read(&in); err != nil {
			return err
		}
		v, err := plain("value", in.Value)
		if err != nil {
			return err
		}
		if err := i.h.Set(mux.Vars(c.r)["name"], v); err != nil {
			return err
		}
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

// invocation is the body of a method call.
type invocation struct {
	Args      map[string]any `json:"args"`
	RequestID string         `json:"requestId"`
}

// maxRequestID bounds a client's request id, in bytes.
const maxRequestID = 128

// invoke answers POST …/methods/{name} {"args":{…}} with the out arguments. With a request id the call is carried out
// once, however often it comes.
func (c *call) invoke() error {
	return c.with(func(i *instance) error {
		in, id, err := c.invocation()
		if err != nil {
			return err
		}
		out, err := c.carryOut(i, in, id)
		if err != nil {
			return err
		}
		if out == nil {
			out = map[string]any{}
		}
		answer(c.w, http.StatusOK, map[string]any{"out": out})
		return nil
	})
}

// carryOut calls the method, under its request id where it has one.
func (c *call) carryOut(i *instance, in upos.Invocation, id string) (out map[string]any, err error) {
	ctx := c.limits(in.Method)
	if in.Method == "Open" {
		out, err = i.h.Call(ctx, in)
		if err == nil {
			c.adopt(i)
		}
		return out, err
	}
	if id == "" || waits(in.Method) {
		return i.h.Call(ctx, in)
	}
	in.Key = ledgerKey(i.h.Name(), c.user, id)
	return i.calls.once(c.r.Context(), id, in, func() (map[string]any, error) { return i.h.Call(ctx, in) })
}

// invocation reads a method call and its request id.
func (c *call) invocation() (in upos.Invocation, id string, err error) {
	var body invocation
	if err := c.read(&body); err != nil {
		return in, "", err
	}
	id = c.r.Header.Get("Idempotency-Key")
	switch {
	case id != "" && body.RequestID != "" && id != body.RequestID:
		return in, "", malformed("requestId and the header Idempotency-Key name different calls")
	case id == "":
		id = body.RequestID
	}
	if len(id) > maxRequestID {
		return in, "", malformed("a request id has at most 128 bytes")
	}
	in = upos.Invocation{Method: mux.Vars(c.r)["name"], Args: make(map[string]any, len(body.Args)), Actor: c.user}
	for name, v := range body.Args {
		if in.Args[name], err = plain("args."+name, v); err != nil {
			return in, "", err
		}
	}
	return in, id, nil
}

// waits says whether the method does nothing but wait for something, which ends when its caller has gone.
func waits(method string) bool { return method == "Claim" || method == "WaitForDrawerClose" }

// limits is the context of a method call. What moves things goes on when the caller has gone: its answer waits under
// the request id. The time limit for reading a request does not count while a method runs.
func (c *call) limits(method string) context.Context {
	// An error means that the connection under us knows no deadlines (a test's recorder).
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
	if waits(method) {
		return c.r.Context()
	}
	return context.WithoutCancel(c.r.Context())
}
