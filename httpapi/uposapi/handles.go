package uposapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/gorilla/mux"

	"coffer/upos"
)

// devices answers GET /upos/v1/devices with what can be opened.
func (c *call) devices() error {
	all := []map[string]any{}
	for _, d := range c.Service.Devices() {
		all = append(all, map[string]any{
			"name": d.Name, "class": d.Class, "physicalDeviceName": d.Physical, "state": d.State, "handles": d.Handles,
			"claimed": d.Claimed, "enabled": d.Enabled, "online": d.Online, "jammed": d.Jammed,
		})
	}
	answer(c.w, http.StatusOK, map[string]any{"devices": all})
	return nil
}

// list answers GET /upos/v1/handles with the caller's own instances.
func (c *call) list() error {
	mine := c.owned(c.user)
	slices.SortFunc(mine, func(a, b *instance) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id)) })
	all := []any{}
	for _, i := range mine {
		all = append(all, i.describe())
	}
	answer(c.w, http.StatusOK, map[string]any{"handles": all})
	return nil
}

// open answers POST /upos/v1/handles {"class","name"} with a new instance. Without a name it is closed, as a control that
// an application has made and not opened yet.
func (c *call) open() error {
	var in struct {
		Class string `json:"class"`
		Name  string `json:"name"`
	}
	if err := c.read(&in); err != nil {
		return err
	}
	if in.Class == "" {
		return malformed(`the body is {"class":"CashChanger","name":"Till1"}; GET /upos/v1/devices lists what there is`)
	}
	h, err := c.Service.Handle(upos.Class(in.Class))
	if err == nil && in.Name != "" {
		_, err = h.Call(c.r.Context(), upos.Invocation{Method: "Open", Args: map[string]any{"deviceName": in.Name}, Actor: c.user})
	}
	var known *upos.Error
	switch {
	case errors.As(err, &known) && known.Code == upos.E_NOEXIST:
		return &refusal{http.StatusNotFound, known.Code, known.Message}
	case err != nil:
		return err
	}
	i, err := c.keep(h, c.user)
	if err != nil {
		_ = h.Close() // nothing was done with it
		return err
	}
	c.w.Header().Set("Location", root+"/handles/"+i.id)
	answer(c.w, http.StatusCreated, i.describe())
	return nil
}

// describe is an instance as the API shows it.
func (i *instance) describe() map[string]any {
	i.mu.Lock()
	defer i.mu.Unlock()
	return map[string]any{"handle": i.id, "class": i.h.Class(), "name": i.name, "leaseSeconds": i.lease.Seconds()}
}

// with calls f with the instance that the path names. It is kept meanwhile, as long as the caller is there: one who has
// hung up is dead or asks again.
func (c *call) with(f func(*instance) error) error {
	i, ok := c.find(mux.Vars(c.r)["handle"], c.user)
	if !ok || !i.begin() {
		return errNoHandle
	}
	end := sync.OnceFunc(i.end)
	defer end()
	defer context.AfterFunc(c.r.Context(), end)()
	return f(i)
}

// show answers GET /upos/v1/handles/{handle}.
func (c *call) show() error {
	return c.with(func(i *instance) error {
		answer(c.w, http.StatusOK, i.describe())
		return nil
	})
}

// drop answers DELETE /upos/v1/handles/{handle}: method Close, and the instance is forgotten.
func (c *call) drop() error {
	i, ok := c.find(mux.Vars(c.r)["handle"], c.user)
	if !ok {
		return errNoHandle
	}
	c.end(i, "by its client")
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
