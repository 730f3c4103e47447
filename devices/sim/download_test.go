package sim

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"coffer/ssp"
)

// newFirmware is a download for a Spectral Payout of three blocks, which leaves out the denominations from 50 EUR on.
func newFirmware(device byte) ssp.DownloadFile {
	p := ssp.Payload{Firmware: "NVS2004301099000", Dataset: "EUR01999", Values: []int64{500, 1000, 2000}}
	image := ssp.MakeDownload(ssp.DownloadFile{
		Device: device, Update: 0x11, RAM: bytes.Repeat([]byte{0x7F, 0x00, 0x21}, 90), Payload: p.Append(nil, 1200), BlockSize: 500,
	})
	f, err := ssp.ParseDownload(image)
	if err != nil {
		panic(err)
	}
	return f
}

// bare sends bytes without a frame and returns the one that comes back within two seconds, -1 for silence.
func (h *host) bare(b ...byte) int {
	h.t.Helper()
	if _, err := h.conn.Write(b); err != nil {
		h.t.Fatalf("write: %v", err)
	}
	h.conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	var got [1]byte
	if _, err := io.ReadFull(h.conn, got[:]); err != nil {
		return -1
	}
	return int(got[0])
}

// want is bare with the answer that must come.
func (h *host) want(answer int, b ...byte) {
	h.t.Helper()
	if got := h.bare(b...); got != answer {
		h.t.Fatalf("% X… is answered %X, want %X", b[:min(len(b), 4)], got, answer)
	}
}

// offer does steps 1 and 2 of ssp.md 18.2.
func (h *host) offer(f ssp.DownloadFile, answer string) {
	h.t.Helper()
	h.session = nil
	h.talk("11", "F0", "0B 03", "F0 00 10", fmt.Sprintf("% X", f.Header), answer)
}

// update does steps 6 to 8, n blocks.
func (h *host) update(f ssp.DownloadFile, n int) {
	h.t.Helper()
	h.want(0x32, f.Update)
	h.want(0x32, f.Header...)
	for i := range n {
		sum := ssp.XOR(f.Block(i))
		h.want(int(sum), append(bytes.Clone(f.Block(i)), sum)...)
	}
}

func (h *host) restarted(firmware, dataset string) {
	h.t.Helper()
	pause(5 * time.Second)
	h.session = nil
	h.talk("11", "F0", "20", fmt.Sprintf("F0 % X", firmware), "21", fmt.Sprintf("F0 % X", dataset))
}

const oldFirmware, oldDataset = "NVS2004301038000", "EUR01810"

func TestDownload(t *testing.T) {
	f := newFirmware(0x21)
	tests := map[string]func(t *testing.T, m *Machine, h *host){
		"whole": func(t *testing.T, m *Machine, h *host) {
			h.offer(f, "F0")
			if got := m.Truth(); got.Enabled || !got.Moving {
				t.Errorf("truth: %+v", got)
			}
			if _, err := m.Insert(Insert{Value: 500, Currency: "EUR"}); err == nil {
				t.Error("it takes notes")
			}
			pause(500 * time.Millisecond)
			h.want(int(f.RAMSum), f.RAM...)
			pause(2500 * time.Millisecond)
			h.update(f, 3)
			h.restarted("NVS2004301099000", "EUR01999")
			h.talk("06 08", "F0")
			h.negotiate()
			h.talk("22", "F0 03 04 00 "+u32(500)+" "+eur+" 00 00 "+u32(1000)+" "+eur+" 00 00 "+u32(2000)+" "+eur)
			check(t, m.Truth())
			if m.Truth().Moving || count(m.Truth().Payout, 5000) != 2 {
				t.Errorf("truth: %+v", m.Truth())
			}
			m.Fault(Fault{Kind: FaultReset})
			h.restarted("NVS2004301099000", "EUR01999") // for good
		},
		"another machine's": func(t *testing.T, m *Machine, h *host) {
			h.offer(newFirmware(0x40), "F9")
			h.talk("20", fmt.Sprintf("F0 % X", oldFirmware))
		},
		"not announced": func(t *testing.T, m *Machine, h *host) {
			h.talk("11", "F0", "0B 03", "F0 00 10", "20", fmt.Sprintf("F0 % X", oldFirmware), fmt.Sprintf("% X", f.Header), "F2",
				"0B", "F3", "0B 00", "F4", "0B 03 00", "F3")
		},
		"busy": func(t *testing.T, m *Machine, h *host) {
			h.connect()
			h.talk("02 FF", "F0", "5C", "F0", "0A", "F0", "33 F4 01 00 00 "+eur+" 58", "F0", "0B 03", "F5 03")
			pause(4 * time.Second)
			h.talk("56", "F0 F1 D2 01 "+u32(500)+" "+eur, "0B 03", "F5 03", "57", "F0", "0B 03", "F0 00 10")
		},
		"the loader does not come": func(t *testing.T, m *Machine, h *host) {
			h.offer(f, "F0")
			h.want(-1, f.RAM[:100]...)
			h.restarted(oldFirmware, oldDataset)
		},
		"the loader comes damaged": func(t *testing.T, m *Machine, h *host) {
			h.offer(f, "F0")
			bad := bytes.Clone(f.RAM)
			bad[7] ^= 8
			h.want(int(f.RAMSum^8), bad...)
			h.restarted(oldFirmware, oldDataset)
		},
		"a block comes damaged": func(t *testing.T, m *Machine, h *host) {
			h.offer(f, "F0")
			h.want(int(f.RAMSum), f.RAM...)
			h.update(f, 1)
			bad := append(bytes.Clone(f.Block(1)), ssp.XOR(f.Block(1)))
			bad[3] ^= 0x40
			h.want(int(ssp.XOR(f.Block(1))^0x40), bad...)
			h.want(-1, 0x11^0xFF)
			h.update(f, 3) // from step 6 again
			h.restarted("NVS2004301099000", "EUR01999")
		},
		"the cable is pulled and the machine goes on from step 6": func(t *testing.T, m *Machine, h *host) {
			h.offer(f, "F0")
			h.want(int(f.RAMSum), f.RAM...)
			h.update(f, 1)
			m.Fault(Fault{Kind: FaultUnplug})
			h.want(-1, f.Block(1)...)
			m.Fault(Fault{Kind: FaultPlug})
			if got := h.tell("11"); got != "" {
				t.Errorf("a loader answers SYNC: %s", got)
			}
			pause(3 * time.Second)
			h.update(f, 3)
			h.restarted("NVS2004301099000", "EUR01999")
		},
		"the power goes": func(t *testing.T, m *Machine, h *host) {
			h.offer(f, "F0")
			h.want(int(f.RAMSum), f.RAM...)
			h.update(f, 2)
			m.Fault(Fault{Kind: FaultReset})
			pause(5 * time.Second)
			h.talk("11", "F0", "05", "F2", "20", "F2", "06 08", "F2") // nothing else is left of it
			h.offer(newFirmware(0x40), "F9")
			h.offer(f, "F0")
			h.want(int(f.RAMSum), f.RAM...)
			h.update(f, 3)
			h.restarted("NVS2004301099000", "EUR01999")
		},
		"a payload that it does not know": func(t *testing.T, m *Machine, h *host) {
			f, err := ssp.ParseDownload(ssp.MakeDownload(ssp.DownloadFile{Device: 0x21, RAM: []byte{1}, Payload: []byte{2, 3}}))
			if err != nil {
				t.Fatal(err)
			}
			h.offer(f, "F0")
			h.want(1, 1)
			h.update(f, 1)
			h.restarted(oldFirmware, oldDataset)
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, h := newMachineOnPipe(t, "spectral-payout", 0, Options{Currency: "EUR", Levels: map[int64]int{500: 4, 5000: 2}})
				test(t, m, h)
				check(t, m.Truth())
			})
		})
	}
}

// Every profile takes files of its own kind, and no other profile's.
func TestDownloadKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[byte]string{}
		for _, name := range Profiles() {
			p, err := findProfile(name)
			if err != nil {
				t.Fatal(err)
			}
			if seen[p.Download] != "" || p.Download == 0 {
				t.Errorf("%s takes files of kind %02X, and so does %q", name, p.Download, seen[p.Download])
			}
			seen[p.Download] = name
			_, h := newMachineOnPipe(t, name, 0, Options{Currency: "EUR"})
			h.offer(newFirmware(0xFF), "F9")
			h.offer(newFirmware(p.Download), "F0")
		}
	})
}
