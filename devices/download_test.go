package devices_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/ssp"
)

// File kinds of the simulated machines.
const (
	kindRecycler = 0x21
	kindCoins    = 0x32
)

// anImage is a download file that brings firmware 1099, and to a recycler a dataset of three notes; five blocks.
func anImage(kind byte) []byte {
	p := ssp.Payload{Firmware: "SH00041401099C01"}
	if kind == kindRecycler {
		p = ssp.Payload{Firmware: "NVS2004301099000", Dataset: "EUR01999", Values: []int64{500, 1000, 2000}}
	}
	return ssp.MakeDownload(ssp.DownloadFile{
		Device: kind, Update: 0x11, RAM: bytes.Repeat([]byte{0x7F, 3, 5}, 100), Payload: p.Append(nil, 2300), BlockSize: 500,
	})
}

// onPort is a hall with a recycler and a coin system on one port, in a bubble.
func onPort(t *testing.T, test func(h *hall, note, coins devices.Device)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, place{"COM7", 0, "spectral-payout"}, place{"COM7", 16, "scs"})
		test(h, h.open("COM7", 0), h.open("COM7", 16))
	})
}

func (h *hall) machine(addr int) *sim.Machine {
	h.Helper()
	m, ok := h.world.Machine("COM7", addr)
	if !ok {
		h.Fatal("no machine")
	}
	return m
}

func (h *hall) is(err, want error) {
	h.Helper()
	if !errors.Is(err, want) {
		h.Errorf("error %v, want %v", err, want)
	}
}

func runs(firmware string) func(*devices.Snapshot) bool {
	return func(s *devices.Snapshot) bool { return s.Ready && s.Firmware == firmware }
}

func TestDownload(t *testing.T) {
	onPort(t, func(h *hall, note, coins devices.Device) {
		h.ok(note.Enable(h.Context()))
		h.ok(coins.Enable(h.Context()))
		var seen []devices.DownloadProgress
		d := devices.Download{Port: "COM7", Image: anImage(kindRecycler), Progress: func(p devices.DownloadProgress) {
			seen = append(seen, p)
			if p.Stage == devices.DownloadChecking {
				return
			}
			for _, other := range []devices.Device{note, coins} {
				h.is(other.Enable(h.Context()), cash.ErrNotConnected)
				if s := other.Snapshot(); s.Connected || s.AcceptorEnabled || !strings.Contains(s.Error, "download") {
					t.Errorf("meanwhile: %+v", s)
				}
			}
			if h.machine(16).Truth().Enabled {
				t.Error("the other machine takes coins meanwhile")
			}
			h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Address: 16, Image: anImage(kindCoins)}), cash.ErrBusy)
		}}
		h.ok(h.station.CheckDownload(d.Image))
		h.ok(h.station.Download(h.Context(), d))
		var text []string
		for _, p := range seen {
			text = append(text, p.String())
		}
		const want = "checking; RAM loader, block 0 of 3; RAM loader, block 1 of 3; RAM loader, block 2 of 3; RAM loader, block 3 of 3; " +
			"update, block 0 of 5; update, block 1 of 5; update, block 2 of 5; update, block 3 of 5; update, block 4 of 5; " +
			"update, block 5 of 5; restart"
		if got := strings.Join(text, "; "); got != want {
			t.Errorf("progress: %s", got)
		}
		if s := note.Snapshot(); !s.Connected || s.Firmware != "NVS2004301099000" || s.Dataset != "EUR01999" || len(s.Channels) != 3 {
			t.Errorf("behind it: %+v", s)
		}
		for _, other := range []devices.Device{note, coins} {
			h.until(other, "ready", func(s *devices.Snapshot) bool { return s.Ready && s.State != cash.StateNotConnected })
		}
		if s := coins.Snapshot(); !s.AcceptorEnabled || !h.machine(16).Truth().Enabled {
			t.Errorf("the other machine: %+v", s)
		}
		h.ok(h.station.Download(h.Context(), devices.Download{Port: "COM7", Address: 16, Image: anImage(kindCoins)}))
		h.until(coins, "new firmware", runs("SH00041401099C01"))
	})
}

// What is no whole file is refused before anybody is disturbed; what is another machine's, before anything is erased.
func TestDownloadRefuses(t *testing.T) {
	onPort(t, func(h *hall, note, coins devices.Device) {
		bad := anImage(kindRecycler)
		bad[500] ^= 1
		for name, image := range map[string][]byte{"nothing": nil, "damaged": bad, "cut short": anImage(kindRecycler)[:2000], "text": make([]byte, 200)} {
			before := note.Snapshot().Changed
			h.is(h.station.CheckDownload(image), cash.ErrInvalid)
			h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: image}), cash.ErrInvalid)
			if s := note.Snapshot(); !s.Ready || s.Changed != before {
				t.Errorf("%s: the machine was disturbed: %+v", name, s)
			}
		}
		h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler), Baud: -1}), cash.ErrInvalid)
		h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindCoins)}), cash.ErrInvalid)
		h.until(note, "as before", runs("NVS2004301038000"))
		h.until(coins, "as before", runs("SH00041401008C01"))
		h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Address: 3, Image: anImage(kindRecycler)}), cash.ErrNotConnected)
		h.until(note, "as before", runs("NVS2004301038000"))
		h.is(h.station.Download(cancelled(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)}), context.Canceled)
	})
}

// A dataset without a denomination that is stored would leave money that nobody can see or pay any more: the file is
// refused before anybody is disturbed, and taken once the machine was emptied of it.
func TestDownloadKeepsStoredNotes(t *testing.T) {
	onPort(t, func(h *hall, note, coins devices.Device) {
		h.ok(h.machine(0).SetLevel(5000, "EUR", 2))
		err := h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)})
		h.is(err, cash.ErrInvalid)
		if err == nil || !strings.Contains(err.Error(), "empty the machine first") {
			t.Errorf("error %v", err)
		}
		for _, d := range []devices.Device{note, coins} {
			if s := d.Snapshot(); !s.Ready {
				t.Errorf("disturbed: %+v", s)
			}
		}
		h.ok(note.(devices.Payer).EnablePayout(h.Context()))
		h.ok(note.(devices.Emptier).StartEmpty(h.Context(), 0))
		h.until(note, "empty", func(s *devices.Snapshot) bool { return s.Operation == "" && s.Levels.Pieces() == 0 })
		h.ok(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)}))
		h.until(note, "new firmware", runs("NVS2004301099000"))
	})
}

// A machine that an earlier attempt has sent away is waited for: it is not taken for one without firmware, whose stored
// notes nobody could ask for, nor refused busy because it is on its way back.
func TestDownloadAfterARefusedOne(t *testing.T) {
	onPort(t, func(h *hall, note, coins devices.Device) {
		h.ok(h.machine(0).SetLevel(5000, "EUR", 2))
		for range 20 {
			h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindCoins)}), cash.ErrInvalid)
			err := h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)})
			if err == nil || !strings.Contains(err.Error(), "empty the machine first") {
				t.Fatalf("error %v", err)
			}
		}
		h.ok(h.machine(0).SetLevel(5000, "EUR", 0))
		for wait := time.Duration(0); wait < time.Second; wait += 35 * time.Millisecond {
			h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindCoins)}), cash.ErrInvalid)
			time.Sleep(wait)
			h.ok(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)}))
		}
		h.until(note, "new firmware", runs("NVS2004301099000"))
		h.until(coins, "as before", runs("SH00041401008C01"))
	})
}

// A machine that restarts while others of the port are still waited for is not taken for one without firmware.
func TestDownloadWhileTheMachineRestarts(t *testing.T) {
	for wait := time.Duration(0); wait < 4*time.Second; wait += 170 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			h := newHall(t, place{"COM7", 0, "spectral-payout"}, place{"COM7", 5, ""})
			note := h.open("COM7", 0)
			h.ok(h.machine(0).SetLevel(5000, "EUR", 2))
			reset := make(chan error)
			go func() {
				time.Sleep(wait)
				reset <- note.Reset(h.Context())
			}()
			err := h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)})
			if err == nil || !strings.Contains(err.Error(), "empty the machine first") {
				t.Errorf("restarted after %v: error %v", wait, err)
			}
			<-reset
			h.until(note, "as before", runs("NVS2004301038000"))
		})
	}
}

// Nobody is sent away while money moves, on this machine or on another of the port.
func TestDownloadBusy(t *testing.T) {
	onPort(t, func(h *hall, note, coins devices.Device) {
		h.ok(h.machine(16).SetLevel(200, "EUR", 10))
		h.ok(h.world.SetSpeed(1))
		h.ok(coins.(devices.Payer).StartPayout(h.Context(), eurs(1000)))
		h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)}), cash.ErrBusy)
		h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Address: 16, Image: anImage(kindCoins)}), cash.ErrBusy)
		h.until(coins, "paid", func(s *devices.Snapshot) bool { return s.Ready && s.Operation == "" })

		h.ok(note.(devices.Escrow).SetAutoAccept(h.Context(), false))
		h.ok(note.Enable(h.Context()))
		h.until(note, "idle", func(s *devices.Snapshot) bool { return s.State == cash.StateIdle })
		_, err := h.machine(0).Insert(sim.Insert{Value: 500, Currency: "EUR"})
		h.ok(err)
		h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)}), cash.ErrBusy)
		h.until(note, "in escrow", func(s *devices.Snapshot) bool { return s.Ready && s.Escrow != nil })
		h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)}), cash.ErrBusy)
		h.ok(note.(devices.Escrow).ReturnEscrow(h.Context()))
		h.until(note, "idle again", func(s *devices.Snapshot) bool { return s.State == cash.StateIdle && s.Escrow == nil })
		if !h.machine(0).Truth().Enabled {
			t.Error("the acceptor was left off")
		}
		h.ok(h.machine(0).Fault(sim.Fault{Kind: sim.FaultPayoutJam}))
		h.until(note, "jammed", func(s *devices.Snapshot) bool { return s.Jammed })
		h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)}), cash.ErrJam)
	})
}

// A download that is cut leaves a machine that takes the next one: with its loader still running after a pulled cable,
// from the beginning after a power cut.
func TestDownloadCut(t *testing.T) {
	for name, tc := range map[string]struct {
		at     string
		cut    sim.Fault
		repair string
	}{
		"cable pulled in the loader": {"RAM loader, block 2 of 3", sim.Fault{Kind: sim.FaultUnplug}, sim.FaultPlug},
		"cable pulled in a block":    {"update, block 2 of 5", sim.Fault{Kind: sim.FaultUnplug}, sim.FaultPlug},
		"power cut in the loader":    {"RAM loader, block 2 of 3", sim.Fault{Kind: sim.FaultPowerOff}, sim.FaultPowerOn},
		"power cut in a block":       {"update, block 2 of 5", sim.Fault{Kind: sim.FaultPowerOff}, sim.FaultPowerOn},
		"bytes lost in a block":      {"update, block 3 of 5", sim.Fault{Kind: sim.FaultDropBytes, Rate: 0.01}, sim.FaultClear},
		"bytes spoilt in the loader": {"RAM loader, block 0 of 3", sim.Fault{Kind: sim.FaultBitFlips, Rate: 0.05}, sim.FaultClear},
	} {
		t.Run(name, func(t *testing.T) {
			onPort(t, func(h *hall, note, coins devices.Device) {
				d := devices.Download{Port: "COM7", Image: anImage(kindRecycler)}
				cut := sync.OnceFunc(func() { h.ok(h.machine(0).Fault(tc.cut)) })
				d.Progress = func(p devices.DownloadProgress) {
					if p.String() == tc.at {
						cut()
					}
				}
				stage, _, _ := strings.Cut(tc.at, ",")
				err := h.station.Download(h.Context(), d)
				if !errors.Is(err, cash.ErrNotConnected) || !strings.Contains(err.Error(), stage) {
					t.Errorf("error %v", err)
				}
				h.until(coins, "the other machine is back", func(s *devices.Snapshot) bool { return s.Ready })
				h.ok(h.machine(0).Fault(sim.Fault{Kind: tc.repair}))
				time.Sleep(4 * time.Second)
				erased := !strings.HasPrefix(stage, "RAM")
				if note.Snapshot().Ready == erased {
					t.Errorf("behind it: %+v", note.Snapshot())
				}
				h.ok(h.station.Download(h.Context(), d))
				h.until(note, "new firmware", runs("NVS2004301099000"))
			})
		})
	}
}

// A machine that an attempt has left without firmware cannot be asked what it stores: what it was seen to store last
// counts.
func TestDownloadKeepsStoredNotesOfAnErasedMachine(t *testing.T) {
	onPort(t, func(h *hall, note, coins devices.Device) {
		h.ok(h.machine(0).SetLevel(5000, "EUR", 2))
		h.ok(note.(devices.Auditor).Audit(h.Context()))
		firmware := ssp.MakeDownload(ssp.DownloadFile{
			Device: kindRecycler, Update: 0x11, RAM: []byte{1, 2, 3}, BlockSize: 500,
			Payload: ssp.Payload{Firmware: "NVS2004301099000"}.Append(nil, 2300),
		})
		d := devices.Download{Port: "COM7", Image: firmware, Progress: func(p devices.DownloadProgress) {
			if p.Block == 2 {
				h.ok(h.machine(0).Fault(sim.Fault{Kind: sim.FaultPowerOff}))
			}
		}}
		h.is(h.station.Download(h.Context(), d), cash.ErrNotConnected)
		h.ok(h.machine(0).Fault(sim.Fault{Kind: sim.FaultPowerOn}))
		err := h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)})
		if !errors.Is(err, cash.ErrInvalid) || !strings.Contains(err.Error(), "are stored") {
			t.Errorf("another dataset: %v", err)
		}
		d.Progress = nil
		h.ok(h.station.Download(h.Context(), d))
		h.until(note, "new firmware", runs("NVS2004301099000"))
		if n := note.Snapshot().Levels[cash.Denom{Value: 5000, Currency: "EUR"}]; n != 2 {
			t.Errorf("%d notes of 50.00 are stored", n)
		}
	})
}

// A machine that comes back after it was found silent is asked what it stores before its dataset is changed.
func TestDownloadToAMachineThatComesBack(t *testing.T) {
	onPort(t, func(h *hall, note, coins devices.Device) {
		h.ok(h.machine(0).SetLevel(5000, "EUR", 2))
		h.ok(h.machine(0).Fault(sim.Fault{Kind: sim.FaultUnplug}))
		h.until(note, "away", func(s *devices.Snapshot) bool { return !s.Connected })
		d := devices.Download{Port: "COM7", Image: anImage(kindRecycler), Progress: func(p devices.DownloadProgress) {
			if p.Stage == devices.DownloadChecking {
				h.ok(h.machine(0).Fault(sim.Fault{Kind: sim.FaultPlug}))
			}
		}}
		h.is(h.station.Download(h.Context(), d), cash.ErrBusy)
		h.is(h.station.Download(h.Context(), d), cash.ErrInvalid)
		h.until(note, "as before", runs("NVS2004301038000"))
	})
}

// A station that stops does not wait for a download.
func TestDownloadStops(t *testing.T) {
	onPort(t, func(h *hall, _, _ devices.Device) {
		begin := time.Now()
		err := h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler), Progress: func(p devices.DownloadProgress) {
			if p.Block == 2 {
				h.stop()
			}
		}})
		h.is(err, cash.ErrNotConnected)
		<-h.ended
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
		h.is(h.station.Download(h.Context(), devices.Download{Port: "COM7", Image: anImage(kindRecycler)}), cash.ErrNotConnected)
	})
}

// Over a network link nobody can change a real machine's speed, and none is sent the bytes of a packet download, which are
// not public.
func TestDownloadOverNetwork(t *testing.T) {
	log := logrus.New()
	log.SetOutput(io.Discard)
	cfg := []devices.LineConfig{{Port: "COM5", Link: "tcp://127.0.0.1:1", Devices: []devices.DeviceConfig{{}}}}
	station := devices.NewStation(cfg, nil, families, &sink{h: &history{}}, log)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = station.Run(ctx)
	}()
	for baud, want := range map[int]error{0: cash.ErrUnsupported, 9600: cash.ErrNotConnected} {
		err := station.Download(ctx, devices.Download{Port: "COM5", Image: anImage(kindRecycler), Baud: baud})
		if !errors.Is(err, want) {
			t.Errorf("%d baud: error %v, want %v", baud, err, want)
		}
	}
	d := devices.Download{Port: "COM5", Image: anImage(kindRecycler), Baud: 9600, Packet: true}
	if err := station.Download(ctx, d); !errors.Is(err, cash.ErrUnsupported) {
		t.Errorf("packet download: error %v, want ErrUnsupported", err)
	}
	stop()
	<-ended
}

func cancelled() context.Context {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	return ctx
}
