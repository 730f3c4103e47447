package ops

import (
	"context"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"coffer/devices"
)

// metrics serves the figures from a registry of its own.
func (a *api) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(&collector{a}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

// collector reads snapshots and the ledger when it is scraped; nothing is counted twice.
type collector struct{ *api }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("coffer_"+name, help, labels, nil)
}

var (
	buildInfo = desc("build_info", "Always 1; the version is in the label.", "version")
	isReady   = desc("ready", "1 if /readyz answers 200.")
	ledgerOK  = desc("ledger_readable", "1 if the ledger could be read for this scrape.")
	pieces    = desc("ledger_pieces", "Notes or coins that the ledger says are in a place of a machine.", "device", "place", "value", "currency")

	lineOpen      = desc("line_open", "1 while the port is open.", "port")
	lineExchanges = desc("line_exchanges_total", "Commands that were sent.", "port")
	lineRetries   = desc("line_retries_total", "Frames that were repeated.", "port")
	lineTimeouts  = desc("line_timeouts_total", "Commands that got no answer.", "port")
	lineCRC       = desc("line_crc_errors_total", "Frames dropped for their checksum.", "port")
	lineOpens     = desc("line_opens_total", "Times the port was opened.", "port")

	deviceConnected = deviceDesc("connected", "1 while the machine answers.")
	deviceReady     = deviceDesc("ready", "1 while it answers and its books agree with the ledger.")
	deviceAccepts   = deviceDesc("acceptor_enabled", "1 while it takes money.")
	devicePays      = deviceDesc("payout_enabled", "1 while it can pay.")
	deviceJammed    = deviceDesc("jammed", "1 while it is jammed.")
	deviceNoCashbox = deviceDesc("cashbox_removed", "1 while its cashbox is out.")
	deviceFull      = deviceDesc("full", "1 while its stacker or store is full.")
	deviceState     = deviceDesc("state", "Always 1; the state is in the label.", "state")
	deviceLevel     = deviceDesc("level", "Pieces in the payout store, as last read.", "value", "currency")
)

func deviceDesc(name, help string, more ...string) *prometheus.Desc {
	return desc("device_"+name, help, append([]string{"device", "port", "address"}, more...)...)
}

// Describe implements prometheus.Collector: what there is depends on the machines, so nothing is promised.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	gauge(out, buildInfo, 1, c.Version)
	gauge(out, isReady, flag(len(c.Ready(ctx)) == 0))
	rows, err := c.Balance(ctx)
	gauge(out, ledgerOK, flag(err == nil))
	for _, r := range rows {
		gauge(out, pieces, float64(r.Count), string(r.Device), string(r.Place), strconv.FormatInt(r.Value, 10), string(r.Currency))
	}
	for _, l := range c.Station.Lines() {
		collectLine(out, l)
	}
}

func collectLine(out chan<- prometheus.Metric, l devices.LineStatus) {
	gauge(out, lineOpen, flag(l.State.Open), l.Port)
	for _, total := range []struct {
		desc *prometheus.Desc
		n    uint64
	}{
		{lineExchanges, l.State.Exchanges}, {lineRetries, l.State.Retries}, {lineTimeouts, l.State.Timeouts},
		{lineCRC, l.State.CRCErrors}, {lineOpens, l.State.Opens},
	} {
		out <- prometheus.MustNewConstMetric(total.desc, prometheus.CounterValue, float64(total.n), l.Port)
	}
	for _, d := range l.Devices {
		collectDevice(out, d.Snapshot())
	}
}

func collectDevice(out chan<- prometheus.Metric, s *devices.Snapshot) {
	who := []string{name(s), s.Port, strconv.Itoa(int(s.Address))}
	for _, f := range []struct {
		desc *prometheus.Desc
		on   bool
	}{
		{deviceConnected, s.Connected}, {deviceReady, s.Ready}, {deviceAccepts, s.AcceptorEnabled},
		{devicePays, s.PayoutEnabled}, {deviceJammed, s.Jammed}, {deviceNoCashbox, s.CashboxRemoved},
		{deviceFull, s.StackerFull || s.DeviceFull},
	} {
		gauge(out, f.desc, flag(f.on), who...)
	}
	gauge(out, deviceState, 1, append(who, s.State.String())...)
	for _, r := range s.Levels.Rows() {
		gauge(out, deviceLevel, float64(r.Count), append(who, strconv.FormatInt(r.Value, 10), string(r.Currency))...)
	}
}

// name is the device's id, or that of the configuration while the machine was never identified.
func name(s *devices.Snapshot) string {
	if s.ID != "" {
		return string(s.ID)
	}
	return s.ConfigID
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
