package cashdevice

import (
	"context"
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

// Station is what this API needs of the machines. devices.Station satisfies it.
type Station interface {
	Open(ctx context.Context, port string, addr ssp.Address) (devices.Device, error)
	Release(id cash.DeviceID)
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
	Log           logrus.FieldLogger
	Now           func() time.Time
}

// Register adds /api/Users, /api/CashDevice and /api/Download to r. What runs for open connections ends with ctx.
func Register(ctx context.Context, r *mux.Router, d Deps) {}

// RegisterUsers adds /api/Users alone, for the listener of coffer's own APIs.
func RegisterUsers(r *mux.Router, d Deps) {}
