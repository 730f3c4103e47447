package upos

// Covered says how far a member of a class is done.
type Covered struct {
	Class  Class
	Member Member
	Done   bool
	Needs  []string // capabilities without which the call is E_ILLEGAL
	Note   string   // what to know of it, "" for nothing
}

// Coverage lists every member of every class, from what the code really has.
func Coverage() []Covered {
	var out []Covered
	for _, class := range Classes() {
		for _, m := range members[class] {
			c := Covered{Class: class, Member: m, Note: notes[m.Name]}
			if m.Method {
				c.Done = methods[m.Name].run != nil
			} else {
				c.Done = getters[m.Name] != nil && (!m.Writable || setters[m.Name] != nil || m.Name == "DeviceEnabled")
			}
			for _, need := range gates[m.Name] {
				if _, has := find(class, need, false); has {
					c.Needs = append(c.Needs, need)
				}
			}
			if classNote := notes[string(class)+"."+m.Name]; classNote != "" {
				c.Note = classNote
			}
			out = append(out, c)
		}
	}
	return out
}

// notes are what a reader of the coverage page should know of a member, of every class or of one.
var notes = map[string]string{
	"CheckHealth":            "internal asks for a sign of life, external reads the stores; interactive is E_ILLEGAL",
	"CashDrawer.CheckHealth": "internal only",
	"DirectIO":               "commands and event numbers: upos/directio.go",
	"CashDrawer.DirectIO":    "has no commands: E_ILLEGAL",
	"WaitForDrawerClose":     "nothing to beep with; returns at once where CapStatus is false",
	"EndDeposit":             "REPAY needs CapRepayDeposit",
	"RealTimeDataEnabled":    "true needs CapRealTimeData",
	"PowerNotify":            "PN_ENABLED needs CapPowerReporting",
	"ReadCashCounts":         "the stores",
	"AdjustCashCounts":       "sets coin stores; notes count themselves, so the cashbox takes the number",

	"BillAcceptor.ReadCashCounts":    "all that was collected: store and cashbox",
	"CoinAcceptor.ReadCashCounts":    "all that was collected: store and cashbox",
	"BillDispenser.AdjustCashCounts": "succeeds and changes nothing: the machine counts its store itself",
	"CoinDispenser.DispenseChange":   "always synchronous; missing stock is E_ILLEGAL, the class has no extended code",
	"OpenResult":                     "of the OPOS binding",
	"BinaryConversion":               "of the OPOS binding; no cash member carries binary data",
	"ResultCode":                     "of the OPOS binding",
	"ResultCodeExtended":             "of the OPOS binding",
}

// WhyFalse says for every capability what a machine lacks where it is false.
var WhyFalse = map[string]string{
	"CapCompareFirmwareVersion":  "firmware cannot be put into the machine by coffer",
	"CapDeposit":                 "the machine takes no money",
	"CapDepositDataEvent":        "the machine takes no money",
	"CapDiscrepancy":             "never: every machine can end in doubt",
	"CapEmptySensor":             "the machine has no store to pay from",
	"CapFullSensor":              "the machine does not report that it is full",
	"CapJamSensor":               "never: every machine reports jams",
	"CapNearEmptySensor":         "near_empty is not configured, or there is no store",
	"CapNearFullSensor":          "near_full is not configured",
	"CapPauseDeposit":            "acceptance cannot be interrupted",
	"CapPowerReporting":          "PR_NONE for a drawer, whose opener has no line of its own; PR_STANDARD else",
	"CapRealTimeData":            "the machine takes no money",
	"CapRepayDeposit":            "something that is accepted goes to the cashbox, so the same cannot be given back",
	"CapStatisticsReporting":     "never",
	"CapStatus":                  "the drawer cannot tell whether it is open",
	"CapStatusMultiDrawerDetect": "always: each drawer is a device of its own",
	"CapUpdateFirmware":          "firmware cannot be put into the machine by coffer",
	"CapUpdateStatistics":        "never",
}
