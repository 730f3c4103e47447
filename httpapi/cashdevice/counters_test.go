package cashdevice

import (
	"testing"

	"coffer/internal/cash"
)

// TestHopperCounters: a SMART Hopper 3 counts otherwise than the machines of the manual.
func TestHopperCounters(t *testing.T) {
	want := `Number of counters in set: 6
Coins past sensors: 9
Coins paid in: 4
Coins paid out: 5
Coins sent to cashbox: 2
Payout requests: 1
Float requests: 0
`
	if got := countersText(cash.CountersHopper, []uint32{9, 4, 5, 2, 1, 0}); got != want {
		t.Errorf("%s", got)
	}
}
