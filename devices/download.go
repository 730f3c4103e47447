package devices

import (
	"context"
	"fmt"

	"coffer/ssp"
)

// Download describes a transfer of firmware or dataset into a machine (ssp.md §18).
type Download struct {
	Port    string
	Address ssp.Address
	Image   []byte // the maker's file
	Baud    int    // of the transfer; 0 for the file's own
	Packet  bool   // the maker's packet download and no other way; simulated machines take it for the one they know
	// Progress, if set, is called after every block, from the downloading goroutine.
	Progress func(DownloadProgress)
}

// DownloadStage is how far a download is.
type DownloadStage int

// The stages, in their order.
const (
	DownloadChecking   DownloadStage = iota // the file, and whether the machine takes it; nothing was erased yet
	DownloadRAM                             // the RAM loader is sent
	DownloadUpdating                        // the payload is sent
	DownloadRestarting                      // the machine starts again
)

// String names the stage as errors do.
func (s DownloadStage) String() string {
	switch s {
	case DownloadChecking:
		return "checking"
	case DownloadRAM:
		return "RAM loader"
	case DownloadUpdating:
		return "update"
	}
	return "restart"
}

// DownloadProgress counts blocks; both are 0 before their stage.
type DownloadProgress struct {
	Stage               DownloadStage
	RAMBlock, RAMBlocks int
	Block, Blocks       int
}

// String says how far a download is: "update, block 3 of 17".
func (p DownloadProgress) String() string {
	switch p.Stage {
	case DownloadRAM:
		return fmt.Sprintf("%v, block %d of %d", p.Stage, p.RAMBlock, p.RAMBlocks)
	case DownloadUpdating:
		return fmt.Sprintf("%v, block %d of %d", p.Stage, p.Block, p.Blocks)
	}
	return p.Stage.String()
}

// Downloader can put firmware and datasets into machines. Station implements it.
type Downloader interface {
	// Download transfers the file and returns once the machine answers again (nil) or it is clear that it does not.
	// While it runs, the machine and all others on its port are away.
	//
	// Errors before anything was erased: cash.ErrInvalid for a file that is no download file or is damaged, or that the
	// machine refuses as not its own, or whose dataset is known to lack a denomination that the machine stores: it would
	// no longer be reported, nor paid. Only files for simulated machines say what is in them; who brings another dataset
	// to a real one empties it first. cash.ErrNotConnected; cash.ErrBusy while an operation runs, a note is inside, or
	// another download runs on the port; cash.ErrUnsupported where the way is not known (ssp.md §18.3). Later errors
	// name the stage; the machine then wants the download repeated.
	Download(ctx context.Context, d Download) error
	// CheckDownload says whether Image is a whole download file, without asking any machine: cash.ErrInvalid.
	CheckDownload(image []byte) error
}
