package service

import (
	"context"
	"net/http"

	"github.com/gorilla/mux"

	"coffer/httpapi"
	"coffer/httpapi/cashdevice"
	"coffer/httpapi/journalapi"
	"coffer/httpapi/nv9coin"
	"coffer/httpapi/ops"
	"coffer/httpapi/simapi"
	"coffer/httpapi/uposapi"
	"coffer/internal/cash"
	"coffer/service/config"
)

// router serves the sections of one listener. What runs for API callers ends with ctx.
func (a *app) router(ctx context.Context, l config.Listener) (http.Handler, error) {
	users, err := a.userFile(l)
	if err != nil {
		return nil, err
	}
	r := httpapi.NewRouter()
	own := false // serves some of coffer's own APIs, which need a place to sign in
	for _, section := range l.Serve {
		switch section {
		case "cashdevice":
			cashdevice.Register(ctx, r, a.cashDevice(l, users))
			continue
		case "nv9coin":
			deps, err := a.nv9Coin(l)
			if err != nil {
				return nil, err
			}
			nv9coin.Register(ctx, r, deps)
			continue
		case "uposapi":
			a.uposRoutes(r, l)
		case "journalapi":
			a.journalRoutes(r, l)
		case "simapi":
			if a.world != nil {
				simapi.Register(r, a.world)
			}
		case "ops":
			ops.Register(r, a.opsDeps())
		}
		own = true
	}
	if own && !l.Serves("cashdevice") {
		cashdevice.RegisterUsers(r, a.cashDevice(l, users))
	}
	return r, nil
}

// journalRoutes puts /journal/v1 behind a token.
func (a *app) journalRoutes(r *mux.Router, l config.Listener) {
	inner := httpapi.NewRouter()
	journalapi.Register(inner, journalapi.Deps{Ledger: a.ledger, Settler: settler{a.till}, Actor: actor, Origins: l.AllowedOrigins})
	r.PathPrefix("/journal/v1").Handler(httpapi.RequireBearer(a.tokens, inner))
}

func (a *app) opsDeps() ops.Deps {
	return ops.Deps{
		Station: a.station, Tokens: a.tokens, Version: version(), DataDir: a.dir, Started: a.started, Now: now,
		Balance:   func(ctx context.Context) ([]cash.BalanceRow, error) { return a.ledger.Balance(ctx, "") },
		Ready:     a.gate.reasons,
		Documents: a.documents(),
	}
}

// documents are the OpenAPI documents of what any listener serves.
func (a *app) documents() []ops.Document {
	all := []struct {
		section string
		ops.Document
	}{
		{"cashdevice", ops.Document{Name: "cashdevice", Title: "ITL Cash Device REST API", YAML: cashdevice.OpenAPI}},
		{"nv9coin", ops.Document{Name: "nv9coin", Title: "NV9 note reader and SMART Coin System API", YAML: nv9coin.OpenAPI}},
		{"uposapi", ops.Document{Name: "upos", Title: "UnifiedPOS", YAML: uposapi.OpenAPI}},
		{"uposapi", ops.Document{Name: "upos-events", Title: "UnifiedPOS events (AsyncAPI)", YAML: uposapi.AsyncAPI}},
		{"journalapi", ops.Document{Name: "journal", Title: "Ledger", YAML: journalapi.OpenAPI}},
		{"simapi", ops.Document{Name: "sim", Title: "Simulator control", YAML: simapi.OpenAPI}},
		{"ops", ops.Document{Name: "ops", Title: "Health, figures and machines", YAML: ops.OpenAPI}},
	}
	var out []ops.Document
	for _, d := range all {
		if d.section == "simapi" && a.world == nil {
			continue
		}
		for _, l := range a.cfg.HTTP {
			if l.Serves(d.section) {
				out = append(out, d.Document)
				break
			}
		}
	}
	return out
}
