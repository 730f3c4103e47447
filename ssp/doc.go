// Package ssp speaks the serial language of cash machines: it turns commands, answers and events into bytes and back.
//
// It covers SSP and its encrypted form eSSP for note validators, note recyclers, note floats, hoppers, coin systems,
// ticket printers and multi escrow units, protocol versions 4 to 9. Both sides are here, the host's and the
// machine's, so that drivers and simulated machines share one codec. What both must not share is a wrong idea: the
// bytes of testdata/ssp-frames.json come from manuals, captures and other people's programs.
//
// The package has no I/O, starts no goroutine, keeps no global state and logs nothing.
//
//   - frame.go, decoder.go, crc.go: frames on the wire (fact sheet ssp.md sections 2 and 3).
//   - essp.go, keyexchange.go: encryption (section 4).
//   - command.go and request*.go: what a host says (sections 9, 10 and 16).
//   - reply.go and the files after what they hold, identity.go, levels.go, counters.go …: answers (sections 5, 8 and 10).
//   - event.go, poll.go: the events in the answer to a poll (section 11).
//   - rejects.go, describe.go: for people.
//
// Values are minor units of their currency (cents) and fit uint32 on the wire; a channel counts from 1. Multi-byte
// integers are little endian unless a comment says otherwise. Layouts marked [proj] in the fact sheet are not public:
// they are this project's own and must be sent only to machines that are known to speak them (section 16).
package ssp
