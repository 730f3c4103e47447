package service

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"coffer/devices/line"
	"coffer/ssp"
)

// traceWires writes every frame into the wire log of its machine, if the configuration asks for it, until ctx ends.
// The lines leave keys out of what they hand over.
func (a *app) traceWires(ctx context.Context) error {
	var writers sync.WaitGroup
	defer writers.Wait()
	if a.cfg.Log.WireTrace {
		for _, cfg := range a.cfg.Lines {
			l, _ := a.station.Trace(cfg.Port)
			frames, end := l.Subscribe()
			defer end()
			writers.Go(func() { a.writeFrames(cfg.Port, frames) })
		}
	}
	<-ctx.Done()
	return nil
}

// writeFrames writes what comes from frames until it is closed: a file for each machine.
func (a *app) writeFrames(port string, frames <-chan line.TraceEntry) {
	files := map[ssp.Address]io.Writer{}
	for e := range frames {
		f := files[e.Addr]
		if f == nil {
			var err error
			if f, err = a.log.Open(wireFile(port, e.Addr)); err != nil {
				a.log.WithError(err).WithField("line", port).Error("wire trace is not written")
				f = io.Discard
			}
			files[e.Addr] = f
		}
		fmt.Fprintln(f, e.At.UTC().Format(time.RFC3339Nano), e.String())
	}
}

// wireFile is the wire log of a machine: logs/wire-COM5-0.log. What a file name cannot hold becomes an underscore.
func wireFile(port string, addr ssp.Address) string {
	safe := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, r) {
			return '_'
		}
		return r
	}, port)
	return fmt.Sprintf("logs/wire-%s-%d.log", safe, addr)
}
