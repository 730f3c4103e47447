package service

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gorilla/mux"

	"coffer/httpapi/uposapi"
	"coffer/service/config"
	"coffer/upos"
	"coffer/upos/machines"
)

// uposGrace is how long UnifiedPOS objects may take to settle deposits and to see halted payouts end, once coffer is told
// to stop. What takes longer is seen to its end by the till.
const uposGrace = 4 * time.Second

// unifiedPOS makes the UnifiedPOS devices of the configuration.
func (a *app) unifiedPOS() error {
	log := a.log.WithField("part", "upos")
	all := make([]upos.Device, 0, len(a.cfg.UPOS))
	leases := make(map[string]time.Duration, len(a.cfg.UPOS))
	for _, c := range a.cfg.UPOS {
		m, err := machines.New(machines.Deps{Station: a.station, Till: a.till, Bus: a.bus, Downloader: a.station, Log: log}, c.Devices...)
		if err != nil {
			return fmt.Errorf("upos %s: %w", c.Name, err)
		}
		a.mechanisms = append(a.mechanisms, m)
		all = append(all, upos.Device{Config: c, Mechanism: m})
		leases[c.Name] = c.Lease
	}
	var err error
	a.upos, err = upos.New(all, upos.Options{Log: log, Version: version(), FirmwareDir: filepath.Join(a.dir, "firmware"),
		Statistics: statisticsFile(filepath.Join(a.dir, "upos-statistics.json"))})
	if err != nil {
		return err
	}
	a.uposAPI = uposapi.New(uposapi.Deps{Service: a.upos, Lease: leases, Log: log})
	return nil
}

// closeUPOS ends every instance, deposits settled and claims released, and stops watching the machines. It waits for that
// up to grace: a payout whose machine has gone ends when it is back, in another life of coffer.
func (a *app) closeUPOS(grace time.Duration) {
	a.uposEnd.Do(func() {
		a.uposEnded = make(chan struct{})
		go func() {
			defer close(a.uposEnded)
			if a.upos != nil {
				a.uposAPI.Close()
				a.upos.Close()
			}
			for _, m := range a.mechanisms {
				m.Close()
			}
		}()
	})
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-a.uposEnded:
	case <-limit.C:
		a.log.Warn("a UnifiedPOS device is still busy; the till sees its payout to the end, or the next start settles it")
	}
}

// uposRoutes puts /upos/v1 on a listener.
func (a *app) uposRoutes(r *mux.Router, l config.Listener) {
	a.uposAPI.Register(r, a.tokens, l.AllowedOrigins)
}

// endUPOS ends every instance once coffer is told to stop, before the machines stop.
func (a *app) endUPOS(ctx context.Context) error {
	<-ctx.Done()
	a.closeUPOS(uposGrace)
	return nil
}
