package ssp

// Payout is the content of PAYOUT AMOUNT. Below protocol 6 Currency is "" and Commit true.
type Payout struct {
	Value    uint32 // minor units
	Currency string
	Commit   bool
}

// ParsePayoutAmount reads the parameters of 0x33.
func ParsePayoutAmount(version int, params []byte) (Payout, error) {
	c := cursor{b: params}
	p := Payout{Value: c.uint32(), Commit: true}
	if version >= 6 {
		p.Currency, p.Commit = c.currency(), c.commit()
	}
	return p, c.end()
}

// Float is the content of FLOAT AMOUNT. Below protocol 6 Currency is "" and Commit true.
type Float struct {
	MinPayout uint16
	Value     uint32
	Currency  string
	Commit    bool
}

// ParseFloatAmount reads the parameters of 0x3D.
func ParseFloatAmount(version int, params []byte) (Float, error) {
	c := cursor{b: params}
	f := Float{MinPayout: c.uint16(), Value: c.uint32(), Commit: true}
	if version >= 6 {
		f.Currency, f.Commit = c.currency(), c.commit()
	}
	return f, c.end()
}

// ParseDenominations reads the parameters of 0x46 and 0x44.
func ParseDenominations(params []byte) (list []DenomCount, commit bool, err error) {
	c := cursor{b: params}
	list, commit = c.list(), c.commit()
	return list, commit, c.end()
}

// ParseCashboxLimit reads the parameters of 0x4E.
func ParseCashboxLimit(params []byte) ([]DenomCount, error) {
	c := cursor{b: params}
	list := c.list()
	return list, c.end()
}

// denomination takes a value and, from protocol 6 on, its currency. Below, two bytes are taken for a hopper's value if
// no more are left.
func (c *cursor) denomination(version int) (value uint32, cc string) {
	if version < 6 && len(c.b) == 2 {
		return uint32(c.uint16()), ""
	}
	value = c.uint32()
	if version >= 6 {
		cc = c.currency()
	}
	return value, cc
}

// Route is the content of SET DENOMINATION ROUTE.
type Route struct {
	ToCashbox bool
	Value     uint32
	Currency  string // "" below protocol 6
}

// ParseSetRoute reads the parameters of 0x3B, with two or four bytes of value below protocol 6.
func ParseSetRoute(version int, params []byte) (Route, error) {
	c := cursor{b: params}
	r := Route{ToCashbox: c.flag()}
	r.Value, r.Currency = c.denomination(version)
	return r, c.end()
}

// ParseDenomination reads the parameters of 0x3C and 0x35, with two or four bytes of value below protocol 6.
func ParseDenomination(version int, params []byte) (value uint32, cc string, err error) {
	c := cursor{b: params}
	value, cc = c.denomination(version)
	return value, cc, c.end()
}

// ParseSetLevel reads the parameters of 0x34, with two or four bytes of value below protocol 6.
func ParseSetLevel(version int, params []byte) (DenomCount, error) {
	c := cursor{b: params}
	d := DenomCount{Count: c.uint16()}
	d.Value, d.Currency = c.denomination(version)
	return d, c.end()
}

// CoinInhibit is the content of SET COIN MECH INHIBITS.
type CoinInhibit struct {
	Accept   bool
	Value    uint16
	Currency string // "" below protocol 6
}

// ParseCoinMechInhibit reads the parameters of 0x40.
func ParseCoinMechInhibit(version int, params []byte) (CoinInhibit, error) {
	c := cursor{b: params}
	i := CoinInhibit{Accept: c.flag(), Value: c.uint16()}
	if version >= 6 {
		i.Currency = c.currency()
	}
	return i, c.end()
}

// ParseMinimumPayoutRequest reads the parameters of 0x3E: a currency, or nothing, as public programs send it.
func ParseMinimumPayoutRequest(params []byte) (cc string, err error) {
	c := cursor{b: params}
	if len(params) > 0 {
		cc = c.currency()
	}
	return cc, c.end()
}

// ParseSplitPayout reads the parameters of 0x39 [proj].
func ParseSplitPayout(params []byte) (Split, error) {
	c := cursor{b: params}
	p := Split{First: c.uint32(), Second: c.uint32(), At: c.uint32(), Currency: c.currency(), Commit: c.commit()}
	return p, c.end()
}

// ParseMoney reads a value and its currency, as the answer to READ ESCROW VALUE and arguments of expansions are.
func ParseMoney(b []byte) (value uint32, cc string, err error) {
	c := cursor{b: b}
	value, cc = c.uint32(), c.currency()
	return value, cc, c.end()
}
