package upos

// methods say how every method of every class is done. Whether it may be called now is decided before, from the members
// table and the capabilities.
var methods = map[string]method{
	"AdjustCashCounts":       {true, (*call).adjustCashCounts},
	"BeginDeposit":           {true, (*call).beginDeposit},
	"CheckHealth":            {true, (*call).checkHealth},
	"Claim":                  {false, (*call).claim},
	"ClearInput":             {false, (*call).clearInput},
	"Close":                  {true, (*call).close},
	"CompareFirmwareVersion": {true, (*call).compareFirmware},
	"DirectIO":               {true, (*call).directIO},
	"DispenseCash":           {true, (*call).dispenseCash},
	"DispenseChange":         {true, (*call).dispenseChange},
	"EndDeposit":             {true, (*call).endDeposit},
	"FixDeposit":             {true, (*call).fixDeposit},
	"Open":                   {false, (*call).openAgain},
	"OpenDrawer":             {true, (*call).openDrawer},
	"PauseDeposit":           {true, (*call).pauseDeposit},
	"ReadCashCounts":         {true, (*call).readCashCounts},
	"Release":                {true, (*call).release},
	"ResetStatistics":        {false, (*call).resetStatistics},
	"RetrieveStatistics":     {false, (*call).retrieveStatistics},
	"UpdateFirmware":         {true, (*call).updateFirmware},
	"UpdateStatistics":       {false, (*call).updateStatistics},
	"WaitForDrawerClose":     {false, (*call).waitForDrawerClose},
}

// openAgain is the method Open. OpenResult says for OPOS why it failed.
func (c *call) openAgain() (map[string]any, error) {
	err := c.h.open(c.string("deviceName"))
	code, _ := resultOf(err)
	s := c.h.service
	s.mu.Lock()
	defer s.mu.Unlock()
	c.h.openResult = map[int32]int32{SUCCESS: 0, E_ILLEGAL: OR_ALREADYOPEN, E_NOEXIST: OR_REGBADNAME, E_NOSERVICE: OR_FAILEDOPEN}[code]
	return nil, err
}

// clearInput drops the DataEvents. A deposit goes on.
func (c *call) clearInput() (map[string]any, error) {
	c.h.service.mu.Lock()
	defer c.h.service.mu.Unlock()
	if err := c.h.allowed(c.member.Access); err != nil {
		return nil, err
	}
	c.h.discard(true)
	return nil, nil
}
