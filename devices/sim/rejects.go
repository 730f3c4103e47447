package sim

// Last reject codes that the simulator gives (ssp.md 12.3).
const (
	rejectUnknown       byte = 0x02 // average check: not recognised
	rejectInhibited     byte = 0x06
	rejectByHost        byte = 0x08
	rejectSensor        byte = 0x0A // rear sensor fault
	rejectDisabled      byte = 0x0C
	rejectStrimming     byte = 0x0E
	rejectEscrowTimeOut byte = 0x13
	rejectBarcode       byte = 0x14
	rejectUnableToStack byte = 0x1D
)
