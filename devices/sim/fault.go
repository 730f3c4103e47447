package sim

// The faults that every machine or some machines take. Repeating one changes nothing.
const (
	FaultJam             = "jam"              // holds what is in the path; reported at once
	FaultUnjam           = "unjam"            // ends jam and payout_jam
	FaultCashboxRemoved  = "cashbox_removed"  //
	FaultCashboxReplaced = "cashbox_replaced" // Empty: without what was in it; also ends stacker_full then
	FaultStackerFull     = "stacker_full"     //
	FaultStackerOK       = "stacker_ok"       // ends stacker_full
	FaultPayoutJam       = "payout_jam"       //
	FaultCalibrationFail = "calibration_fail" // coin machines; ends by command 48 or a restart
	FaultPathOpen        = "note_path_open"   // note machines
	FaultPathClosed      = "note_path_closed" // ends note_path_open
	FaultUnplug          = "unplug"           // the data cable; the machine goes on
	FaultPlug            = "plug"             //
	FaultPowerOff        = "power_off"        // AtStep: not now but instead of that step of the mechanics, 1 = the next
	FaultPowerOn         = "power_on"         //
	FaultReset           = "reset"            // power off and on
	FaultBitFlips        = "bit_flips"        // Rate a byte, both directions
	FaultDropBytes       = "drop_bytes"       // Rate a byte, both directions
	FaultDuplicates      = "duplicate_replies"
	FaultDelay           = "delay" // each reply leaves ForMS later
	FaultMute            = "mute"  // it hears and acts; its replies are lost
	FaultLoseKey         = "lose_key"
	FaultHaltPayoutAfter = "halt_payout_after" // the next payout that reaches Paid is halted there, once
	FaultDivert          = "divert"            // the next piece to be paid goes to the cashbox, once
	FaultClear           = "clear"             // ends bit_flips, drop_bytes, duplicate_replies, delay and mute
)

// Fault is something that goes wrong, or right again.
type Fault struct {
	Kind   string  `json:"kind"`
	ForMS  int64   `json:"for_ms"`  // ends by itself after so many milliseconds of real time; 0: lasts
	Rate   float64 `json:"rate"`    // 0 to 1; left out: 0.01
	Empty  bool    `json:"empty"`   // cashbox_replaced
	Paid   int64   `json:"paid"`    // halt_payout_after, minor units
	AtStep int     `json:"at_step"` // power_off
}
