package cashdevice

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/httpapi"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/till"
	"coffer/ssp"
)

// Dialect is the form of the answers: which build of the maker's server is spoken.
type Dialect string

// The dialects.
const (
	DotNet  Dialect = "dotnet"  // camelCase names, absent members left out, numeric enums; the default
	Android Dialect = "android" // PascalCase names, absent members null, enums as text
)

// Station is what this API needs of the machines. *devices.Station satisfies it. One that is a devices.Downloader too can
// put firmware and datasets into them.
type Station interface {
	Open(ctx context.Context, port string, addr ssp.Address) (devices.Device, error)
	OpenKeyed(ctx context.Context, port string, addr ssp.Address, key uint64) (devices.Device, error)
	HasKey(port string, addr ssp.Address, key uint64) bool
	Release(id cash.DeviceID)
	Device(id cash.DeviceID) (devices.Device, bool)
	Lines() []devices.LineStatus
	Frames(port string, addr ssp.Address, see func(devices.Frame)) (stop func(), err error)
}

// Deps is what the API is built on.
type Deps struct {
	Station Station
	Till    *till.Till
	Bus     *bus.Bus
	Users   *httpapi.Users
	Tokens  *httpapi.Tokens
	Logins  *httpapi.Throttle // shared by all listeners
	Dialect Dialect           // "" is DotNet
	// AllowDefaults lets the default password in on listeners that are not loopback (demo).
	AllowDefaults bool
	// LogDir is where logs of machines go whose client names no other place; "" for no such logs.
	LogDir string
	Log    logrus.FieldLogger
	Now    func() time.Time
}

// Register adds /api/Users, /api/CashDevice and /api/Download to r. What runs for open connections ends with ctx.
func Register(ctx context.Context, r *mux.Router, d Deps) {
	a := newAPI(ctx, d, tillTeller{d.Till})
	a.table = newTable(users, device)
	r.MatcherFunc(under(allPrefixes)).Handler(a)
}

// RegisterUsers adds /api/Users alone, for the listener of coffer's own APIs. Of d it needs Users, Tokens, Logins,
// Dialect, AllowDefaults and Log.
func RegisterUsers(r *mux.Router, d Deps) {
	a := newAPI(context.Background(), d, nil)
	a.table = newTable(users)
	r.MatcherFunc(under(usersPrefix)).Handler(a)
}

// under matches paths below the prefixes in any letter case. Below them this API answers everything, 404 included.
func under(prefixes []string) mux.MatcherFunc {
	return func(r *http.Request, _ *mux.RouteMatch) bool {
		path := normal(r.URL.Path) + "/"
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(path, p) })
	}
}

// teller is what this API needs of the till.
type teller interface {
	Dispense(ctx context.Context, c till.Call, d devices.Device, want cash.Amount) (operation, error)
	DispensePieces(ctx context.Context, c till.Call, d devices.Device, want cash.Counts) (operation, error)
	Float(ctx context.Context, c till.Call, d devices.Device, keep cash.Counts) (operation, error)
	Empty(ctx context.Context, c till.Call, d devices.Device, module byte) (operation, error)
	Enable(ctx context.Context, c till.Call, d devices.Device) error
	Disable(ctx context.Context, c till.Call, d devices.Device) error
	Halt(ctx context.Context, c till.Call, d devices.Device) error
	AcceptEscrow(ctx context.Context, c till.Call, d devices.Device) error
	ReturnEscrow(ctx context.Context, c till.Call, d devices.Device) error
	CommitMultiEscrow(ctx context.Context, c till.Call, d devices.Device) error
	CancelMultiEscrow(ctx context.Context, c till.Call, d devices.Device) error
	Do(ctx context.Context, c till.Call, d devices.Device, name string, f func(context.Context) error) error
	Balance(ctx context.Context, dev cash.DeviceID) ([]cash.BalanceRow, error)
	ClearCashbox(ctx context.Context, c till.Call, dev cash.DeviceID) error
	Fill(ctx context.Context, c till.Call, d devices.Device, coin cash.Denom, n int) error
}

// operation is a running payout, float or empty.
type operation interface {
	Wait(ctx context.Context) (till.Outcome, error)
}

// tillTeller is the till as a teller.
type tillTeller struct{ *till.Till }

func (t tillTeller) Dispense(ctx context.Context, c till.Call, d devices.Device, want cash.Amount) (operation, error) {
	return asOperation(t.Till.Dispense(ctx, c, d, want))
}

func (t tillTeller) DispensePieces(ctx context.Context, c till.Call, d devices.Device, want cash.Counts) (operation, error) {
	return asOperation(t.Till.DispensePieces(ctx, c, d, want))
}

func (t tillTeller) Float(ctx context.Context, c till.Call, d devices.Device, keep cash.Counts) (operation, error) {
	return asOperation(t.Till.Float(ctx, c, d, keep))
}

func (t tillTeller) Empty(ctx context.Context, c till.Call, d devices.Device, module byte) (operation, error) {
	return asOperation(t.Till.Empty(ctx, c, d, module))
}

// asOperation keeps a nil *till.Operation from becoming an operation that is not nil.
func asOperation(o *till.Operation, err error) (operation, error) {
	if o == nil {
		return nil, err
	}
	return o, err
}
