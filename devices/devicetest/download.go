package devicetest

import (
	"bytes"
	"errors"
	"sync"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/ssp"
)

// download: other firmware comes into the machine, and the money stays what it was.
func download(b *bench) {
	d, firmware := b.image()
	wrong := d
	wrong.Image = bytes.Clone(d.Image)
	wrong.Image[5]++
	b.is(b.station.Download(b.ctx(), wrong), cash.ErrInvalid)
	b.back()
	b.ok(b.station.Download(b.ctx(), d))
	b.runs(firmware)
}

// cutDownload: it comes into the machine also when the cable was pulled in the middle of the first attempt.
func cutDownload(b *bench) {
	d, firmware := b.image()
	cut := sync.OnceFunc(func() { b.fault(sim.Fault{Kind: sim.FaultUnplug}) })
	d.Progress = func(p devices.DownloadProgress) {
		if p.Block == 2 {
			cut()
		}
	}
	if err := b.station.Download(b.ctx(), d); !errors.Is(err, cash.ErrNotConnected) {
		b.Errorf("cut: error %v", err)
	}
	b.fault(sim.Fault{Kind: sim.FaultPlug})
	b.ok(b.station.Download(b.ctx(), d))
	b.runs(firmware)
}

// image takes a piece in, and makes a download of other firmware for the machine.
func (b *bench) image() (d devices.Download, firmware string) {
	b.Helper()
	b.accept()
	small, _ := b.amounts()
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
	s := b.dev.Snapshot()
	firmware = s.Firmware[:9] + "9" + s.Firmware[10:]
	return devices.Download{
		Port: s.Port, Address: s.Address,
		Image: ssp.MakeDownload(ssp.DownloadFile{
			Device: sim.DownloadKind(b.Machine.Profile()), Update: 0x33, RAM: bytes.Repeat([]byte{0x7F, 1, 2}, 100),
			Payload: ssp.Payload{Firmware: firmware}.Append(nil, 6000), BlockSize: 1500,
		}),
	}, firmware
}

// runs waits until the machine does what it did before with other firmware.
func (b *bench) runs(firmware string) {
	b.Helper()
	b.back()
	if s := b.dev.Snapshot(); s.Firmware != firmware {
		b.Errorf("firmware %s, want %s", s.Firmware, firmware)
	}
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().State == cash.StateIdle })
	small, _ := b.amounts()
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
}
