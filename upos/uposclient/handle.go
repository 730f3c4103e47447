package uposclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"
)

// Forever is a claim that waits until it is granted.
const Forever = time.Duration(-1) * time.Millisecond

// Args are the named arguments of a method, or what it gives back. Numbers that come back are int32.
type Args map[string]any

// Handle is one instance of a device: what claim, event queue and AsyncMode belong to. Safe for use from any goroutine.
// The server ends it when it was not used for the time of its lease.
type Handle struct {
	c               *Client
	id, class, name string
}

// ID names the instance, for Client.Resume.
func (h *Handle) ID() string { return h.id }

// Class is the UnifiedPOS class.
func (h *Handle) Class() string { return h.class }

// Name is the logical name that was opened.
func (h *Handle) Name() string { return h.name }

func (h *Handle) path(rest string) string { return "/upos/v1/handles/" + url.PathEscape(h.id) + rest }

// value is a property or argument on its way in: bool, int32 or string.
type value struct{ v any }

// UnmarshalJSON reads a value. A whole number becomes an int32.
func (v *value) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v.v); err != nil {
		return err
	}
	n, ok := v.v.(json.Number)
	if !ok {
		return nil
	}
	i, err := n.Int64()
	if err != nil || i < math.MinInt32 || i > math.MaxInt32 {
		return fmt.Errorf("%s is not a 32-bit number", n)
	}
	v.v = int32(i)
	return nil
}

// UnmarshalJSON reads arguments. Whole numbers become int32.
func (a *Args) UnmarshalJSON(text []byte) error {
	var in map[string]value
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	*a = make(Args, len(in))
	for name, v := range in {
		(*a)[name] = v.v
	}
	return nil
}

// Get reads a property: a bool, an int32 or a string.
func (h *Handle) Get(ctx context.Context, property string) (any, error) {
	var out struct {
		Value value `json:"value"`
	}
	err := h.c.do(ctx, http.MethodGet, h.path("/properties/"+url.PathEscape(property)), nil, nil, &out)
	return out.Value.v, err
}

// Int, Text and Bool read a property of that type; another type is an error.
func (h *Handle) Int(ctx context.Context, property string) (int32, error) {
	return typed[int32](ctx, h, property)
}

// Text reads a string.
func (h *Handle) Text(ctx context.Context, property string) (string, error) {
	return typed[string](ctx, h, property)
}

// Bool reads a boolean.
func (h *Handle) Bool(ctx context.Context, property string) (bool, error) {
	return typed[bool](ctx, h, property)
}

func typed[T any](ctx context.Context, h *Handle, property string) (T, error) {
	v, err := h.Get(ctx, property)
	t, ok := v.(T)
	if err == nil && !ok {
		err = fmt.Errorf("%s is %v, a %T and no %T", property, v, v, t)
	}
	return t, err
}

// Properties reads all properties that are readable in the present state.
func (h *Handle) Properties(ctx context.Context) (Args, error) {
	var out struct {
		Properties Args `json:"properties"`
	}
	err := h.c.do(ctx, http.MethodGet, h.path("/properties"), nil, nil, &out)
	return out.Properties, err
}

// Set writes a property.
func (h *Handle) Set(ctx context.Context, property string, v any) error {
	return h.c.do(ctx, http.MethodPut, h.path("/properties/"+url.PathEscape(property)), nil, map[string]any{"value": v}, nil)
}

// Call calls a method and returns its out arguments. An error that is no *Error (a lost connection) leaves open whether
// the method was carried out: repeat a dispense with CallOnce alone.
func (h *Handle) Call(ctx context.Context, method string, args Args) (Args, error) {
	return h.CallOnce(ctx, "", method, args)
}

// CallOnce calls a method under a request id: however often it is called with the same id, arguments and device, a
// dispense is carried out once, and each call gets its outcome. "" is no id.
func (h *Handle) CallOnce(ctx context.Context, id, method string, args Args) (Args, error) {
	if args == nil {
		args = Args{}
	}
	var header http.Header
	if id != "" {
		header = http.Header{"Idempotency-Key": {id}}
	}
	var out struct {
		Out Args `json:"out"`
	}
	err := h.c.do(ctx, http.MethodPost, h.path("/methods/"+url.PathEscape(method)), header, map[string]any{"args": args}, &out)
	return out.Out, err
}

// Claim asks for exclusive access and waits up to timeout for it: 0 tries once, Forever waits as long as ctx lasts.
// E_TIMEOUT where another instance kept it.
func (h *Handle) Claim(ctx context.Context, timeout time.Duration) error {
	_, err := h.Call(ctx, "Claim", Args{"timeout": timeout.Milliseconds()})
	return err
}

// Release gives the claim back.
func (h *Handle) Release(ctx context.Context) error {
	_, err := h.Call(ctx, "Release", nil)
	return err
}

// Enable sets DeviceEnabled.
func (h *Handle) Enable(ctx context.Context) error { return h.Set(ctx, "DeviceEnabled", true) }

// Close ends the instance: a deposit is settled and kept, the claim released, events discarded.
func (h *Handle) Close(ctx context.Context) error {
	return h.c.do(ctx, http.MethodDelete, h.path(""), nil, nil, nil)
}
