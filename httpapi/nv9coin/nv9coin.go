package nv9coin

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/httpapi"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/till"
)

// DefaultPassword is the dispensing password of a fresh installation and of the demo. It is good on loopback listeners
// only, and in demo.
const DefaultPassword = "dispense-secret"

// DefaultWindow is how far the timestamp of a Dispense may be from our clock, before and after.
const DefaultWindow = 300 * time.Second

// Station knows the machines. *devices.Station satisfies it.
type Station interface {
	Devices() []devices.Device
}

// Ledger is what this API reads of the ledger, and where it keeps how far it has come. *journal.Journal satisfies it;
// every error wraps cash.ErrJournal.
type Ledger interface {
	Entries(ctx context.Context, after int64, limit int) ([]cash.Entry, error)
	LinesSince(ctx context.Context, dev cash.DeviceID, seq int64) ([]cash.Entry, error)
	LastLine(ctx context.Context, dev cash.DeviceID, kind cash.Kind, upTo int64) (cash.Entry, bool, error)
	Head(ctx context.Context) (int64, error)
	Op(ctx context.Context, id string) (cash.Op, bool, error)
	OpByKey(ctx context.Context, key string) (cash.Op, bool, error)
	Cursor(ctx context.Context, name string) (seq int64, note string, found bool, err error)
	KeepCursor(ctx context.Context, name string, seq int64, note string) error
}

// Deps is what the API is built on.
type Deps struct {
	Station      Station
	Notes, Coins string // the two machines, by the ids of the configuration
	Till         *till.Till
	Bus          *bus.Bus
	Ledger       Ledger
	Gate         httpapi.Gate // who may call; its AllowDefaults holds for the dispensing password too
	Password     string       // the dispensing password
	Window       time.Duration
	AllowReplay  bool // carry a Dispense out again that was accepted before
	UpperMD5     bool // take signatures over the upper-case form of the password's hash, too
	Log          logrus.FieldLogger
	Now          func() time.Time
}

// Register adds /DeviceService/ITL/NV9AndCoin to r, and answers everything below /DeviceService. What runs for callers
// ends with ctx.
func Register(ctx context.Context, r *mux.Router, d Deps) {
	r.MatcherFunc(func(r *http.Request, _ *mux.RouteMatch) bool { return ours(r) }).Handler(newAPI(ctx, d))
}

// TooLarge answers 413 in the form of this API to a request that belongs to it, and returns false for others. It is for
// httpapi.Listen.
func TooLarge(w http.ResponseWriter, r *http.Request) bool {
	if !ours(r) {
		return false
	}
	errTooLarge.write(w)
	return true
}

const (
	root = "/deviceservice/"
	base = root + "itl/nv9andcoin/"
)

func ours(r *http.Request) bool { return strings.HasPrefix(normal(r.URL.Path)+"/", root) }

// normal is a path in lower case, with single slashes and none at its end: the API's own samples have doubled and trailing
// ones.
func normal(path string) string {
	return "/" + strings.Join(strings.FieldsFunc(strings.ToLower(path), func(c rune) bool { return c == '/' }), "/")
}
