package devices

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices/line"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Deadlines of Scan. An address where nobody is costs one reply timeout.
const (
	scanOpen    = 3 * time.Second // until the port is open
	scanMachine = 8 * time.Second // for the questions to a machine that answered
)

// Found is a machine that answered a scan.
type Found struct {
	Address  ssp.Address   `json:"address"`
	Model    string        `json:"model"`     // as Identity.Model; "" if no driver is for it
	UnitType string        `json:"unit_type"` // what it calls itself in the setup reply
	Firmware string        `json:"firmware"`
	Dataset  string        `json:"dataset"`
	Currency cash.Currency `json:"currency"`
	Serial   string        `json:"serial"`
	Protocol int           `json:"protocol"`        // version in force; a scan does not change it
	Error    string        `json:"error,omitempty"` // why the rest is missing
}

// Scan opens a port that nobody drives and asks at each address, in the order given, who is there: SYNC, and where that
// is answered SETUP, serial number, firmware and dataset, all plain. None of these moves money, takes a note that waits,
// or uses up an event; there is no poll. The port is closed before Scan returns.
//
// It returns what it found also together with an error: the port cannot be opened or was lost, or ctx ended.
func Scan(ctx context.Context, port LineConfig, open line.Opener, addrs []ssp.Address, families []Family, log logrus.FieldLogger) ([]Found, error) {
	if open == nil {
		open = port.opener()
	}
	l := line.New(line.Config{Name: port.Port, ReplyTimeout: port.ReplyTimeout}, open, log)
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = l.Run(run)
	}()
	defer func() {
		stop()
		<-ended
	}()
	if err := awaitOpen(ctx, l); err != nil {
		return nil, err
	}
	var found []Found
	for _, a := range addrs {
		if err := ctx.Err(); err != nil {
			return found, fmt.Errorf("scan %s: ended before address %d: %w", port.Port, a, err)
		}
		f, there, err := ask(ctx, l.Peer(a), families)
		if there {
			found = append(found, f)
		}
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// awaitOpen waits until the port is open, or says why it is not.
func awaitOpen(ctx context.Context, l *line.Line) error {
	wait, stop := context.WithTimeout(ctx, scanOpen)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-l.Opened():
			return nil
		case <-tick.C:
			if err := l.State().Err; err != nil {
				return err
			}
		case <-wait.Done():
			if err := ctx.Err(); err != nil {
				return err
			}
			return fmt.Errorf("open %s: not open within %v, look at the driver of the port", l.Name(), scanOpen)
		}
	}
}

// ask identifies the machine at one address, if there is one. Its error is that of a port that is gone.
func ask(ctx context.Context, p *line.Peer, families []Family) (f Found, there bool, err error) {
	f.Address = p.Address()
	ctx, stop := context.WithTimeout(ctx, scanMachine)
	defer stop()
	var refused *ssp.StatusError
	switch err := p.Sync(ctx); {
	case err == nil, errors.As(err, &refused):
	case !p.Line().State().Open:
		return f, false, err
	default:
		return f, false, nil // silence
	}
	if err := f.identify(ctx, p, families); err != nil {
		f.Error = err.Error()
	}
	return f, true, nil
}

// identify fills f in. What a machine refuses to tell stays empty; an answer that does not come ends it.
func (f *Found) identify(ctx context.Context, p *line.Peer, families []Family) error {
	var setup ssp.Setup
	for _, q := range []struct {
		data []byte
		read func(rest []byte) error
	}{
		{ssp.CmdSetupRequest.Data(), func(rest []byte) (err error) {
			setup, err = ssp.ParseSetup(rest)
			f.UnitType, f.Protocol, f.Currency = setup.UnitType.String(), int(setup.Protocol), cash.Currency(setup.Currency)
			return err
		}},
		{ssp.GetSerialNumber(), func(rest []byte) error {
			n, err := ssp.ParseSerial(rest)
			f.Serial = strconv.FormatUint(uint64(n), 10)
			return err
		}},
		{ssp.CmdGetFirmware.Data(), func(rest []byte) error { f.Firmware = text(rest); return nil }},
		{ssp.CmdGetDataset.Data(), func(rest []byte) error { f.Dataset = text(rest); return nil }},
	} {
		data, err := p.Tx(ctx, q.data)
		if err != nil {
			return err
		}
		rest, err := ssp.CheckReply(data)
		if err == nil {
			err = q.read(rest)
		}
		if err != nil && f.Error == "" {
			f.Error = fmt.Sprintf("%v: %v", ssp.Command(q.data[0]), err)
		}
	}
	for _, family := range families {
		if f.UnitType != "" && family.Accepts(setup, f.Firmware) {
			f.Model = family.Model(setup, f.Firmware)
			break
		}
	}
	return nil
}

func text(rest []byte) string { return strings.TrimRight(string(rest), " \x00") }
