package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"coffer/devices/sim"
	"coffer/httpapi/ops"
)

type simRunScenario struct {
	remote
	File string `arg:"" help:"The scenario, as configs/scenarios/day-at-a-kiosk.yaml."`
}

// Run plays a scenario to the machines of the running simulator.
func (c *simRunScenario) Run(s *session) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("sim run: %w", err)
	}
	story, err := sim.ParseScenario(text)
	if err != nil {
		return fmt.Errorf("sim run: %s: %w; correct the file", c.File, err)
	}
	on, err := c.simulator(s)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(s.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := story.Play(ctx, remoteStage{on, c.remote, s}, func(format string, args ...any) { s.printf(format+"\n", args...) }); err != nil {
		hint := "look at `coffer sim list`"
		if errors.Is(err, sim.ErrScenario) {
			hint = "its machines need a running coffer with their acceptors on: open them first by OpenConnection with EnableAcceptor"
		}
		return fmt.Errorf("sim run: %w; %s", err, hint)
	}
	s.printf("%s: done\n", story.Name)
	return nil
}

// remoteStage plays on the simulator behind /sim/v1.
type remoteStage struct {
	*client
	remote
	s *session
}

func (r remoteStage) machine(at sim.Target, what string) string {
	return "/sim/v1/machines/" + url.PathEscape(at.Port) + "/" + strconv.Itoa(at.Address) + what
}

// post sends a change. The simulator's refusals become its own errors again.
func (r remoteStage) post(ctx context.Context, method, path string, in any) error {
	err := r.call(ctx, method, path, in, nil)
	var answer *answerError
	if !errors.As(err, &answer) {
		return err
	}
	switch answer.status {
	case http.StatusConflict:
		return fmt.Errorf("%w: %s", sim.ErrRefused, answer.reason)
	case http.StatusBadRequest:
		return fmt.Errorf("%w: %s", sim.ErrInvalid, answer.reason)
	case http.StatusNotFound:
		return fmt.Errorf("%w: %s", sim.ErrUnknown, answer.reason)
	}
	return err
}

func (r remoteStage) Insert(ctx context.Context, at sim.Target, in sim.Insert) error {
	return r.post(ctx, http.MethodPost, r.machine(at, "/insert"), said(in))
}

// said leaves out what an insert does not say: a count of 0 is an error over HTTP.
func said(in sim.Insert) map[string]any {
	out := map[string]any{}
	for name, v := range map[string]any{"value": in.Value, "currency": in.Currency, "count": in.Count, "fraud": in.Fraud,
		"unreadable": in.Unreadable, "barcode": in.Barcode} {
		switch v {
		case int64(0), 0, "", false:
		default:
			out[name] = v
		}
	}
	return out
}

func (r remoteStage) Fault(ctx context.Context, at sim.Target, f sim.Fault) error {
	return r.post(ctx, http.MethodPost, r.machine(at, "/fault"), f)
}

func (r remoteStage) SetLevel(ctx context.Context, at sim.Target, value int64, currency string, count int) error {
	return r.post(ctx, http.MethodPost, r.machine(at, "/levels"), map[string]any{"value": value, "currency": currency, "count": count})
}

func (r remoteStage) Take(ctx context.Context, at sim.Target) error {
	return r.post(ctx, http.MethodPost, r.machine(at, "/take"), nil)
}

func (r remoteStage) SetSpeed(ctx context.Context, factor float64) error {
	return r.post(ctx, http.MethodPut, "/sim/v1/speed", map[string]float64{"factor": factor})
}

func (r remoteStage) Truth(ctx context.Context, at sim.Target) (t sim.Truth, err error) {
	err = r.call(ctx, http.MethodGet, r.machine(at, ""), nil, &t)
	return t, err
}

// Pay has the coffer of the data directory pay, over its REST API as a till would. The machine must be open there.
func (r remoteStage) Pay(ctx context.Context, at sim.Target, value int64, currency string) error {
	return r.driver(ctx, at, map[string]any{"Value": value, "CountryCode": currency}, "with its payout on", "DispenseValue")
}

// Clear has the coffer of the data directory book the cashbox as emptied. The machine must be open in its REST API, which
// has one call for note machines and one for coin machines.
func (r remoteStage) Clear(ctx context.Context, at sim.Target) error {
	return r.driver(ctx, at, nil, "which keeps its books", "ClearNoteCashboxLevels", "ClearCashboxLevels")
}

// driver makes the first of the calls that the REST API of the running coffer takes for the machine. sim.ErrRefused with
// what to do if it takes none.
func (r remoteStage) driver(ctx context.Context, at sim.Target, in any, hint string, calls ...string) error {
	main, err := r.main(r.s)
	if err != nil {
		return err
	}
	var e endpoints
	if err := readRun(main.dir, endpointsFile, &e); err != nil {
		return fmt.Errorf("%w; name the data directory of a running coffer with --data-dir", err)
	}
	id, err := deviceAt(ctx, main, at)
	if err != nil {
		return err
	}
	till := *main
	till.base = e.url("cashdevice")
	for _, c := range calls {
		err = till.call(ctx, http.MethodPost, "/api/CashDevice/"+c+"?deviceID="+url.QueryEscape(id), in, nil)
		var answer *answerError
		if !errors.As(err, &answer) {
			return err
		}
		err = fmt.Errorf("%w: %s; open %s in the REST API, %s", sim.ErrRefused, answer.reason, id, hint)
	}
	return err
}

// deviceAt returns the id of the machine that coffer has there.
func deviceAt(ctx context.Context, main *client, at sim.Target) (string, error) {
	var known ops.Devices
	if err := main.call(ctx, http.MethodGet, "/devices/v1", nil, &known); err != nil {
		return "", err
	}
	for _, l := range known.Lines {
		for _, d := range l.Devices {
			if l.Port == at.Port && d.Address == at.Address {
				return string(d.ID), nil
			}
		}
	}
	return "", fmt.Errorf("%w: coffer knows no machine at %s, address %d", sim.ErrRefused, at.Port, at.Address)
}
