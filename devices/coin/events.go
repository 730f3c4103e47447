package coin

import (
	"slices"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// states are the state rules of coin machines (specs/itl-rest.md section 6.8).
var states = map[ssp.EventCode]devices.StateRule{
	ssp.EvPayInActive:      {State: cash.StatePayInActive, Rank: devices.RankAccepting},
	ssp.EvCoinCredit:       {State: cash.StatePayInActive, Rank: devices.RankAccepting},
	ssp.EvValueAdded:       {State: cash.StatePayInActive, Rank: devices.RankAccepting},
	ssp.EvCoinMechJammed:   {State: cash.StateCoinMechJammed, Rank: devices.RankPathOpen},
	ssp.EvCoinMechError:    {State: cash.StateError, Rank: devices.RankFault},
	ssp.EvCoinMechEnabled:  {State: cash.StateCoinMechEnabled, Moment: true},
	ssp.EvCoinMechDisabled: {State: cash.StateCoinMechDisabled, Rank: devices.RankMaintenance},
	ssp.EvLifter:           {State: cash.StateLifterEvent, Moment: true},
}

// State implements devices.Driver.
func (d *driver) State(code ssp.EventCode) (devices.StateRule, bool) {
	r, ok := states[code]
	return r, ok
}

// wasShown says whether the answer before held the event.
func (d *driver) wasShown(code ssp.EventCode) bool { return slices.Contains(d.before, code) }

// Take implements devices.Driver.
func (d *driver) Take(e ssp.Event) ([]cash.Event, error) {
	switch e.Code {
	case ssp.EvCoinCredit, ssp.EvValueAdded:
		return d.credited(e)
	case ssp.EvCoinRejected:
		return []cash.Event{cash.CoinRejected{}}, nil
	case ssp.EvCoinReturnPressed:
		return []cash.Event{cash.CoinReturnPressed{}}, nil
	}
	return nil, nil
}

// Evidence implements devices.Driver. A sum of several coins is left to levels and counters.
func (d *driver) Evidence(e ssp.Event) []cash.Event {
	if e.Code != ssp.EvCoinCredit && e.Code != ssp.EvValueAdded {
		return nil
	}
	a := d.core.Amount(e)
	coin := cash.Denom(a)
	if _, ok := d.core.Picture().Channel(coin); !ok {
		return nil
	}
	return []cash.Event{cash.CoinCredited{Coin: coin, Count: 1, To: d.destination(coin), Added: e.Code == ssp.EvValueAdded}}
}

// credited finds the coins behind a credit, which gives only their sum: by what the hopper's levels have grown, and
// where those do not say it, by the only way in which the sum can be made up.
func (d *driver) credited(e ssp.Event) ([]cash.Event, error) {
	if err := d.readArrivals(); err != nil {
		return nil, err
	}
	sum := d.core.Amount(e)
	coins := d.arrivedFor(sum)
	rest := cash.Amount{Value: sum.Value - coins.Total(sum.Currency).Value, Currency: sum.Currency}
	told := d.tell(coins, cash.Payout, e)
	d.arrived = d.arrived.Minus(coins)
	if rest.Value == 0 {
		return told, nil
	}
	unseen, ok := d.unseen(rest)
	if !ok {
		d.core.AuditSoon()
		d.core.Log.WithField("value", sum).Error("the coins of a credit could not be told; the books are compared")
		return told, nil
	}
	for _, r := range unseen.Rows() {
		coins := cash.Counts{r.Denom(): r.Count}
		to := d.destination(r.Denom())
		if to == cash.Payout {
			d.core.AuditSoon() // the hopper does not show it yet, or it went elsewhere
			boxed, err := d.boxed(r.Count)
			if err != nil {
				return nil, err
			}
			if boxed {
				to = cash.Cashbox
			} else {
				d.core.ShowLevels(d.core.Picture().Levels.Plus(coins))
			}
		}
		told = append(told, d.tell(coins, to, e)...)
	}
	return told, nil
}

// Grown implements devices.Grower.
func (d *driver) Grown(coins cash.Counts) { d.arrived = d.arrived.Plus(coins) }

// readArrivals reads the levels once an answer.
func (d *driver) readArrivals() error {
	if d.read {
		return nil
	}
	if _, err := d.core.ReadLevels(); err != nil {
		if devices.Refused(err) {
			return nil
		}
		return err
	}
	d.read = true
	return nil
}

// arrivedFor picks the arrived coins that a credit of sum stands for: one coin of that value, else all of them if they
// are worth just that much, or are part of a sum that no single coin is worth.
func (d *driver) arrivedFor(sum cash.Amount) cash.Counts {
	worth := d.arrived.Total(sum.Currency).Value
	_, single := d.core.Picture().Channel(cash.Denom(sum))
	switch {
	case d.arrived[cash.Denom(sum)] > 0:
		return cash.Counts{cash.Denom(sum): 1}
	case worth == sum.Value, worth < sum.Value && !single:
		return d.arrived.Clone()
	}
	return cash.Counts{}
}

// unseen makes up a sum of coins that the levels do not show: one coin of that value, else the only combination of
// coins that go to the cashbox.
func (d *driver) unseen(sum cash.Amount) (cash.Counts, bool) {
	if _, ok := d.core.Picture().Channel(cash.Denom(sum)); ok {
		return cash.Counts{cash.Denom(sum): 1}, true
	}
	var to []cash.Denom
	for _, ch := range d.core.Picture().Channels {
		if ch.Denom.Currency == sum.Currency && d.destination(ch.Denom) == cash.Cashbox {
			to = append(to, ch.Denom)
		}
	}
	return onlySplit(to, sum.Value)
}

// destination predicts where a coin goes.
func (d *driver) destination(coin cash.Denom) cash.Place {
	p := d.core.Picture()
	if ch, _ := p.Channel(coin); ch.ToPayout && !p.DeviceFull && d.core.BelowLimit(coin) {
		return cash.Payout
	}
	return cash.Cashbox
}

func (d *driver) tell(coins cash.Counts, to cash.Place, e ssp.Event) []cash.Event {
	var told []cash.Event
	if to == cash.Cashbox {
		d.box.follow(d.core.Picture())
		d.box.open -= coins.Pieces()
	}
	for _, r := range coins.Rows() {
		told = append(told, cash.CoinCredited{Coin: r.Denom(), Count: r.Count, To: to, Added: e.Code == ssp.EvValueAdded})
	}
	return told
}

// onlySplit makes up sum (minor units) of denominations of one currency if there is exactly one way to.
func onlySplit(denoms []cash.Denom, sum int64) (cash.Counts, bool) {
	s := splitter{denoms: denoms, current: cash.Counts{}}
	s.try(0, sum)
	return s.found, s.ways == 1
}

type splitter struct {
	denoms  []cash.Denom
	current cash.Counts
	found   cash.Counts
	ways    int
}

// try finds up to two ways. What the coins from the i-th on cannot make up, whatever their counts, is left at once: what
// remains has either a way soon or few coins, so that the search is short for any sum.
func (s *splitter) try(i int, left int64) {
	if left == 0 {
		s.ways++
		s.found = s.current.Clone()
		return
	}
	if i == len(s.denoms) || s.ways > 1 || left%s.measure(i) != 0 {
		return
	}
	d := s.denoms[i]
	if i == len(s.denoms)-1 {
		s.ways++
		s.found = s.current.Plus(cash.Counts{d: int(left / d.Value)})
		return
	}
	for n := left / d.Value; n >= 0 && s.ways < 2; n-- {
		s.current[d] = int(n)
		if n == 0 {
			delete(s.current, d)
		}
		s.try(i+1, left-n*d.Value)
	}
	delete(s.current, d)
}

// measure is the greatest value of which every coin from the i-th on is a multiple.
func (s *splitter) measure(i int) int64 {
	var m int64
	for _, d := range s.denoms[i:] {
		for a := d.Value; a != 0; {
			m, a = a, m%a
		}
	}
	return m
}
