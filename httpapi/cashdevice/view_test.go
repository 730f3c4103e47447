package cashdevice

import (
	"strings"
	"testing"

	"coffer/devices"
	"coffer/internal/cash"
)

func TestStopAndStart(t *testing.T) {
	idle := cash.StateChanged{State: cash.StateIdle}
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.post("StopDevice"+q, "").text(t, 200, notesID+": Device stopped successfully.")
		b.publish(cash.StateChanged{State: cash.StateDisabled}, cash.StateChanged{State: cash.StateCashboxRemoved}, idle)
		b.publish(cash.NotePlaced{Note: cash.Denom{Value: 500, Currency: "GBP"}, To: cash.Payout})
		if got := states(t, b.get("GetDeviceStatus"+q).body); got != "STOPPING STOPPED stored" {
			t.Errorf("told %s, want no state of a stopped device, and all money", got)
		}
		b.post("StopDevice"+q, "").text(t, 200, notesID+": Device stopped successfully.")
		b.notes.took()
		b.publish(cash.StateChanged{State: cash.StateDisabled})
		b.post("StartDevice"+q, "").text(t, 200, notesID+": Device started successfully.")
		b.publish(idle)
		if got := states(t, b.get("GetDeviceStatus"+q).body); got != "STARTING STARTED IDLE" {
			t.Errorf("told %s", got)
		}
		if got := b.notes.took(); got != "enable" {
			t.Errorf("told %q, want the acceptor on again", got)
		}
		b.post("StartDevice"+q, "").text(t, 200, notesID+": Device started successfully.")
		if got := b.get("GetDeviceStatus" + q).body; got != "[]" {
			t.Errorf("starting a running device told %s", got)
		}
	})
}

// A machine that was away when StartDevice came is as stopped as before: the next StartDevice turns its acceptor on.
func TestStartAgainAfterARefusal(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.notes.edit(func(s *devices.Snapshot) { s.AcceptorEnabled = true })
		b.post("StopDevice"+q, "").text(t, 200, notesID+": Device stopped successfully.")
		b.publish(cash.StateChanged{State: cash.StateDisabled})
		b.get("GetDeviceStatus" + q)
		b.notes.took()
		b.notes.errs["enable"] = cash.ErrNotConnected
		if a := b.post("StartDevice"+q, ""); a.status == 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
		if got := states(t, b.get("GetDeviceStatus"+q).body); got != "STARTING STARTED STOPPED" {
			t.Errorf("told %s", got)
		}
		delete(b.notes.errs, "enable")
		b.post("StartDevice"+q, "").text(t, 200, notesID+": Device started successfully.")
		if got := b.notes.took(); got != "enable; enable" {
			t.Errorf("told %q, want the acceptor on again", got)
		}
	})
}

// A machine that is switched on and off between two of its answers tells nothing of that; the view was begun with the
// state in between.
func TestSwitchedBetweenAnswers(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.post("OpenConnection", `{"ComPort":"COM5"}`)
		if got := states(t, b.get("GetDeviceStatus"+q).body); !strings.HasSuffix(got, "STARTED DISABLED") {
			t.Errorf("told %s", got)
		}
		for _, x := range []struct{ verb, want string }{
			{"EnableAcceptor", "IDLE"}, {"DisableAcceptor", "DISABLED"}, {"EnableAcceptor", "IDLE"}, {"EnableAcceptor", ""},
		} {
			b.post(x.verb+q, "")
			if got := states(t, b.get("GetDeviceStatus"+q).body); got != x.want {
				t.Errorf("%s: told %q, want %q", x.verb, got, x.want)
			}
		}
	})
}

// What belongs to an answer is in the queue when its client asks for it next.
func TestQueueIsUpToDate(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		for range 100 {
			b.bus.Publish(notesID, at(), 0, cash.NotePlaced{Note: cash.Denom{Value: 500, Currency: "GBP"}, To: cash.Payout})
			if got := states(t, b.get("GetDeviceStatus"+q).body); got != "stored" {
				t.Fatalf("told %q", got)
			}
			b.bus.Publish(notesID, at(), 0, cash.StateChanged{State: cash.StateError})
			if got := b.get("GetDeviceStatus/v2" + q).body; !strings.Contains(got, `"deviceState":"ERROR"`) || strings.Contains(got, "[]") {
				t.Fatalf("told %s", got)
			}
			b.bus.Publish(notesID, at(), 0, cash.StateChanged{State: cash.StateIdle})
			b.post("SetDenominationRoute"+q, `{"Value":500,"CountryCode":"GBP","Route":1}`)
			if got := states(t, b.get("GetDeviceStatus"+q).body); !strings.HasPrefix(got, "IDLE") {
				t.Fatalf("told %q", got)
			}
		}
	})
}
