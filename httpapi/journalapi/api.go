package journalapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"coffer/internal/cash"
	"coffer/internal/journal"
)

// Ledger is what is shown. *journal.Journal satisfies it.
type Ledger interface {
	Entries(ctx context.Context, after int64, limit int) ([]cash.Entry, error)
	Balance(ctx context.Context, dev cash.DeviceID) ([]cash.BalanceRow, error)
	OpenOps(ctx context.Context, dev cash.DeviceID) ([]cash.Op, error)
	OpByKey(ctx context.Context, key string) (cash.Op, bool, error)
	Subscribe(size int) (rows <-chan cash.Entry, cancel func())
}

var _ Ledger = (*journal.Journal)(nil)

// Settler closes an operation whose outcome a person found out: paid is everything that it moved. Errors:
// cash.ErrInvalid for an unknown or closed operation and for pieces that cannot be, cash.ErrBusy while it still runs.
type Settler interface {
	Settle(ctx context.Context, actor, op string, paid cash.Counts) error
}

// Deps is what the routes need.
type Deps struct {
	Ledger  Ledger
	Settler Settler                    // nil: POST /journal/v1/settle answers 501
	Actor   func(*http.Request) string // who asks, for the ledger; nil: "journal"
	// Origins are the hosts of pages, other than those of this listener, that may open the stream from a browser.
	Origins []string
}

// Register adds /journal/v1/… to r. It does not check credentials.
func Register(r *mux.Router, d Deps) {
	a := &api{d, 20 * time.Second, 10 * time.Second, 1024}
	r.HandleFunc("/journal/v1/entries", a.entries).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/journal/v1/balance", a.balance).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/journal/v1/stream", a.stream).Methods(http.MethodGet)
	r.HandleFunc("/journal/v1/operations", a.operations).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/journal/v1/settle", a.settle).Methods(http.MethodPost)
}

type api struct {
	Deps
	pingEvery time.Duration // how often a quiet stream is tried
	patience  time.Duration // how long one message may take to leave
	outbox    int           // rows that may wait for one client
}
