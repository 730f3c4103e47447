// Package ssptest helps to test what speaks SSP: it loads the vectors and stands in for the machine at the other end of
// a line. Only tests import it.
//
// A Link is one end of a line in memory with a Peer at the other: a function from what was written to what comes back.
// Links start no goroutine and use only package time to wait, so they work in a testing/synctest bubble; make them
// inside it.
package ssptest
