// Package devices is the till's view of its machines: what every cash device can do, its picture at a moment, and the
// station that opens lines and drives the machines on them. The two driver families are in note and coin, the port owner
// in line, and machines without hardware in sim.
package devices
