// Package linux holds the files that an installation on Linux needs.
package linux

import _ "embed"

// Unit is the systemd unit, with the paths of the packages.
//
//go:embed coffer.service
var Unit string

// ExecStart is the line of Unit that names the program; an installation from another place puts its own there.
const ExecStart = "ExecStart=/usr/bin/coffer run --config /etc/coffer/config.yaml"
