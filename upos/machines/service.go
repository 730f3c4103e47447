package machines

import (
	"context"
	"fmt"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
	"coffer/upos"
)

// at returns the machine of a part, cash.ErrInvalid for a part that is not there.
func (m *Mechanism) at(part int) (devices.Device, error) {
	if part < 0 || part >= len(m.parts) {
		return nil, fmt.Errorf("%w: part %d of %d", cash.ErrInvalid, part, len(m.parts))
	}
	return m.device(part), nil
}

// Ping implements upos.Mechanism: the machine is asked for its serial number. Any answer is a sign of life.
func (m *Mechanism) Ping(ctx context.Context, part int) error {
	d, err := m.at(part)
	if err == nil {
		_, err = d.Raw(ctx, []byte{byte(ssp.CmdGetSerialNumber)})
	}
	return err
}

// Raw implements upos.Mechanism.
func (m *Mechanism) Raw(ctx context.Context, r upos.Request, part int, command []byte) (answer []byte, err error) {
	d, err := m.at(part)
	if err == nil {
		err = m.use(r)
	}
	if err != nil {
		return nil, err
	}
	err = m.Till.Do(ctx, by(r), d, "raw", func(ctx context.Context) (err error) {
		answer, err = d.Raw(ctx, command)
		return err
	})
	return answer, err
}

// CheckImage implements upos.Mechanism. Only files for simulated machines say which firmware they hold.
func (m *Mechanism) CheckImage(image []byte) (firmware string, err error) {
	if m.Downloader == nil {
		return "", cash.ErrUnsupported
	}
	if err := m.Downloader.CheckDownload(image); err != nil {
		return "", err
	}
	f, err := ssp.ParseDownload(image)
	if err != nil || !ssp.IsPayload(f.Payload) {
		return "", nil
	}
	p, err := ssp.ParsePayload(f.Payload)
	if err != nil {
		return "", fmt.Errorf("%w: %w", cash.ErrInvalid, err)
	}
	return p.Firmware, nil
}

// Shares of a firmware update in its percentages: the loader, then the payload. Until something is sent there is none.
const (
	loaderPercent  = 10
	payloadPercent = 99
)

// Update implements upos.Mechanism. 100 is told when all is sent and the machine starts again.
func (m *Mechanism) Update(ctx context.Context, r upos.Request, part int, image []byte, progress func(percent int)) error {
	d, err := m.at(part)
	switch {
	case err != nil:
		return err
	case m.Downloader == nil:
		return cash.ErrUnsupported
	}
	if err := m.use(r); err != nil {
		return err
	}
	s := d.Snapshot()
	err = m.Till.Do(ctx, by(r), d, "update firmware", func(ctx context.Context) error {
		return m.Downloader.Download(ctx, devices.Download{
			Port: s.Port, Address: s.Address, Image: image,
			Progress: func(p devices.DownloadProgress) {
				if n := percent(p); n > 0 && progress != nil {
					progress(n)
				}
			},
		})
	})
	_ = m.caughtUp(ctx) // that it went away is told before that it is back; an error is the end of this mechanism
	return err
}

// percent is how far an update is, 0 while nothing was erased yet.
func percent(p devices.DownloadProgress) int {
	switch p.Stage {
	case devices.DownloadRAM:
		return max(1, loaderPercent*p.RAMBlock/max(p.RAMBlocks, 1))
	case devices.DownloadUpdating:
		return max(1, loaderPercent+(payloadPercent-loaderPercent)*p.Block/max(p.Blocks, 1))
	case devices.DownloadRestarting:
		return 100
	}
	return 0
}

// counterNames are the counters of the machines, as ssp.md section 10.12 lists them.
var counterNames = map[cash.CounterKind][]string{
	cash.CountersNote: {"NotesStacked", "NotesStored", "NotesDispensed", "NotesMovedToCashbox", "NotesRejected"},
	cash.CountersCoin: {"CoinsPaidOut", "CoinsPaidIn", "FeederRejects", "HopperJams", "FeederJams", "FraudAttempts",
		"CalibrationFailures", "Resets", "CoinsToCashbox"},
	cash.CountersHopper: {"CoinsPastSensors", "CoinsPaidIn", "CoinsPaidOut", "CoinsToCashbox", "PayoutRequests", "FloatRequests"},
}

// Statistics implements upos.Mechanism: the machines' own counters, as last read, summed up by name.
func (m *Mechanism) Statistics() map[string]int64 {
	out := map[string]int64{}
	for i := range m.parts {
		s := m.device(i).Snapshot()
		for k, name := range counterNames[s.CounterKind] {
			if k < len(s.Counters) {
				out[name] += int64(s.Counters[k])
			}
		}
	}
	return out
}
