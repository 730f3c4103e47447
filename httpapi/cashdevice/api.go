package cashdevice

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/httpapi"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/till"
)

// api is one face: the table of endpoints and the open views.
type api struct {
	ctx     context.Context
	table   table
	dialect Dialect
	gate    httpapi.Gate
	tokens  *httpapi.Tokens
	station Station
	till    teller
	bus     *bus.Bus
	log     logrus.FieldLogger
	now     func() time.Time
	views   views
	drafts  drafts

	logDir    string
	logs      logFiles
	downloads downloads
}

func newAPI(ctx context.Context, d Deps, t teller) *api {
	if d.Dialect == "" {
		d.Dialect = DotNet
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &api{
		ctx: ctx, dialect: d.Dialect, tokens: d.Tokens, station: d.Station, till: t, bus: d.Bus,
		gate: httpapi.Gate{Users: d.Users, Logins: d.Logins, AllowDefaults: d.AllowDefaults},
		log:  d.Log.WithField("api", "cashdevice"), now: d.Now,
		logDir: d.LogDir,
	}
}

// call is one request on its way through the adapter.
type call struct {
	api    *api
	r      *http.Request
	ctx    context.Context
	header http.Header // of the answer
	query  map[string]string
	body   []byte
	id     string // the deviceID as this API answers it, "" for none
	view   *view  // the open view, nil where none is needed
}

// ServeHTTP is the adapter: it finds the endpoint, checks token, body and device, calls the handler and writes what
// comes back.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := a.table[normal(r.URL.Path)]
	switch {
	case e == nil:
		httpapi.Text(w, http.StatusNotFound, "Endpoint not found")
		return
	case !e.takes(r.Method):
		w.Header().Set("Allow", strings.Join(strings.Fields(e.methods), ", "))
		httpapi.Text(w, http.StatusMethodNotAllowed, "Method not allowed, use "+strings.ReplaceAll(e.methods, " ", " or "))
		return
	}
	if e.needs != needNothing {
		var ok bool
		if r, ok = httpapi.Authorize(a.tokens, w, r); !ok {
			return
		}
	}
	body, err := io.ReadAll(r.Body)
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		httpapi.BodyTooLarge(w, r)
		return
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		httpapi.Text(w, http.StatusRequestTimeout, "Request body did not arrive in time")
		return
	}
	c := &call{api: a, r: r, ctx: r.Context(), header: w.Header(), query: queryOf(r), body: body}
	defer c.guard(w, e)
	if err != nil {
		err = fault("$", "The body could not be read: "+err.Error())
	} else {
		err = c.find(e)
	}
	var answer any
	if err == nil {
		answer, err = e.handle(c)
	}
	if err != nil {
		c.report(e, err)
		c.refuse(w, e, err)
		return
	}
	a.write(w, http.StatusOK, answer)
}

// find sets the view that the request is about.
func (c *call) find(e *endpoint) error {
	if e.needs != needDevice {
		return nil
	}
	id := c.query["deviceid"]
	if id == "" {
		return fault("deviceID", "The deviceID field is required.")
	}
	c.id = id
	if c.view = c.api.views.find(id); c.view == nil {
		return errNoDevice
	}
	c.id = c.view.id
	return nil
}

// report logs the cause of a refusal, which a caller does not always see: at error level what the operator must look at,
// at info level what a caller did or a machine would not do. An unknown id is not worth a line: programs probe ids, and
// the access log has them.
func (c *call) report(e *endpoint, err error) {
	log := c.api.log.WithError(err).WithFields(logrus.Fields{"request": httpapi.RequestID(c.ctx), "op": e.verb, "device": c.id})
	switch {
	case errors.Is(err, errNoDevice), c.ctx.Err() != nil:
		log.Debug("request refused")
	case grave(err):
		log.Error("request failed")
	default:
		log.Info("request refused")
	}
}

// grave says whether err is neither the caller's doing nor the machine's: the ledger, an outcome that nobody knows, events
// that were lost, or what nobody foresaw.
func grave(err error) bool {
	if errors.As(err, new(*problem)) || errors.As(err, new(*httpapi.WaitError)) {
		return false
	}
	if r := rowOf(err); r.word != "" {
		return r.status == 500
	}
	given := new(refusal)
	return !errors.As(err, &given) || given.status >= 500 && given.err != nil
}

// guard turns a panic in a handler into the 500 of this API.
func (c *call) guard(w http.ResponseWriter, e *endpoint) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	c.api.log.WithFields(logrus.Fields{
		"request": httpapi.RequestID(c.ctx), "op": e.verb, "device": c.id, "err": p, "stack": string(debug.Stack()),
	}).Error("panic in a handler")
	prefix := ""
	if c.id != "" {
		prefix = c.id + ": "
	}
	httpapi.Text(w, http.StatusInternalServerError, prefix+"Internal error: see the log for request "+httpapi.RequestID(c.ctx))
}

// queryOf reads the query with names in lower case; of a repeated one the first counts.
func queryOf(r *http.Request) map[string]string {
	q := map[string]string{}
	values, _ := url.ParseQuery(r.URL.RawQuery) // what cannot be read is left out
	for name, v := range values {
		if name = strings.ToLower(name); q[name] == "" && len(v) > 0 {
			q[name] = v[0]
		}
	}
	return q
}

// by says who asks, for the till.
func (c *call) by() till.Call {
	if name := httpapi.User(c.ctx); name != "" {
		return till.Call{Actor: name + " via cashdevice"}
	}
	return till.Call{Actor: "cashdevice"}
}

// device returns the machine of the view as it is driven now. cash.ErrNotConnected while another machine, or none,
// stands in its place.
func (c *call) device() (devices.Device, error) {
	d, ok := c.api.station.Device(c.view.device)
	if !ok {
		return nil, cash.ErrNotConnected
	}
	return d, nil
}

// do runs one state-changing call on the machine by way of the till, and answers text.
func (c *call) do(text string, f func(d devices.Device) error) (any, error) {
	d, err := c.device()
	if err == nil {
		err = f(d)
	}
	return text, err
}

// change is do for calls that the till has no method for: f goes through till.Do under the name.
func (c *call) change(name, text string, f func(context.Context, devices.Device) error) (any, error) {
	return c.do(text, func(d devices.Device) error {
		return c.api.till.Do(c.ctx, c.by(), d, name, func(ctx context.Context) error { return f(ctx, d) })
	})
}
