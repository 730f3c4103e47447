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
//
// # Steps
//
// Money moves in steps, each of which happens at one moment. Machine.OnStep hears of a step just before it takes effect,
// and Fault power_off or reset with AtStep cuts the power instead of one. The steps of
//
//   - a note in: note:enter (only of a second note and later), note:read, note:accept (a poll did it; the poll then gets
//     no answer), note:credit, note:place; or after note:read, from escrow or by the host: note:rejected
//   - coins in: coin:in for each, credit and place in one; coin:stop when the feeder stands still
//   - a payout: op:start, then for each note op:pick, op:exit, op:take, for each coin op:coin
//   - a note in while a multi escrow is on: as a note in, with note:keep instead of note:credit and note:place
//   - a multi escrow that is decided on: escrow:start, then for each note escrow:commit, or escrow:pick and
//     escrow:return; escrow:end
//   - a float, emptying or stacking: op:start, then for each note op:pick, op:place, for each coin op:coin
//   - a recycler that clears a jam by itself: jam:recover
//   - a download: download:erase, then for each block download:block
//   - a start: boot:start (it answers again), boot:clear (what lay in the path goes where it belongs), boot:report
//
// A step waits while the machine is jammed, and while a host that polls with acknowledgement owes one; the customer's
// hand (op:take) and the start of the firmware do not.
//
// # Who is the code
//
//   - world.go, line.go, serve.go, pty_linux.go: who is there, and how bytes come and go.
//   - wire.go: frames, sequence flag, encryption, bad cables.
//   - commands.go and the files after what they hold: the commands.
//   - events.go: what a poll is answered with. tasks.go: time.
//   - stock.go, insert.go, truth.go: the pieces. operation.go, plan.go: payouts, floats, emptying.
//   - notepath.go, notepay.go, coinpath.go: the mechanics of the two kinds of machine. notefloat.go: what a note float
//     has beyond them.
//   - multiescrow.go: notes that the store holds until its host decides.
//   - recyclers.go: a store that is divided into several. hoppers.go: one with two hoppers, and the lifter.
//   - coinhealth.go, coinservice.go: what a coin machine knows of itself, and its service book.
//   - download.go: new firmware and datasets.
//   - power.go, fault.go: what goes wrong.
//   - scenario.go, play.go: stories that are played to machines.
//
// A new model is a file in profiles/; a new kind of mechanics is a type beside notePath and coinPath.
package sim
