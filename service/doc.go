// Package service is the process that an installed till runs: its command line, the operating system's service around
// it, and the wiring of every part (docs/operate.md). Only this package knows all the others:
// wire.go builds them from the configuration, tasks.go runs and stops them, command_*.go hold one noun of the command
// line each.
package service
