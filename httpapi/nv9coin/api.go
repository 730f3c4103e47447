package nv9coin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/httpapi"
	"coffer/internal/cash"
	"coffer/internal/till"
)

// api is the adapter of one pair of machines.
type api struct {
	Deps
	ctx   context.Context // of coffer
	log   logrus.FieldLogger
	lists *lists
	busy  chan struct{} // held by the one command that is carried out
}

func newAPI(ctx context.Context, d Deps) *api {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Window == 0 {
		d.Window = DefaultWindow
	}
	if d.Password == "" {
		d.Password = DefaultPassword
	}
	a := &api{Deps: d, ctx: ctx, log: d.Log.WithField("api", "nv9coin"), busy: make(chan struct{}, 1)}
	a.lists = newLists(d.Ledger, "nv9coin/"+d.Notes+"/"+d.Coins, a.names, a.log)
	a.lists.mu.Lock()
	defer a.lists.mu.Unlock()
	if err := a.lists.load(ctx); err != nil { // tried again with every Status
		a.log.WithError(err).Warn("the lists since the last check are not there yet")
	}
	return a
}

// call is one request on its way through the adapter.
type call struct {
	api  *api
	r    *http.Request
	user string
	body []byte
}

// command is an operation that one caller at a time may have carried out.
type command struct {
	busy *refusal
	// check reads and checks the arguments; nil for none. What it returns goes to do.
	check func(*call) (any, error)
	// do carries the command out and returns its answer, nil for an empty body. It is not cut short when the caller goes.
	do func(c *call, ctx context.Context, args any) (any, error)
}

func commands() map[string]command {
	return map[string]command{
		"enable":           {busy: busyLong, do: (*call).enable},
		"checkcandispense": {busy: busyLong, check: (*call).amount, do: (*call).checkCanDispense},
		"dispense":         {busy: busyLong, check: (*call).order, do: (*call).dispense},
		"disable":          {busy: busyShort, do: (*call).disable},
		"returnescrow":     {busy: busyShort, do: (*call).returnEscrow},
		"stackescrow":      {busy: busyShort, do: (*call).stackEscrow},
	}
}

var table = commands()

// ServeHTTP is the adapter: credentials, path and method, arguments, the one command at a time, the machines.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer a.guard(w, r)
	user, err := a.login(w, r)
	if err != nil {
		a.refuse(w, r, "", err)
		return
	}
	verb, found := strings.CutPrefix(normal(r.URL.Path), base)
	cmd, isCommand := table[verb]
	switch {
	case !found || !isCommand && verb != "status":
		a.refuse(w, r, verb, errNoPath)
	case verb == "status" && r.Method == http.MethodGet:
		a.status(w, r)
	case verb == "status":
		w.Header().Set("Allow", http.MethodGet)
		a.refuse(w, r, verb, errMethod)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		a.refuse(w, r, verb, errMethod)
	default:
		a.command(w, r, verb, cmd, user)
	}
}

// login checks the Basic credentials.
func (a *api) login(w http.ResponseWriter, r *http.Request) (user string, err error) {
	name, password, sent := r.BasicAuth()
	if sent {
		if err = a.Gate.Login(r, name, password); err == nil {
			return name, nil
		}
	}
	if wait := new(httpapi.WaitError); errors.As(err, &wait) {
		w.Header().Set("Retry-After", strconv.Itoa(wait.Seconds()))
		return "", errCredentials.because(err)
	}
	if err != nil && !errors.Is(err, cash.ErrUnauthorized) {
		return "", errInternal.because(err)
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="DeviceService", charset="UTF-8"`)
	return "", errCredentials.because(err)
}

// command carries one command out, if none other is, and answers.
func (a *api) command(w http.ResponseWriter, r *http.Request, verb string, cmd command, user string) {
	body, err := readBody(r)
	c := &call{a, r, user, body}
	var args any
	if err == nil && cmd.check != nil {
		args, err = cmd.check(c)
	}
	if err == nil && !a.reserve() {
		err = cmd.busy
	}
	if err != nil {
		a.refuse(w, r, verb, err)
		return
	}
	type result struct {
		answer any
		err    error
	}
	ended := make(chan result, 1)
	go func() {
		got := result{nil, errInternal}
		defer func() {
			if p := recover(); p != nil {
				a.log.WithFields(logrus.Fields{"op": verb, "err": p, "stack": string(debug.Stack())}).Error("panic in a command")
			}
			<-a.busy // first: whoever has the answer may give the next command
			ended <- got
		}()
		answer, err := cmd.do(c, a.ctx, args)
		a.rest()
		got = result{answer, err}
	}()
	select {
	case got := <-ended:
		a.answer(w, r, verb, cmd, got.answer, got.err)
	case <-r.Context().Done(): // the client is gone; the command goes on
		a.log.WithField("op", verb).Info("the client did not wait for the end of its command, which goes on")
		panic(http.ErrAbortHandler)
	}
}

// errStopping ends a command whose outcome is not known when coffer stops: the connection breaks, and the ledger has it.
var errStopping = errors.New("coffer is stopping")

func (a *api) answer(w http.ResponseWriter, r *http.Request, verb string, cmd command, answer any, err error) {
	switch {
	case errors.Is(err, errStopping):
		panic(http.ErrAbortHandler)
	case errors.Is(err, cash.ErrBusy), errors.Is(err, cash.ErrClaimed):
		a.refuse(w, r, verb, cmd.busy.because(err))
	case err != nil:
		a.refuse(w, r, verb, err)
	case answer == nil:
		write(w, http.StatusOK, nil)
	default:
		write(w, http.StatusOK, answer.([]byte))
	}
}

// reserve takes the one place for commands; false while another command is carried out, or a note moves.
func (a *api) reserve() bool {
	select {
	case a.busy <- struct{}{}:
	default:
		return false
	}
	if a.moving() {
		<-a.busy
		return false
	}
	return true
}

// moving says whether a note is between slot, escrow and cashbox, or coins are being handed out by somebody else's order.
// A note that waits in escrow does not move, and coins that run in keep nobody from anything. Nor do coins of a machine
// that is jammed: it may stay so for hours.
func (a *api) moving() bool {
	if _, n := a.machine(a.Notes); n != nil && n.Connected {
		switch n.State {
		case cash.StateAccepting, cash.StateRejecting:
			if n.Escrow == nil {
				return true
			}
		}
		if n.Operation != "" {
			return true
		}
	}
	_, c := a.machine(a.Coins)
	return c != nil && c.Connected && !c.Jammed && c.Operation != ""
}

// restLimit and restCheck bound how long an answer waits for the pictures of the machines to show that nothing moves.
const (
	restLimit = 3 * time.Second
	restCheck = 10 * time.Millisecond
)

// rest waits until nothing is shown to move any more, so that whoever has the answer to a command may give the next one.
// What goes on moving then, a note that a customer has just put in for one, is left to that command.
func (a *api) rest() {
	if !a.moving() {
		return
	}
	limit, check := time.NewTimer(restLimit), time.NewTicker(restCheck)
	defer limit.Stop()
	defer check.Stop()
	for a.moving() {
		select {
		case <-check.C:
		case <-limit.C:
			return
		case <-a.ctx.Done():
			return
		}
	}
}

// readBody reads the whole body, which may be anything where none is needed.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	switch tooLong := new(http.MaxBytesError); {
	case errors.As(err, &tooLong):
		httpapi.DrainBody(r)
		return nil, errTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errTimeout
	case err != nil:
		return nil, errBody.because(err)
	}
	return body, nil
}

// refuse answers with an error, and logs what the caller cannot see: at error level what the operator must look at.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, verb string, err error) {
	var e *refusal
	if !errors.As(err, &e) {
		e = errInternal.because(err)
	}
	log := a.log.WithFields(logrus.Fields{"request": httpapi.RequestID(r.Context()), "op": verb, "remote": r.RemoteAddr})
	switch {
	case e.status == http.StatusUnauthorized:
		log.WithError(err).Info("login refused")
	case e.body == errInternal.body, errors.Is(err, cash.ErrJournal), errors.Is(err, cash.ErrOutcomeUnknown):
		log.WithError(err).Error("command failed")
	case e.status >= 500:
		log.WithError(err).Warn("command failed")
	default:
		log.WithError(err).Info("request refused")
	}
	e.write(w)
}

// guard turns a panic into the 500 of this API.
func (a *api) guard(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	a.log.WithFields(logrus.Fields{"request": httpapi.RequestID(r.Context()), "path": r.URL.Path, "err": p, "stack": string(debug.Stack())}).
		Error("panic in a handler")
	errInternal.write(w)
}

// by says who asks, for the ledger.
func (c *call) by(key string) till.Call { return till.Call{Actor: c.user + " via nv9coin", Key: key} }
