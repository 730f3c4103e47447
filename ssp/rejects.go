package ssp

import "fmt"

// RejectCode is why a note was last refused, the answer to LAST REJECT CODE (section 12.3).
type RejectCode byte

const (
	RejectNone            RejectCode = 0x00
	RejectLength          RejectCode = 0x01
	RejectAverage         RejectCode = 0x02
	RejectCoastline       RejectCode = 0x03
	RejectGraph           RejectCode = 0x04
	RejectBuried          RejectCode = 0x05
	RejectInhibited       RejectCode = 0x06
	RejectSecondNote      RejectCode = 0x07
	RejectByHost          RejectCode = 0x08
	RejectSeveralChannels RejectCode = 0x09
	RejectRearSensor      RejectCode = 0x0A
	RejectTooLong         RejectCode = 0x0B
	RejectDisabledByHost  RejectCode = 0x0C
	RejectSlow            RejectCode = 0x0D
	RejectStrimming       RejectCode = 0x0E
	RejectFraudChannel    RejectCode = 0x0F
	RejectNoNotes         RejectCode = 0x10
	RejectPeak            RejectCode = 0x11
	RejectTwisted         RejectCode = 0x12
	RejectEscrowTimeout   RejectCode = 0x13
	RejectBarcode         RejectCode = 0x14
	RejectNoCam           RejectCode = 0x15
	RejectSlot1           RejectCode = 0x16
	RejectSlot2           RejectCode = 0x17
	RejectOverSample      RejectCode = 0x18
	RejectWidth           RejectCode = 0x19
	RejectShort           RejectCode = 0x1A
	RejectPayout          RejectCode = 0x1B
	RejectDouble          RejectCode = 0x1C // older lists: unable to stack
	RejectStack           RejectCode = 0x1D
	RejectCard            RejectCode = 0x1F // NV9 family
)

var rejectNames = [...]string{
	RejectNone: "accepted, nothing rejected", RejectLength: "note length", RejectAverage: "average check",
	RejectCoastline: "coastline check", RejectGraph: "graph check", RejectBuried: "buried check",
	RejectInhibited: "channel inhibited", RejectSecondNote: "second note inserted", RejectByHost: "rejected by host",
	RejectSeveralChannels: "note matches several channels", RejectRearSensor: "rear sensor fault",
	RejectTooLong: "note too long", RejectDisabledByHost: "disabled by host", RejectSlow: "mechanism slow",
	RejectStrimming: "strimming attempt", RejectFraudChannel: "fraud channel", RejectNoNotes: "no notes inserted",
	RejectPeak: "peak detect", RejectTwisted: "twisted note", RejectEscrowTimeout: "escrow time-out",
	RejectBarcode: "barcode scan failed", RejectNoCam: "no cam activate", RejectSlot1: "slot fail 1",
	RejectSlot2: "slot fail 2", RejectOverSample: "lens over-sample", RejectWidth: "width detection",
	RejectShort: "short note", RejectPayout: "note payout", RejectDouble: "double note", RejectStack: "unable to stack",
	RejectCard: "credit card detected",
}

// String returns the reason of section 12.3, or the number of an unknown code. Show the code beside it: makers' lists
// differ in the last ones.
func (r RejectCode) String() string {
	if int(r) < len(rejectNames) && rejectNames[r] != "" {
		return rejectNames[r]
	}
	return fmt.Sprintf("0x%02X", byte(r))
}

// ParseRejectCode reads what follows OK in the answer to LAST REJECT CODE.
func ParseRejectCode(rest []byte) (RejectCode, error) {
	if len(rest) != 1 {
		return 0, fmt.Errorf("reject code: %w", ErrShort)
	}
	return RejectCode(rest[0]), nil
}
