package sim

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coffer/ssp"
)

// bubble runs a test in its own time.
func bubble(f func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, f) }
}

// TestFlagAndRepeat: ssp.md 3.1 rules 2 to 5.
func TestFlagAndRepeat(t *testing.T) {
	t.Run("same flag, stored answer", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{HoldBezel: true})
		order := h.frame(unhex(t, "33 F4 01 00 00 "+eur+" 58"))
		first, ok := h.wire(order)
		if !ok || h.unseal(first) != "F0" {
			t.Fatal("payout refused")
		}
		again, ok := h.wire(order)
		if !ok || !bytes.Equal(first.Data, again.Data) || first.Seq != again.Seq {
			t.Fatalf("a repeat is answered % X, then % X", first.Data, again.Data)
		}
		h.seq = !h.seq
		pause(3 * time.Second)
		m.Take()
		pause(3 * time.Second)
		h.talk("56", "F0 D2 01 F4 01 00 00 "+eur)
		if tr := m.Truth(); count(tr.Dispensed, 500) != 1 || count(tr.Transit, 500) != 0 {
			t.Errorf("paid twice: %+v", tr)
		}
	}))
	t.Run("one-shot event repeated with its answer only", bubble(func(t *testing.T) {
		m, h := newMachineOnPipe(t, "nv200", 0, Options{})
		h.talk("11", "F0", "06 08", "F0")
		poll := h.frame([]byte{0x07})
		for range 2 {
			if f, ok := h.wire(poll); !ok || h.unseal(f) != "F0 F1 E8" {
				t.Fatal("no reset in the answer")
			}
		}
		h.seq = !h.seq
		h.talk("07", "F0 E8")
		check(t, m.Truth())
	}))
	t.Run("SYNC with either flag, then either flag", bubble(func(t *testing.T) {
		_, h := newMachineOnPipe(t, "nv200", 0, Options{})
		for _, s := range []struct{ ask, want string }{
			{"7F 80 01 11 65 82", "7F 80 01 F0 23 80"}, {"7F 80 01 11 65 82", "7F 80 01 F0 23 80"},
			{"7F 00 01 11 66 08", "7F 00 01 F0 20 0A"}, {"7F 00 02 06 06 1B 94", "7F 00 01 F0 20 0A"},
			{"7F 80 01 11 65 82", "7F 80 01 F0 23 80"}, {"7F 80 02 06 08 03 94", "7F 80 01 F0 23 80"},
		} {
			f, ok := h.wire(unhex(t, s.ask))
			if got, _ := ssp.AppendFrame(nil, f); !ok || !bytes.Equal(got, unhex(t, s.want)) {
				t.Errorf("%s is answered % X, want %s", s.ask, got, s.want)
			}
		}
	}))
}

// TestSilence: what gets no answer (ssp.md 2.2, 4.4, 19).
func TestSilence(t *testing.T) {
	encrypted := func(count uint32, damage bool) func(*testing.T, *host) []byte {
		return func(t *testing.T, h *host) []byte {
			s := ssp.NewSession(ssp.DefaultFixedKey, 4711)
			if !damage {
				*s = *h.session
			}
			s.SetCount(h.session.Count() + count)
			sealed, err := s.Encrypt(nil, []byte{0x05}, nil)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := ssp.AppendFrame(nil, ssp.Frame{Seq: h.seq, Addr: h.addr, Data: sealed})
			return b
		}
	}
	cases := map[string]func(t *testing.T, h *host) []byte{
		"wrong CRC": func(t *testing.T, _ *host) []byte { return unhex(t, "7F 80 01 11 65 83") },
		"other address": func(t *testing.T, _ *host) []byte {
			b, _ := ssp.AppendFrame(nil, ssp.Frame{Seq: true, Addr: 5, Data: []byte{0x11}})
			return b
		},
		"half a frame": func(t *testing.T, _ *host) []byte { return unhex(t, "7F 80 02 06") },
		"count ahead":  encrypted(1, false),
		"count behind": encrypted(0xFFFFFFFF, false),
		"wrong key":    encrypted(0, true),
	}
	for name, make := range cases {
		t.Run(name, bubble(func(t *testing.T) {
			_, h := startRecycler(t, Options{})
			if f, ok := h.wire(make(t, h)); ok {
				t.Fatalf("answered % X", f.Data)
			}
			h.talk("05 00", h.tell("05")) // and it goes on as if nothing had been
		}))
	}
}

// TestKeys: FA, loss of the key, both modes (ssp.md 4.5).
func TestKeys(t *testing.T) {
	t.Run("money in plain", bubble(func(t *testing.T) {
		_, h := newMachineOnPipe(t, "spectral-payout", 0, Options{})
		h.talk("11", "F0", "33 F4 01 00 00 "+eur+" 58", "FA", "3B 00 F4 01 00 00 "+eur, "FA", "60 00 00 00 00 00 00 00 00", "FA",
			"22", "F0 07"+levelsHex(500, 1000, 2000, 5000, 10000, 20000, 50000), "40 00", "F2")
	}))
	t.Run("coin machines guard more", bubble(func(t *testing.T) {
		_, h := newMachineOnPipe(t, "scs", 16, Options{})
		h.talk("11", "F0", "40 01 01 00", "FA", "49 01", "FA", "4E 00", "FA", "0A", "F0")
	}))
	t.Run("optional", bubble(func(t *testing.T) {
		_, h := newMachineOnPipe(t, "spectral-payout", 0, Options{NoEncryption: true})
		h.talk("11", "F0", "06 08", "F0", "3B 01 F4 01 00 00 "+eur, "F0", "3C F4 01 00 00 "+eur, "F0 01",
			"60 00 00 00 00 00 00 00 00", "FA")
	}))
	t.Run("key lost", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		m.Fault(Fault{Kind: FaultLoseKey})
		h.talk("56", "FA", "56", "FA")
		h.connect()
		h.talk("56", "F0")
	}))
	t.Run("encrypted without a key", bubble(func(t *testing.T) {
		_, h := newMachineOnPipe(t, "spectral-payout", 0, Options{})
		h.session = ssp.NewSession(ssp.DefaultFixedKey, 1)
		h.talk("11", "F0", "05", "FA")
	}))
	t.Run("numbers", bubble(func(t *testing.T) {
		_, h := newMachineOnPipe(t, "spectral-payout", 0, Options{})
		zero, one := strings.Repeat(" 00", 8), " 01"+strings.Repeat(" 00", 7)
		h.talk("11", "F0", "4C"+one, "F8", "4A"+zero, "F4", "4A"+one, "F4", "4B"+one, "F4", "4A 01", "F3")
	}))
	t.Run("fixed key", bubble(func(t *testing.T) {
		_, h := startRecycler(t, Options{})
		h.talk("60 01 00 00 00 00 00 00 00", "F0", "05 00", h.tell("05"))
		h.session = nil
		h.talk("11", "F0")
		h.negotiate() // the new key takes part, the host's does not
		if got := h.tell("05"); got != "" {
			t.Errorf("the old fixed key still works: %s", got)
		}
	}))
}

// levelsHex is a level list with nothing stored.
func levelsHex(values ...uint32) string {
	s := ""
	for _, v := range values {
		s += " 00 00 " + u32(v) + " " + eur
	}
	return s
}

// TestPlainAnswers: identity and refusals, byte for byte (ssp.md 5, 8, 9).
func TestPlainAnswers(t *testing.T) {
	serial := "00 1C 96 2C"
	opt := Options{Serial: 1873452}
	note := func(v string) string { // the setup reply of 8.1 up to its version
		return "F0 06 30 34 33 30 45 55 52 00 00 05 07 01 02 04 0A 14 28 64 02 02 02 02 02 02 02 00 00 64 " + v
	}
	expanded := strings.Repeat(" "+eur, 7) + " " + u32(5) + " " + u32(10) + " " + u32(20) + " " + u32(50) + " " + u32(100) +
		" " + u32(200) + " " + u32(500)
	for profile, lines := range map[string][]string{
		"spectral-payout": {
			"05", note("04"), "06 05", "F0", "05", note("05"), "06 06", "F0", "05", note("06") + expanded,
			"06 09", "F8", "06 03", "F8", "06", "F3", "06 08", "F0", "05 05", note("08") + expanded, "05 05 05", "F3",
			"0C", "F0 " + serial, "0C 00", "F0 " + serial, "0C 01", "F0 00 1C B2 BB", "0C 09", "F4", "0C 01 02", "F3",
			"0D", "F0 06 30 34 33 30 45 55 52 00 00 05 08", "0E", "F0 07 01 02 04 0A 14 28 64" + expanded,
			"0F", "F0 07 04 04 04 04 04 04 04", "10", "F0 07 00 00 00 00 00 00 00",
			"20", "F0 4E 56 53 32 30 30 34 33 30 31 30 33 38 30 30 30", "21", "F0 45 55 52 30 31 38 31 30",
			"4F", "F0 00 0A 09 06 01 01", "58", "F0 05" + strings.Repeat(" 00", 20), "59", "F0",
			"02 FF FF FF", "F0", "02", "F3", "02 01 02 03 04", "F3", "0F", "F0 07 02 02 02 02 02 02 02",
			"03", "F0", "04", "F0", "08", "F5", "18", "F5", "17", "F0 00", "54 FF 00 00 01", "F0", "54 FF 00 00 00 02", "F0",
			"54 FF 00 00 02", "F4", "54 FF", "F3", "4D 02 00", "F0", "4D 03 00", "F4", "01 00", "F3", "99", "F2", "40", "F2",
			"23", "F0 03 00 01 12", "24 03 01 06", "F0", "23", "F0 03 03 01 06", "24 04 01 06", "F4", "24 01 01 05", "F4",
			"25", "F0 FF", "26 FC", "F0", "25", "F0 FC", "27", "F0 00 00", "5C 00", "F0", "5B", "F0", "57", "F5",
			"30 05 81 10 01", "F0 00", "30 05 81 10 11 01", "F0", "30 05 81 10 11 01 AA BB", "F0", "30 05 81 10 01", "F0 01",
			"30 05 81 10 11 02", "F4", "30 77 01", "F4", "30", "F3", "62", "F0 00", "64 63 0D 01 00 00 00", "F4", "64 01", "F3",
			"64 19 02 03 04 05 06", "F0", "63", "F0 19 02 03 04 05 06", "3E " + eur, "F0 00 00 00 00",
		},
		"scs": {
			"05", "F0 09 30 31 34 30 45 55 52 04 08 01 00 02 00 05 00 0A 00 14 00 32 00 64 00 C8 00",
			"06 07", "F0", "05", "F0 09 30 31 34 30 45 55 52 07 08 01 00 02 00 05 00 0A 00 14 00 32 00 64 00 C8 00" +
				strings.Repeat(" "+eur, 8),
			"51", "F0 26 00", "50 A6 01", "F0", "51", "F0 A6 01", "50 26", "F3", "48", "F0", "47 01", "F0", "47 02", "F4",
			"5A 01", "F0", "58", "F0 09" + strings.Repeat(" 00", 36), "02 FF", "F2", "08", "F2", "5C", "F2",
		},
		"nv9": {"22", "F2", "33 01", "F2", "56", "F0 F1 E8", "05", strings.Replace(note("04"), "F0 06 30 34 33 30", "F0 00 30 31 30 39", 1)},
	} {
		t.Run(profile, bubble(func(t *testing.T) {
			addr := ssp.Address(0)
			if profile == "scs" {
				addr = 16
			}
			_, h := newMachineOnPipe(t, profile, addr, opt)
			h.talk("11", "F0")
			h.talk(lines...)
		}))
	}
}

// TestMoneyCommands: refusals and layouts by version of what is only taken encrypted.
func TestMoneyCommands(t *testing.T) {
	t.Run("notes", bubble(func(t *testing.T) {
		_, h := startRecycler(t, Options{})
		five := "F4 01 00 00 " + eur
		h.talk("35 "+five, "F0 04 00", "35 01 00 00 00 "+eur, "F4", "35 F4 01 00 00", "F3",
			"3C "+five, "F0 00", "3B 01 "+five, "F0", "3C "+five, "F0 01", "3B 02 "+five, "F4", "3B 00 07 00 00 00 "+eur, "F5 02",
			"33 "+five+" 20", "F4", "33 00 00 00 00 "+eur+" 19", "F4", "33 "+five, "F3", "33 F4 01 00 00 47 42 50 19", "F5 01",
			"46 01 05 00 "+five+" 19", "F5 01", "46 01 00 00 "+five+" 19", "F4", "46 01 01 00 "+five, "F3", "46 02 01 00 "+five+" 19", "F3",
			"46 01 01 00 07 00 00 00 "+eur+" 19", "F4", "44 01 05 00 "+five+" 19", "F5 01", "44 00 19", "F0",
			"3D F4 01 F4 01 00 00 "+eur+" 19", "F0", "3D F4 01 00 FF FF 00 "+eur+" 19", "F5 01", "3D F4 01 01 00 00 00 "+eur+" 19", "F5 02",
			"38", "F5", "3E", "F0 F4 01 00 00", "4E 01 03 00 "+five, "F0", "4E 01 03 00 07 00 00 00 "+eur, "F4", "4E 01", "F3",
			"5B", "F0", "33 "+five+" 58", "F5 04", "52", "F5 04", "5C 00", "F0", "52 07", "F4", "61", "F5")
	}))
	t.Run("notes below version 6", bubble(func(t *testing.T) {
		_, h := startRecycler(t, Options{})
		h.talk("06 05", "F0", "35 F4 01 00 00", "F0 04 00", "3B 01 F4 01 00 00", "F0", "3C F4 01 00 00", "F0 01", "33 F4 01 00 00", "F0")
		pause(startTime + notePickTime + noteExitTime)
		h.talk("56", "F0 DA 00 00 00 00 CE")
		pause(noteTakeTime)
		h.talk("56", "F0 D2 F4 01 00 00")
	}))
	t.Run("coins", bubble(func(t *testing.T) {
		_, h := startCoins(t, Options{})
		h.talk("34 05 00 C8 00 00 00 "+eur, "F0", "35 C8 00 00 00 "+eur, "F0 37 00", "34 00 00 C8 00 00 00 "+eur, "F0",
			"35 C8 00 00 00 "+eur, "F0 00 00", "34 01 00 03 00 00 00 "+eur, "F4", "40 01 03 00 "+eur, "F4", "40 02 01 00 "+eur, "F4",
			"49 02", "F4", "06 05", "F0", "34 05 00 C8 00", "F0", "35 C8 00", "F0 05 00", "35 C8 00 00 00", "F0 05 00",
			"3B 01 C8 00", "F0", "3C C8 00", "F0 01", "40 00 C8 00", "F0", "37", "F0")
		if got := h.tell("05"); got != "" {
			t.Errorf("a hopper in pass through answers %s", got)
		}
	}))
}

// TestTwoMachinesOneLine: each hears its own frames only.
func TestTwoMachinesOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorld(nil)
		defer w.Close()
		l := w.AddLine("COM7")
		for addr, profile := range map[ssp.Address]string{0: "nv9", 16: "scs"} {
			if _, err := l.AddMachine(addr, profile, Options{Currency: "GBP"}); err != nil {
				t.Fatal(err)
			}
		}
		notes := dial(t, l, 0)
		coins := &host{t: t, conn: notes.conn, addr: 16, seq: true}
		notes.connect()
		coins.connect()
		notes.talk("56", "F0 F1 E8")
		coins.talk("56", "F0 F1 E8")
		for range 20 {
			notes.talk("56", notes.tell("56"))
			coins.talk("56", coins.tell("56"))
		}
		m, _ := w.Machine("COM7", 16)
		m.Fault(Fault{Kind: FaultUnplug})
		if got := coins.tell("56"); got != "" {
			t.Errorf("an unplugged machine answers %s", got)
		}
		notes.talk("56", "F0 E8")
		m.Fault(Fault{Kind: FaultPlug})
		coins.talk("56", "F0 E8") // the identical frame again, as a host repeats it: nothing was executed
	})
}

// TestBadLines: a refused configuration says why.
func TestBadLines(t *testing.T) {
	for _, c := range []struct {
		profile string
		addr    ssp.Address
		opt     Options
		text    string
	}{
		{"nv999", 0, Options{}, "spectral-payout"}, {"nv9", 0x7E, Options{}, "125"}, {"nv9", 3, Options{}, "has a machine"},
		{"nv9", 0, Options{Currency: "XTS"}, "no dataset"}, {"nv9", 0, Options{Currency: "euro"}, "capitals"},
		{"nv9", 0, Options{Dataset: []int64{500, 500}}, "rise"}, {"nv9", 0, Options{Levels: map[int64]int{500: 1}}, "no payout store"},
		{"scs", 0, Options{Levels: map[int64]int{3: 1}}, "not in the dataset"}, {"scs", 0, Options{Dataset: []int64{70000}}, "too high"},
		{"spectral-payout", 0, Options{Levels: map[int64]int{500: 81}}, "holds 80"},
	} {
		w := NewWorld(nil)
		l := w.AddLine("COM1")
		if _, err := l.AddMachine(3, "scs", Options{}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.AddMachine(c.addr, c.profile, c.opt); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s %+v: %v", c.profile, c.opt, err)
		}
	}
}

// TestTransports: the same machine through each kind of line, and after the host has hung up in the middle.
func TestTransports(t *testing.T) {
	transports := map[string]func(t *testing.T, l *Line) func() net.Conn{
		"pipe": func(t *testing.T, l *Line) func() net.Conn {
			d := l.Pipe()
			return func() net.Conn { c, _ := d(context.Background()); return c }
		},
		"tcp": func(t *testing.T, l *Line) func() net.Conn {
			addr, err := l.ListenTCP("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			return func() net.Conn {
				c, err := net.Dial("tcp", addr.String())
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
		},
	}
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			w := NewWorld(t.Logf)
			defer w.Close()
			l := w.AddLine("COM1")
			m, err := l.AddMachine(0, "spectral-payout", Options{})
			if err != nil {
				t.Fatal(err)
			}
			dial := open(t, l)
			for i := range 3 {
				h := &host{t: t, conn: dial(), seq: true}
				h.connect()
				want := "F0 E8"
				if i == 0 {
					want = "F0 F1 E8"
				}
				h.talk("56", want)
				h.conn.Write(unhex(t, "7F 80 02 06")) // hangs up in the middle of a frame
				h.conn.Close()
			}
			check(t, m.Truth())
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			if _, err := l.Pipe()(t.Context()); err == nil {
				t.Error("a closed line answers")
			}
		})
	}
}

// TestNoise: with one byte in fifty turned or lost, answers are right or missing, and the machine recovers.
func TestNoise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		m.Fault(Fault{Kind: FaultBitFlips, Rate: 0.01})
		m.Fault(Fault{Kind: FaultDropBytes, Rate: 0.01})
		m.Fault(Fault{Kind: FaultDuplicates})
		answered := 0
		for range 300 {
			f := h.frame([]byte{0x56})
			for range 20 {
				if got, ok := h.wire(f); ok && got.Seq == h.seq {
					if answer := h.unseal(got); answer != "F0" {
						t.Fatalf("noise makes %s", answer)
					}
					answered++
					break
				}
			}
			h.seq = !h.seq
		}
		if answered < 299 {
			t.Errorf("%d of 300 polls answered", answered)
		}
		m.Fault(Fault{Kind: FaultClear})
		for _, ok := h.hear(); ok; _, ok = h.hear() { // what is still under way
		}
		h.reconnect()
		if got := h.drain(); got != "" {
			t.Errorf("told %s", got)
		}
	})
}
