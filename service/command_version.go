package service

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
)

// Version is stamped by the build (-ldflags "-X coffer/service.Version=1.2.3").
var Version = ""

// version is the stamped version, else the revision the binary was built from.
func version() string {
	if Version != "" {
		return Version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "0.0.0-" + s.Value[:12]
			}
		}
	}
	return "0.0.0-dev"
}

type versionCommand struct {
	JSON bool `name:"json" help:"For programs."`
}

// Run prints the version.
func (c *versionCommand) Run(s *session) error {
	if c.JSON {
		return json.NewEncoder(s.Out).Encode(map[string]string{
			"version": version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		})
	}
	s.printf("coffer %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
