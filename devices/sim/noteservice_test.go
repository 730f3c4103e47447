package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestNoteService: the service book of note machines (ssp.md 16.6).
func TestNoteService(t *testing.T) {
	const zero = " 00 00 00 00"
	synctest.Test(t, func(t *testing.T) {
		m, h := startNV4000(t, Options{})
		h.talk("30 E0 20", "F3", "30 E0 20 05", "F4", "30 E0 20 01 00", "F3", "30 E0 21 05", "F3", "30 E0 21 04 00", "F4",
			"30 E0 22 30 37 32", "F3", "30 E0 22 30 30 32 35", "F4", "30 E0 22 35 34 32 35", "F4", "30 E0 22 30 41 32 35", "F4",
			"30 E0 20 00", "F0 00"+zero, "30 E0 20 01", "F0 01"+zero+zero+zero+zero, "30 E0 20 04", "F0 04"+zero)
		insert(m, 500)
		h.drain()
		m.Fault(Fault{Kind: FaultPayoutJam})
		h.talk("30 E0 20 04", "F0 04 01 00 00 00")
		m.Fault(Fault{Kind: FaultUnjam})
		m.Fault(Fault{Kind: FaultServiceDue})
		h.talk("30 E0 20 04", "F0 04 04 00 00 00",
			"30 E0 20 01", "F0 01 01 00 00 00 01 00 00 00 01 00 00 00"+zero,
			"30 E0 20 02", "F0 02 01 00 00 00 01 00 00 00 01 00 00 00",
			"30 E0 20 03", "F0 03 01 00 00 00 01 00 00 00 01 00 00 00",
			"30 E0 22 30 37 32 35", "F0", "30 E0 20 00", "F0 00 CB 09 00 00", "30 E0 20 04", "F0 04"+zero,
			"30 E0 20 01", "F0 01"+zero+" 01 00 00 00 01 00 00 00"+zero)
		pause(2 * time.Hour)
		m.Fault(Fault{Kind: FaultReset})
		h.reconnect()
		h.drain()
		h.talk("30 E0 20 02", "F0 02"+zero+" 01 00 00 00"+zero, "30 E0 21 05 00", "F0 00 01 00 00 00 02 00 00 00 02 00 00 00")
	})
	synctest.Test(t, func(t *testing.T) {
		_, h := startProfile(t, "spectral-payout")
		h.talk("30 E0 20 02", "F0 02"+zero+zero+zero, "30 E0 21 05 00", "F4")
		_, h = startProfile(t, "nv200")
		h.talk("30 E0 20 02", "F2")
	})
}
