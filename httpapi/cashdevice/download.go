package cashdevice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Bounds of a download.
const (
	largestImage   = 64 << 20
	downloadBegins = 20 * time.Second // until a machine must have taken the file's header
)

// Texts of the manual.
const (
	downloadBegun   = "Download initiated. Check progress with /GetDownloadStatus."
	downloadInvalid = "Invalid parameters. Please provide a valid file name and COM port."
	downloadFailed  = "Failed to initiate download."
)

// downloads is the one download that a server has at a time. The zero value has had none.
type downloads struct {
	mu      sync.Mutex
	running bool
	port    string
	addr    ssp.Address
	at      devices.DownloadProgress
	done    bool  // the last one came to a good end
	err     error // why it did not
}

// begin takes the place of the one download; cash.ErrBusy while another runs.
func (d *downloads) begin(port string, addr ssp.Address) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running {
		return cash.ErrBusy
	}
	d.running, d.port, d.addr = true, port, addr
	d.at, d.done, d.err = devices.DownloadProgress{}, false, nil
	return nil
}

func (d *downloads) progress(p devices.DownloadProgress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = p
}

func (d *downloads) end(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running, d.done, d.err = false, err == nil, err
}

// state is the word of the manual for where it stands.
func (d *downloads) state() string {
	switch {
	case d.running:
		return "UPDATING"
	case d.done:
		return "COMPLETE"
	}
	return "IDLE"
}

// startDownload: POST StartDownload {"DownloadFileName":"…","ComPort":"COM5","SspAddress":0}. It answers once the machine
// has taken the file as its own, or has not.
func (c *call) startDownload() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	packet := in.flag("PacketDownload") // asked for in so many words; the default is the way that is known
	file, where, baud := strings.TrimSpace(in.text("DownloadFileName")), portOf(in), in.number(0, math.MaxInt32, "BaudRate")
	address := in.number(0, 0x7D, "SspAddress")
	if err := in.err(); err != nil {
		return nil, err
	}
	loader, ok := c.api.station.(devices.Downloader)
	if !ok {
		return nil, cash.ErrUnsupported
	}
	image, err := readImage(file)
	port, _, perr := c.api.place(where)
	if err = errors.Join(err, perr); err == nil {
		err = loader.CheckDownload(image)
	}
	if err != nil {
		c.api.log.WithError(err).Info("no download")
		return nil, &refusal{status: 400, body: downloadInvalid, err: cash.ErrInvalid}
	}
	d := devices.Download{Port: port, Address: ssp.Address(address), Image: image, Baud: int(baud), Packet: packet}
	if err := c.download(loader, d); err != nil {
		return nil, downloadRefused(err)
	}
	return downloadBegun, nil
}

// portOf is the port that a request names, nil for none.
func portOf(in *form) any {
	v, _ := in.get("ComPort", "Port")
	return v
}

// downloadRefused words what kept a download from beginning.
func downloadRefused(err error) error {
	switch word := rowOf(err).word; {
	case errors.Is(err, cash.ErrUnsupported), errors.Is(err, cash.ErrInvalid):
		return &refusal{status: 500, body: downloadFailed, err: err}
	case strings.Contains(word, "BUSY"):
		return &refusal{status: 500, body: strings.TrimSuffix(downloadFailed, ".") + ": " + word, err: err}
	}
	return &refusal{status: 500, body: downloadFailed, err: err}
}

// readImage reads a download file from the disk of this machine.
func readImage(name string) ([]byte, error) {
	if name == "" {
		return nil, fmt.Errorf("%w: no file is named", cash.ErrInvalid)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > largestImage {
		return nil, fmt.Errorf("%w: %s is no download file", cash.ErrInvalid, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, largestImage))
}

// download starts d and returns once the machine has begun to take it: what keeps it from beginning is returned, what
// comes later is told by GetDownloadStatus. A machine that a client has open is not downloaded to.
func (c *call) download(loader devices.Downloader, d devices.Download) error {
	for _, v := range c.api.views.all() {
		if v.port == d.Port {
			return fmt.Errorf("%w: %s is open; disconnect it first", cash.ErrBusy, v.id)
		}
	}
	if err := c.leased(d.Port); err != nil {
		return err
	}
	if err := c.api.downloads.begin(d.Port, d.Address); err != nil {
		return err
	}
	begun := make(chan struct{})
	once := sync.OnceFunc(func() { close(begun) })
	d.Progress = func(p devices.DownloadProgress) {
		c.api.downloads.progress(p)
		if p.Stage > devices.DownloadChecking {
			once()
		}
	}
	ended := make(chan error, 1)
	go func() {
		err := loader.Download(c.api.ctx, d)
		c.api.downloads.end(err)
		log := c.api.log.WithField("line", d.Port)
		select {
		case <-begun:
			if err != nil {
				log.WithError(err).Error("download failed")
			} else {
				log.Info("download done")
			}
		default: // the caller learns why; the machine is as it was
			log.WithError(err).Info("no download")
		}
		ended <- err
	}()
	limit := time.NewTimer(downloadBegins)
	defer limit.Stop()
	select {
	case err := <-ended:
		select {
		case <-begun: // it has ended so soon: as if the answer had been before
		default:
			return err
		}
	case <-begun:
	case <-limit.C: // the machine is slow; what becomes of it is told by GetDownloadStatus
	case <-c.ctx.Done():
	}
	return nil
}

// leased refuses a port on which another owner holds a machine.
func (c *call) leased(port string) error {
	for _, l := range c.api.station.Lines() {
		if l.Port != port {
			continue
		}
		for _, d := range l.Devices {
			err := c.api.till.Do(c.ctx, c.by(), d, "download", func(context.Context) error { return nil })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// downloadStatus: GET GetDownloadStatus. A download that broke off is answered 500 with the reason, until the next one.
func (c *call) downloadStatus() (any, error) {
	d := &c.api.downloads
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return nil, &refusal{status: 500, body: "Download failed: " + d.err.Error()} // it is in the log once
	}
	return object{
		{"state", d.state()}, {"currentDownloadBlock", d.at.Block}, {"totalDownloadBlock", d.at.Blocks}, {"success", d.done},
	}, nil
}

// dumped is the downloadStatus member of GetCompleteCashDevice for the machine at a place.
func (d *downloads) dumped(port string, addr ssp.Address) object {
	d.mu.Lock()
	defer d.mu.Unlock()
	state, at := "IDLE", devices.DownloadProgress{}
	if d.port == port && d.addr == addr {
		state, at = d.state(), d.at
	}
	return object{
		{"State", state}, {"CurrentRamBlock", at.RAMBlock}, {"TotalRamBlocks", at.RAMBlocks},
		{"CurrentDownloadBlock", at.Block}, {"TotalDownloadBlocks", at.Blocks},
	}
}
