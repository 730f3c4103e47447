// Package simapi lets a test, a demonstration or a curious person handle simulated machines over HTTP: feed notes and
// coins in, make things go wrong, and see where every piece really is.
//
// It implements /sim/v1 of the project's contract, section 4. It asks for no credentials and answers loopback callers
// only.
package simapi
