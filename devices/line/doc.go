// Package line owns serial ports: one goroutine a port, and everything that belongs to an address on it (sequence flag,
// session key, packet count) stays in that goroutine. Drivers hold a Peer and never a port.
//
// An exchange is one command and its answer, retries included; nothing else is on the wire meanwhile. Commands go
// before polls, addresses take turns, and of the polls the most overdue goes first. A line that breaks is opened again
// with growing pauses while the rest of the program runs on.
//
// Documents: ITL SSP protocol manual GA138 and SSP implementation guide GA973, as gathered in the fact sheet ssp.md,
// sections 2 (frame), 3 (flag, time-outs, retries) and 4 (encryption).
package line
