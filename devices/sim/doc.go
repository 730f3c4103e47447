// Package sim is a shop full of cash machines that do not exist: each speaks SSP over a real byte stream, holds notes and
// coins that are always in exactly one place, takes time for what it does, and can be jammed, unplugged and cut from
// power at any step.
//
// A World holds lines, a Line holds one or two Machines by SSP address and is reached by a pseudo-terminal, a pipe or
// TCP. What a machine is (unit type, commands, capacities, modules) stands in profiles/*.yaml; how it behaves follows
// the fact sheet ssp.md, sections 3 to 5 and 9 to 19, and the simulator control of the project's contract, section 4.
//
// The package knows the wire format (ssp) and nothing of the drivers, so that simulator and driver cannot share a wrong
// idea. Everything is safe for use from any goroutine. Money is in minor units.
package sim
