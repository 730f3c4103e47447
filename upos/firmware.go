package upos

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"coffer/internal/cash"
)

// maxImage is the largest firmware file that is read.
const maxImage = 64 << 20

// image reads a firmware file of the configured directory. A file that is not there is E_NOEXIST, one elsewhere
// E_ILLEGAL, one that is no firmware E_EXTENDED with EFIRMWARE_BAD_FILE.
func (c *call) image() (image []byte, firmware string, err error) {
	name, dir := c.string("firmwareFileName"), c.h.service.opts.FirmwareDir
	if dir == "" {
		return nil, "", fail(E_NOEXIST, "no directory for firmware files is configured")
	}
	if filepath.IsAbs(name) {
		if rel, err := filepath.Rel(dir, name); err == nil {
			name = rel
		}
	}
	if !filepath.IsLocal(name) {
		return nil, "", fail(E_ILLEGAL, "firmware file %q: only files in %s are used", name, dir)
	}
	image, err = readImage(dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", fail(E_NOEXIST, "there is no file %q in %s", name, dir)
	case err == nil:
		firmware, err = c.d.mech.CheckImage(image)
	}
	if err != nil {
		return nil, "", &Error{Code: E_EXTENDED, Extended: EFIRMWARE_BAD_FILE, Message: err.Error(), cause: err}
	}
	return image, firmware, nil
}

// readImage reads a file without leaving dir, by link or otherwise.
func readImage(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	image, err := io.ReadAll(io.LimitReader(f, maxImage+1))
	if err == nil && len(image) > maxImage {
		err = errors.New("the file is too long for firmware")
	}
	return image, err
}

// target is the machine that firmware is for: the one that CurrentService means, or the only one that takes firmware.
func (c *call) target() (int, error) {
	s := c.h.service
	s.mu.Lock()
	scope := c.h.scope(len(c.parts))
	s.mu.Unlock()
	found := -1
	for i, p := range c.parts {
		if !p.CanUpdate || scope != nil && scope[0] != i {
			continue
		}
		if found >= 0 {
			return 0, fail(E_ILLEGAL, "several machines take firmware: set CurrentService")
		}
		found = i
	}
	if found < 0 {
		return 0, fail(E_ILLEGAL, "this machine takes no firmware: set CurrentService to one that does")
	}
	return found, nil
}

// compareFirmware compares a file with what runs in the machine.
func (c *call) compareFirmware() (map[string]any, error) {
	part, err := c.target()
	if err != nil {
		return nil, err
	}
	if err := c.idle(); err != nil {
		return nil, err
	}
	_, firmware, err := c.image()
	if err != nil {
		return nil, err
	}
	return map[string]any{"result": compareVersions(firmware, c.parts[part].Firmware)}, nil
}

// family is how many characters of a firmware text name the product; the rest is its version.
const family = 6

// compareVersions says how the file's firmware is to the device's. Only versions of one product have an order.
func compareVersions(file, device string) int32 {
	switch {
	case file == "" || device == "":
		return CFV_FIRMWARE_UNKNOWN
	case file == device:
		return CFV_FIRMWARE_SAME
	case len(file) != len(device) || len(file) <= family || file[:family] != device[:family]:
		return CFV_FIRMWARE_DIFFERENT
	case file < device:
		return CFV_FIRMWARE_OLDER
	}
	return CFV_FIRMWARE_NEWER
}

// updateFirmware checks the file, then puts it into the machine in the background and tells the progress by events.
func (c *call) updateFirmware() (map[string]any, error) {
	part, err := c.target()
	if err != nil {
		return nil, err
	}
	s, h, d := c.h.service, c.h, c.d
	s.mu.Lock()
	running := h.deposit.running()
	s.mu.Unlock()
	if running {
		return nil, fail(E_ILLEGAL, "end the deposit first")
	}
	if err := c.idle(); err != nil {
		return nil, err
	}
	image, _, err := c.image()
	if err != nil {
		return nil, err
	}
	j := &job{h: h, method: c.Method, firmware: true, done: make(chan struct{})}
	r := c.request()
	r.Parts = []int{part}
	s.mu.Lock()
	d.job = j
	s.mu.Unlock()
	go func() {
		last := 0
		err := d.mech.Update(context.Background(), r, part, image, func(percent int) {
			if percent <= last || percent > 100 {
				return
			}
			last = percent
			if percent < 100 { // the 100th is the end, which has its own number
				s.mu.Lock()
				h.status(SUE_UF_PROGRESS + int32(percent))
				s.mu.Unlock()
			}
		})
		code := updateResult(last, err)
		if err == nil && !d.restored(part) {
			code = SUE_UF_COMPLETE_DEV_NOT_RESTORED
		}
		h.flashed(d, j, code, err)
	}()
	return nil, nil
}

// restored waits until the part that has new firmware works again, as long as Options.Settle.
func (d *device) restored(part int) bool {
	s := d.service
	ctx, cancel := s.patient(context.Background())
	defer cancel()
	look := time.NewTicker(stuckLook)
	defer look.Stop()
	for {
		s.mu.Lock()
		online := part < len(d.last) && d.last[part].Online // as was told last, so that its events come before
		s.mu.Unlock()
		if online {
			return true
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return false
		}
	}
}

// updateResult is the last event of an update that came as far as percent.
func updateResult(percent int, err error) int32 {
	switch {
	case err == nil:
		return SUE_UF_COMPLETE
	case percent == 0:
		return SUE_UF_FAILED_DEV_OK
	case percent == 100:
		return SUE_UF_COMPLETE_DEV_NOT_RESTORED
	case errors.Is(err, cash.ErrNotConnected), errors.Is(err, cash.ErrOutcomeUnknown):
		return SUE_UF_FAILED_DEV_UNKNOWN
	}
	return SUE_UF_FAILED_DEV_NEEDS_FIRMWARE
}

// flashed ends an update.
func (h *Handle) flashed(d *device, j *job, code int32, err error) {
	s := h.service
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.opts.Log.Warnf("upos %s: firmware update: %v", d.cfg.Name, err)
	}
	j.err, d.job = err, nil
	h.status(code, "State")
	close(j.done)
}
