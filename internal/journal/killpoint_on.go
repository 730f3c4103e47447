//go:build killpoints

package journal

import (
	"os"
	"strconv"
	"sync/atomic"
)

// KillEnv is the environment variable that says at which killpoint this process ends itself, from 1.
const KillEnv = "COFFER_KILL_WRITE"

var (
	killAt, _ = strconv.ParseInt(os.Getenv(KillEnv), 10, 64)
	passed    atomic.Int64
)

// killpoint is called before and after every commit of ledger content. It ends the process as kill -9 does, at the
// point that KillEnv names. Only builds with the tag killpoints have it: tests kill coffer at every ledger write.
func killpoint(string) {
	if killAt <= 0 || passed.Add(1) != killAt {
		return
	}
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {} // the signal is on its way
}
