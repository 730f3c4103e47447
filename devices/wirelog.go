package devices

import (
	"time"

	"coffer/ssp"
)

// wireLogPause is the least time between two wire traces in the log for one device: a fault that comes and goes must not
// fill the log.
const wireLogPause = time.Minute

// logWire writes the last frames of the line to its log, so that the report of a fault comes with its evidence.
func (c *Core) logWire(reason string) {
	if c.base.cfg.logWire == nil || time.Since(c.wireLogged) < wireLogPause {
		return
	}
	c.wireLogged = time.Now()
	c.base.cfg.logWire(string(c.id) + ": " + reason)
}

// logFault calls logWire for the first fault of an answer that the answer before did not show.
func (c *Core) logFault(answer []ssp.Event) {
	for _, e := range answer {
		if e.Code.Fault() && !has(c.before, e.Code) {
			c.logWire(e.Code.String())
			return
		}
	}
}
