package simapi

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"coffer/devices/sim"
)

type machineEntry struct {
	Port    string `json:"port"`
	Address int    `json:"address"`
	Profile string `json:"profile"`
}

// machines is GET /machines.
func (a *api) machines(*http.Request) (int, any, error) {
	out := []machineEntry{}
	for _, m := range a.world.Machines() {
		out = append(out, machineEntry{m.Line().Port(), int(m.Address()), m.Profile()})
	}
	return http.StatusOK, out, nil
}

// truth is GET /machines/{port}/{address}.
func (a *api) truth(r *http.Request) (int, any, error) {
	m, err := a.machine(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, m.Truth(), nil
}

// change runs an action on the machine of the path with the body decoded into in, if there is one to decode.
func (a *api) change(r *http.Request, in any, act func(*sim.Machine) error) (int, any, error) {
	m, err := a.machine(r)
	if err != nil {
		return 0, nil, err
	}
	if in != nil {
		if err := decode(r, in); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusNoContent, nil, act(m)
}

type insertAnswer struct {
	ID string `json:"id"`
}

type insertRequest struct {
	sim.Insert
	Count *int `json:"count"` // to tell 0 from left out
}

// insert is POST …/insert.
func (a *api) insert(r *http.Request) (int, any, error) {
	var in insertRequest
	var out insertAnswer
	_, _, err := a.change(r, &in, func(m *sim.Machine) (err error) {
		if in.Count != nil {
			if in.Insert.Count = *in.Count; *in.Count < 1 {
				return fmt.Errorf("%w: count %d, use 1 or more", sim.ErrInvalid, *in.Count)
			}
		}
		out.ID, err = m.Insert(in.Insert)
		return err
	})
	return http.StatusAccepted, out, err
}

// insertState is GET /inserts/{id}.
func (a *api) insertState(r *http.Request) (int, any, error) {
	id, err := url.PathUnescape(mux.Vars(r)["id"])
	if err != nil {
		return 0, nil, fmt.Errorf("%w: id", sim.ErrInvalid)
	}
	s, err := a.world.InsertState(id)
	return http.StatusOK, s, err
}

type faultRequest struct {
	sim.Fault
	Rate *float64 `json:"rate"` // to tell 0 from left out
}

const defaultRate = 0.01

// fault is POST …/fault.
func (a *api) fault(r *http.Request) (int, any, error) {
	var in faultRequest
	return a.change(r, &in, func(m *sim.Machine) error {
		in.Fault.Rate = defaultRate
		if in.Rate != nil {
			in.Fault.Rate = *in.Rate
		}
		return m.Fault(in.Fault)
	})
}

type levelRequest struct {
	Value    int64  `json:"value"`
	Currency string `json:"currency"`
	Count    *int   `json:"count"`
	Cassette bool   `json:"cassette"` // in the replenishment cassette
}

// setLevel is POST …/levels.
func (a *api) setLevel(r *http.Request) (int, any, error) {
	var in levelRequest
	return a.change(r, &in, func(m *sim.Machine) error {
		if in.Count == nil {
			return fmt.Errorf("%w: count is missing", sim.ErrInvalid)
		}
		if in.Cassette {
			return m.SetCassette(in.Value, in.Currency, *in.Count)
		}
		return m.SetLevel(in.Value, in.Currency, *in.Count)
	})
}

// take is POST …/take. It looks at no body.
func (a *api) take(r *http.Request) (int, any, error) { return a.change(r, nil, (*sim.Machine).Take) }

type speedBody struct {
	Factor float64 `json:"factor"`
}

// speed is GET /speed.
func (a *api) speed(*http.Request) (int, any, error) {
	return http.StatusOK, speedBody{a.world.Speed()}, nil
}

// setSpeed is PUT /speed.
func (a *api) setSpeed(r *http.Request) (int, any, error) {
	var in speedBody
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, a.world.SetSpeed(in.Factor)
}
