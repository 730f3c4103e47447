package devices

import (
	"errors"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices/line"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Times of a download (ssp.md section 18.2). Limits are for the machine's part; what the bytes take on the wire comes on
// top.
const (
	speedPause   = 500 * time.Millisecond  // behind the change of speed
	loaderPause  = 2500 * time.Millisecond // while the RAM loader starts
	portBack     = 10 * time.Second        // until the port can be opened again
	byteLimit    = 10 * time.Second        // for one answer
	eraseLimit   = 40 * time.Second        // for the answer behind which the machine erases
	restartPause = 2 * time.Second
	restartLimit = 40 * time.Second // until the machine answers again
)

// writeSize is how many bytes are written at a time: not so many that a slow line takes long for them.
const writeSize = 512

// transfer is a download on a borrowed line.
type transfer struct {
	raw    *line.Raw
	log    logrus.FieldLogger
	addr   ssp.Address
	file   ssp.DownloadFile
	baud   int // of the transfer
	slow   int // of the line
	pace   float64
	flag   bool
	at     DownloadProgress
	tell   func(DownloadProgress)
	silent bool // the machine did not answer when it was asked what it stores
}

// run is the whole procedure. Errors as Downloader.Download has them.
func (t *transfer) run() error {
	t.report(DownloadChecking)
	stands, err := t.offer()
	if err != nil {
		return err
	}
	steps := []func() error{t.loader, t.begin, t.blocks, t.restart}
	if stands {
		steps = steps[2:] // the loader of an earlier attempt has begun
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("download, %s: %w; repeat it", t.at, err)
		}
	}
	return nil
}

// time is how long something takes at the pace of this machine.
func (t *transfer) time(d time.Duration) time.Duration { return time.Duration(float64(d) * t.pace) }

// report tells the stage, and how far it is.
func (t *transfer) report(s DownloadStage) {
	t.at.Stage = s
	if t.tell != nil {
		t.tell(t.at)
	}
}

// ask is one exchange by frames.
func (t *transfer) ask(data []byte) ([]byte, error) {
	reply, err := t.raw.Exchange(t.addr, t.flag, data)
	t.flag = !t.flag
	if err != nil {
		return nil, err
	}
	return ssp.CheckReply(reply)
}

// sync makes the machine take the next frame for a new one.
func (t *transfer) sync() error {
	t.flag = true // the next one carries 0
	_, err := t.ask(ssp.CmdSync.Data())
	return err
}

// offer does steps 1 and 2: nothing is erased by them. A machine that does not answer frames may be one that an earlier
// download has left with its loader running, which is found by step 6: stands says so.
func (t *transfer) offer() (stands bool, err error) {
	if err := t.sync(); err != nil {
		if !errors.Is(err, line.ErrMaybeSent) {
			return false, err
		}
		return true, t.findLoader(err)
	}
	if t.silent {
		return false, fmt.Errorf("%w: the machine came back a moment ago; repeat the download", cash.ErrBusy)
	}
	if _, err := t.ask(ssp.Program(ssp.ProgramLoader)); err != nil {
		return false, fmt.Errorf("the machine takes no download: %w", refusal(err))
	}
	_, err = t.ask(t.file.Header)
	var r *ssp.StatusError
	if errors.As(err, &r) && r.Reply == ssp.HeaderFail {
		return false, fmt.Errorf("%w: the file is for another machine: %w", cash.ErrInvalid, err)
	}
	return false, refusal(err)
}

// findLoader begins at step 6.
func (t *transfer) findLoader(silent error) error {
	if t.raw.Reopen(t.baud, t.time(loaderPause), portBack) != nil || t.begin() != nil {
		return silent
	}
	t.log.Warn("a loader was still running; the download goes on from there")
	return nil
}

// loader does steps 3 to 5.
func (t *transfer) loader() error {
	t.at.RAMBlocks = t.file.RAMChunks()
	t.report(DownloadRAM)
	if err := t.raw.SetBaud(t.baud); err != nil {
		return err
	}
	if err := t.raw.Wait(t.time(speedPause)); err != nil {
		return err
	}
	if err := t.raw.Flush(); err != nil {
		return err
	}
	for b := t.file.RAM; len(b) > 0; {
		n := min(ssp.DownloadRAMChunk, len(b))
		if err := t.raw.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
		t.at.RAMBlock++
		t.report(DownloadRAM)
	}
	if err := t.hear("the RAM loader", t.file.RAMSum, t.took(len(t.file.RAM), byteLimit)); err != nil {
		return err
	}
	return t.raw.Reopen(t.baud, t.time(loaderPause), portBack)
}

// begin does steps 6 and 7, behind which the machine has no firmware.
func (t *transfer) begin() error {
	t.at.Blocks = t.file.Blocks()
	t.report(DownloadUpdating)
	if err := t.send([]byte{t.file.Update}); err != nil {
		return err
	}
	if err := t.hear("the update code", ssp.DownloadGoOn, byteLimit); err != nil {
		return err
	}
	if err := t.send(t.file.Header); err != nil {
		return err
	}
	return t.hear("the header", ssp.DownloadGoOn, eraseLimit)
}

// blocks does step 8.
func (t *transfer) blocks() error {
	for i := range t.file.Blocks() {
		b := t.file.Block(i)
		if err := t.send(b, []byte{ssp.XOR(b)}); err != nil {
			return err
		}
		if err := t.hear("a block", ssp.XOR(b), t.took(len(b), byteLimit)); err != nil {
			return err
		}
		t.at.Block++
		t.report(DownloadUpdating)
	}
	return nil
}

// took is limit and what n bytes take on the wire, since a port may take bytes faster than it sends them.
func (t *transfer) took(n int, limit time.Duration) time.Duration {
	return limit + time.Duration(n*11)*time.Second/time.Duration(t.baud)
}

// send drops what was not read, and writes.
func (t *transfer) send(parts ...[]byte) error {
	if err := t.raw.Flush(); err != nil {
		return err
	}
	for _, b := range parts {
		for len(b) > 0 {
			n := min(writeSize, len(b))
			if err := t.raw.Write(b[:n]); err != nil {
				return err
			}
			b = b[n:]
		}
	}
	return nil
}

// hear waits for the byte that says that what was sent has arrived.
func (t *transfer) hear(what string, want byte, limit time.Duration) error {
	got, err := t.raw.Byte(t.time(limit))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if got != want {
		return fmt.Errorf("%w: %s is answered %02X, want %02X", cash.ErrNotConnected, what, got, want)
	}
	return nil
}

// restart does step 9: it waits until the machine answers, with firmware in it.
func (t *transfer) restart() error {
	t.report(DownloadRestarting)
	end := time.Now().Add(t.time(restartLimit))
	if err := t.raw.Reopen(t.slow, t.time(restartPause), portBack); err != nil {
		return err
	}
	for {
		err := t.sync()
		switch {
		case err == nil:
			return t.verify()
		case !time.Now().Before(end):
			return err
		case !errors.Is(err, line.ErrMaybeSent): // the port is gone: a USB machine shows up anew
			if err := t.raw.Reopen(t.slow, time.Second, portBack); err != nil {
				return err
			}
		}
	}
}

// verify reads what runs now, for the log.
func (t *transfer) verify() error {
	firmware, err := t.ask(ssp.CmdGetFirmware.Data())
	if err != nil {
		return fmt.Errorf("firmware: %w", refusal(err))
	}
	dataset, err := t.ask(ssp.CmdGetDataset.Data())
	if err != nil {
		return fmt.Errorf("dataset: %w", refusal(err))
	}
	t.log.WithFields(logrus.Fields{"firmware": text(firmware), "dataset": text(dataset)}).Info("download done")
	return nil
}
