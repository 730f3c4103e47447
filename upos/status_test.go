package upos_test

import (
	"context"
	"strings"
	"testing"

	"coffer/internal/cash"
	"coffer/upos"
	"coffer/upos/upostest"
)

func TestLevelEvents(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"] // near_empty 2, near_full 60
	is(t, h, "DeviceStatus", upos.CHAN_STATUS_OK)
	five := upostest.Bill(500)
	for _, c := range []struct {
		n      int
		events []int32
		status int32
	}{
		{3, nil, upos.CHAN_STATUS_OK},
		{2, []int32{upos.CHAN_STATUS_NEAREMPTY}, upos.CHAN_STATUS_NEAREMPTY},
		{0, []int32{upos.CHAN_STATUS_EMPTY}, upos.CHAN_STATUS_EMPTY},
		{1, []int32{upos.CHAN_STATUS_NEAREMPTY}, upos.CHAN_STATUS_NEAREMPTY},
		{60, []int32{upos.CHAN_STATUS_EMPTYOK, upos.CHAN_STATUS_NEARFULL}, upos.CHAN_STATUS_OK},
		{61, nil, upos.CHAN_STATUS_OK},
		{59, []int32{upos.CHAN_STATUS_FULLOK}, upos.CHAN_STATUS_OK},
	} {
		m.Stock(0, five, c.n)
		is(t, h, "DeviceStatus", c.status)
		expectStatus(t, h, c.events...)
	}
	m.Full(0, true)
	is(t, h, "FullStatus", upos.CHAN_STATUS_FULL)
	expectStatus(t, h, upos.CHAN_STATUS_FULL)
	m.Full(0, false)
	expectStatus(t, h, upos.CHAN_STATUS_FULLOK)
	m.Credit(0, upostest.Bill(50000), 70) // near_full is about the denominations of a store, not about the cashbox beside it
	is(t, h, "FullStatus", upos.CHAN_STATUS_OK)
	must(t, call(h, "ClearInput", nil))
	if ev := next(t, h); ev == nil || ev.Kind != upos.DirectIOEvent { // there was no deposit
		t.Errorf("%+v", ev)
	}
	m.Stock(0, five, 0)
	m.Jam(1, true) // JAM wins over EMPTY
	is(t, h, "DeviceStatus", upos.CHAN_STATUS_JAM)
	m.Jam(1, false)
	is(t, h, "DeviceStatus", upos.CHAN_STATUS_EMPTY)
	expectStatus(t, h, upos.CHAN_STATUS_EMPTY, upos.CHAN_STATUS_JAM, upos.CHAN_STATUS_JAMOK)
}

// TestCountingTellsTheEndOnly: what the machines go through while they are told a person's counts is no news.
func TestCountingTellsTheEndOnly(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	must(t, adjust(h, "10:40,20:30,50:49"))
	expectStatus(t, h)
	must(t, adjust(h, "10:2,20:61"))
	expectStatus(t, h, upos.CHAN_STATUS_NEAREMPTY, upos.CHAN_STATUS_NEARFULL)
	m.Fault("Adjust", cash.ErrNotConnected)
	refused(t, adjust(h, "10:50,20:50"), upos.E_OFFLINE)
	m.Fault("Adjust", nil)
	m.Stock(1, upostest.Coin(10), 50)
	expectStatus(t, h, upos.CHAN_STATUS_EMPTYOK)
	d := ready(t, w, upos.CoinDispenser, "Coins2") // near_empty 5
	must(t, adjust(d, "10:4"))
	expectStatus(t, d, upos.COIN_STATUS_NEAREMPTY)
}

// TestNothingIsReplayed: what happens while disabled is not told at the next enabling.
// glance is a till whose machines change just after the first look at them that follows an Adjust.
type glance struct {
	*upostest.Mechanism
	then, armed func()
}

func (g *glance) Adjust(ctx context.Context, r upos.Request, place cash.Place) error {
	err := g.Mechanism.Adjust(ctx, r, place)
	g.armed = g.then
	return err
}

func (g *glance) Parts() []upos.Part {
	parts, then := g.Mechanism.Parts(), g.armed
	if g.armed = nil; then != nil {
		then()
	}
	return parts
}

// TestJamWhileCounting: a jam in the moment in which the end of AdjustCashCounts looks at the machines is told.
func TestJamWhileCounting(t *testing.T) {
	m := &glance{Mechanism: upostest.Till()}
	m.then = func() { m.Jam(0, true) }
	h := ready(t, &world{service: serve(t, upos.CashChanger, "T", m)}, upos.CashChanger, "T")
	must(t, adjust(h, "1:60"))
	expectStatus(t, h, upos.CHAN_STATUS_JAM)
}

// TestChangeWhileEnabling: what changes in the moment of enabling is either what the application finds then, or an event.
func TestChangeWhileEnabling(t *testing.T) {
	m := &glance{Mechanism: upostest.Till()}
	w := &world{service: serve(t, upos.CashChanger, "T", m)}
	h, err := w.service.Open(upos.CashChanger, "T")
	must(t, err)
	must(t, claimFor(h, 0))
	must(t, h.Set("PowerNotify", upos.PN_ENABLED))
	m.armed = func() { m.Online(0, false) }
	must(t, h.Set("DeviceEnabled", true))
	is(t, h, "PowerState", upos.PS_OFF_OFFLINE)
	expectStatus(t, h, upos.SUE_POWER_OFF_OFFLINE)
}

func TestNothingIsReplayed(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	must(t, h.Set("DeviceEnabled", false))
	m.Jam(0, true)
	m.Stock(1, upostest.Coin(10), 0)
	must(t, h.Set("DeviceEnabled", true))
	expectStatus(t, h)
	is(t, h, "DeviceStatus", upos.CHAN_STATUS_JAM)
	m.Jam(0, false)
	expectStatus(t, h, upos.CHAN_STATUS_JAMOK)
}

func TestStatusOfTheOtherClasses(t *testing.T) {
	w := newWorld(t)
	bills, dispenser, coins := ready(t, w, upos.BillAcceptor, "Bills1"), ready(t, w, upos.BillDispenser, "Bills2"), ready(t, w, upos.CoinDispenser, "Coins2")
	begin(t, bills)
	w.machines["Bills1"].Insert(upostest.Bill(500), 5) // near_full 5, of a cashbox without store
	must(t, call(bills, "ClearInput", nil))
	expectStatus(t, bills, upos.BACC_STATUS_NEARFULL)
	w.machines["Bills1"].Jam(0, true)
	is(t, bills, "DepositStatus", upos.BACC_STATUS_DEPOSIT_JAM)
	expectStatus(t, bills, upos.BACC_STATUS_JAM)

	w.machines["Bills2"].Stock(0, upostest.Bill(500), 0)
	is(t, dispenser, "DeviceStatus", upos.BDSP_STATUS_EMPTY)
	w.machines["Bills2"].Stock(0, upostest.Bill(500), 1)
	w.machines["Bills2"].Stock(0, upostest.Bill(500), 9)
	expectStatus(t, dispenser, upos.BDSP_STATUS_EMPTY, upos.BDSP_STATUS_NEAREMPTY, upos.BDSP_STATUS_EMPTYOK)

	is(t, coins, "DispenserStatus", upos.COIN_STATUS_OK)
	m := w.machines["Coins2"]
	m.Stock(0, upostest.Coin(10), 5)
	m.Stock(0, upostest.Coin(10), 0)
	m.Jam(0, true)
	is(t, coins, "DispenserStatus", upos.COIN_STATUS_JAM)
	m.Jam(0, false)
	m.Stock(0, upostest.Coin(10), 100)
	expectStatus(t, coins, upos.COIN_STATUS_NEAREMPTY, upos.COIN_STATUS_EMPTY, upos.COIN_STATUS_JAM, upos.COIN_STATUS_EMPTY, upos.COIN_STATUS_OK)
}

func TestPower(t *testing.T) {
	w := newWorld(t)
	m := w.machines["Till1"]
	h := openTill(t, w)
	must(t, claimFor(h, 0))
	refused(t, h.Set("PowerNotify", 7), upos.E_ILLEGAL)
	m.Online(1, false)
	refused(t, h.Set("DeviceEnabled", true), upos.E_OFFLINE)
	must(t, h.Set("PowerNotify", upos.PN_ENABLED))
	must(t, h.Set("DeviceEnabled", true)) // succeeds, and the event says how it is
	is(t, h, "PowerState", upos.PS_OFF_OFFLINE)
	refused(t, dispenseChange(h, 10, ""), upos.E_OFFLINE)
	refused(t, call(h, "ReadCashCounts", nil), upos.E_OFFLINE)
	m.Online(1, true)
	is(t, h, "PowerState", upos.PS_ONLINE)
	m.Online(0, false)
	expectStatus(t, h, upos.SUE_POWER_OFF_OFFLINE, upos.SUE_POWER_ONLINE, upos.SUE_POWER_OFF_OFFLINE)
	must(t, h.Set("DeviceEnabled", false))
	is(t, h, "PowerState", upos.PS_UNKNOWN)
	m.Online(0, true)
	must(t, h.Set("PowerNotify", upos.PN_DISABLED))
	must(t, h.Set("DeviceEnabled", true))
	m.Online(0, false)
	m.Online(0, true)
	expectStatus(t, h) // nobody asked for it
	is(t, h, "PowerState", upos.PS_UNKNOWN)

	drawer, err := w.service.Open(upos.CashDrawer, "Drawer1")
	must(t, err)
	is(t, drawer, "CapPowerReporting", upos.PR_NONE)
	refused(t, drawer.Set("PowerNotify", upos.PN_ENABLED), upos.E_ILLEGAL)
}

func TestServices(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	is(t, h, "ServiceCount", int32(2))
	is(t, h, "ServiceIndex", int32(0x01010202)) // coins are service 2, notes service 1
	begin(t, h)
	m.Insert(upostest.Bill(500), 1)
	m.Insert(upostest.Coin(10), 2)
	fix(t, h)
	must(t, finish(t, h, upos.CHAN_DEPOSIT_NOCHANGE))
	is(t, h, "DepositAmount", int32(520))
	is(t, h, "PhysicalDeviceName", "SPECTRAL_PAYOUT + SMART_COIN_SYSTEM")
	m.Jam(1, true)
	for _, c := range []struct {
		service int
		list    string
		status  int32
		amount  int32
		model   string
	}{
		{1, ";500,1000,2000,5000,10000,20000,50000", upos.CHAN_STATUS_OK, 500, "SPECTRAL_PAYOUT"},
		{2, "1,2,5,10,20,50,100,200", upos.CHAN_STATUS_JAM, 20, "SMART_COIN_SYSTEM"},
	} {
		must(t, h.Set("CurrentService", c.service))
		is(t, h, "CapFullSensor", c.service == 1) // coins do not report it
		is(t, h, "DepositAmount", c.amount)
		is(t, h, "PhysicalDeviceName", c.model)
		is(t, h, "CurrencyCashList", c.list)
		is(t, h, "DeviceStatus", c.status)
		is(t, h, "ServiceCount", int32(2))
		if got, _ := read(t, h); strings.Contains(got, ";") != (c.service == 1) {
			t.Errorf("service %d counts %s", c.service, got)
		}
	}
	m.Jam(1, false)
	must(t, dispenseCash(h, "10:1;500:1")) // CurrentService is about what is read: payouts are of the whole
	if m.InStore(0, upostest.Bill(500)) != 4 || m.InStore(1, upostest.Coin(10)) != 51 {
		t.Errorf("%d notes, %d coins", m.InStore(0, upostest.Bill(500)), m.InStore(1, upostest.Coin(10)))
	}
	for _, bad := range []int{-1, 3, 255} {
		refused(t, h.Set("CurrentService", bad), upos.E_ILLEGAL)
	}
	second := upostest.Recycler()
	second.ID = "more notes"
	three, err := upos.New([]upos.Device{{Config: upos.Config{Name: "Three", Class: upos.CashChanger, Devices: []string{"a", "b", "c"}},
		Mechanism: upostest.New(upostest.Recycler(), second, upostest.CoinSystem())}}, upos.Options{})
	must(t, err)
	t.Cleanup(three.Close)
	big, err := three.Open(upos.CashChanger, "Three")
	must(t, err)
	is(t, big, "ServiceIndex", int32(0x01010303))
	must(t, big.Set("CurrentService", 3))
	refused(t, big.Set("CurrentService", 2), upos.E_ILLEGAL)       // does not occur in ServiceIndex
	pair := upostest.New(upostest.Hopper(), upostest.CoinSystem()) // both know 10 and 50
	two, err := upos.New([]upos.Device{{Config: upos.Config{Name: "Two", Class: upos.CashChanger, Devices: []string{"a", "b"}}, Mechanism: pair}}, upos.Options{})
	must(t, err)
	t.Cleanup(two.Close)
	both, err := two.Open(upos.CashChanger, "Two")
	must(t, err)
	must(t, call(both, "Claim", map[string]any{"timeout": 0}))
	must(t, both.Set("DeviceEnabled", true))
	must(t, both.Set("CurrentService", 1))
	must(t, adjust(both, "10:7"))
	if pair.InStore(0, upostest.Coin(10)) != 7 || pair.InStore(1, upostest.Coin(10)) != 50 {
		t.Errorf("counts of service 1 went to both: %d and %d", pair.InStore(0, upostest.Coin(10)), pair.InStore(1, upostest.Coin(10)))
	}
	refused(t, adjust(both, "200:1"), upos.E_ILLEGAL) // that is the other's
	one := upostest.New(upostest.Recycler())
	s, err := upos.New([]upos.Device{{Config: upos.Config{Name: "One", Class: upos.CashChanger, Devices: []string{"notes"}}, Mechanism: one}}, upos.Options{})
	must(t, err)
	t.Cleanup(s.Close)
	alone, err := s.Open(upos.CashChanger, "One")
	must(t, err)
	is(t, alone, "ServiceCount", int32(0))
	is(t, alone, "ServiceIndex", int32(0))
	is(t, alone, "CurrencyCashList", ";500,1000,2000,5000,10000,20000,50000")
	refused(t, alone.Set("CurrentService", 1), upos.E_ILLEGAL)
}

// TestSeveralCurrencies: one is active, the others keep what they have.
func TestSeveralCurrencies(t *testing.T) {
	pound := upos.Piece{Value: 500, Currency: "GBP", Bill: true}
	notes := upostest.Recycler()
	notes.Accepts, notes.Holds, notes.Pays = append(notes.Accepts, pound), append(notes.Holds, pound), append(notes.Pays, pound)
	m := upostest.New(notes)
	s, err := upos.New([]upos.Device{{Config: upos.Config{Name: "Two", Class: upos.CashChanger, Devices: []string{"notes"}, Currency: "GBP"}, Mechanism: m}}, upos.Options{})
	must(t, err)
	t.Cleanup(s.Close)
	h, err := s.Open(upos.CashChanger, "Two")
	must(t, err)
	must(t, claimFor(h, 0))
	must(t, h.Set("DeviceEnabled", true))
	is(t, h, "CurrencyCode", "GBP")
	is(t, h, "CurrencyCodeList", "EUR,GBP")
	is(t, h, "DepositCodeList", "EUR,GBP")
	is(t, h, "CurrencyCashList", ";500")
	begin(t, h)
	m.Insert(pound, 2)
	m.Insert(upostest.Bill(1000), 1)
	fix(t, h)
	is(t, h, "DepositAmount", int32(1000))
	is(t, h, "DepositCounts", ";500:2")
	must(t, h.Set("CurrencyCode", "EUR"))
	is(t, h, "DepositAmount", int32(1000))
	is(t, h, "DepositCounts", ";500:0,1000:1,2000:0,5000:0,10000:0,20000:0,50000:0")
	must(t, finish(t, h, upos.CHAN_DEPOSIT_NOCHANGE))
	must(t, h.Set("CurrencyCode", "GBP"))
	must(t, dispenseCash(h, ";500:1"))
	if m.InStore(0, pound) != 1 || m.InStore(0, upostest.Bill(500)) != 4 {
		t.Error("the wrong currency was paid")
	}
}

// TestScale shows whole units to applications that count in them.
func TestScale(t *testing.T) {
	m := upostest.New(upostest.Recycler())
	config := upos.Config{Name: "Whole", Class: upos.CashChanger, Devices: []string{"notes"}, Scale: 100}
	s, err := upos.New([]upos.Device{{Config: config, Mechanism: m}}, upos.Options{})
	must(t, err)
	t.Cleanup(s.Close)
	h, err := s.Open(upos.CashChanger, "Whole")
	must(t, err)
	must(t, claimFor(h, 0))
	must(t, h.Set("DeviceEnabled", true))
	is(t, h, "ExitCashList", ";5,10,20")
	must(t, dispenseChange(h, 15, ""))
	must(t, dispenseCash(h, ";5:1"))
	if m.InStore(0, upostest.Bill(500)) != 2 || m.InStore(0, upostest.Bill(1000)) != 3 {
		t.Error("20 in fives and a ten were to be paid")
	}
}

// TestCapabilitiesFollowTheHardware: nothing that a machine cannot do is true, and the methods agree.
func TestCapabilitiesFollowTheHardware(t *testing.T) {
	plain := upos.Part{ID: "plain", Bills: true, Accepts: []upos.Piece{upostest.Bill(500)}, Model: "OLD"}
	payer := upos.Part{ID: "payer", Holds: []upos.Piece{upostest.Coin(10)}, Pays: []upos.Piece{upostest.Coin(10)}, Model: "HOPPER"}
	cases := []struct {
		class upos.Class
		part  upos.Part
		want  map[string]any
		fails []string
	}{
		{upos.BillAcceptor, plain, map[string]any{"CapPauseDeposit": false, "CapFullSensor": false, "CapNearFullSensor": false,
			"CapRealTimeData": true, "CapJamSensor": true, "CapDiscrepancy": true, "CapUpdateFirmware": false},
			[]string{"PauseDeposit", "CompareFirmwareVersion", "UpdateFirmware"}},
		{upos.CashChanger, payer, map[string]any{"CapDeposit": false, "CapDepositDataEvent": false, "CapRepayDeposit": false,
			"CapPauseDeposit": false, "CapRealTimeData": false, "DepositStatus": upos.CHAN_STATUS_DEPOSIT_NONE, "DepositCashList": "",
			"DepositCodeList": "", "DepositCounts": "", "DeviceExits": int32(1), "CapEmptySensor": true, "CapNearEmptySensor": false},
			[]string{"BeginDeposit", "FixDeposit", "EndDeposit", "PauseDeposit"}},
	}
	for _, c := range cases {
		s, err := upos.New([]upos.Device{{Config: upos.Config{Name: "X", Class: c.class, Devices: []string{"x"}}, Mechanism: upostest.New(c.part)}}, upos.Options{})
		must(t, err)
		t.Cleanup(s.Close)
		h, err := s.Open(c.class, "X")
		must(t, err)
		must(t, claimFor(h, 0))
		must(t, h.Set("DeviceEnabled", true))
		for name, want := range c.want {
			is(t, h, name, want)
		}
		for _, method := range c.fails {
			refused(t, call(h, method, argumentsFor(c.class, method)), upos.E_ILLEGAL)
		}
		if c.want["CapRealTimeData"] == false {
			refused(t, h.Set("RealTimeDataEnabled", true), upos.E_ILLEGAL)
		}
	}
}

// TestOpenNeedsAFittingMachine answers E_NOEXIST and E_NOSERVICE.
func TestOpenNeedsAFittingMachine(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		class upos.Class
		name  string
	}{{upos.CashChanger, "Nobody"}, {upos.BillAcceptor, "Till1"}, {"Toaster", "Till1"}} {
		_, err := w.service.Open(c.class, c.name)
		refused(t, err, upos.E_NOEXIST)
	}
	for name, c := range map[string]struct {
		class upos.Class
		part  upos.Part
		scale int
	}{
		"never answered":     {upos.CashChanger, upos.Part{ID: "x"}, 0},
		"coins for bills":    {upos.BillAcceptor, upostest.Hopper(), 0},
		"bills for coins":    {upos.CoinDispenser, upostest.Recycler(), 0},
		"no store to pay of": {upos.BillDispenser, upostest.Validator(), 0},
		"nothing is taken":   {upos.CoinAcceptor, upos.Part{ID: "x", Holds: []upos.Piece{upostest.Coin(1)}}, 0},
		"cents in euros":     {upos.CashChanger, upostest.CoinSystem(), 100},
	} {
		s, err := upos.New([]upos.Device{{Config: upos.Config{Name: "X", Class: c.class, Devices: []string{"x"}, Scale: c.scale},
			Mechanism: upostest.New(c.part)}}, upos.Options{})
		must(t, err)
		if _, err = s.Open(c.class, "X"); codeOf(t, err) != upos.E_NOSERVICE {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
	h := openTill(t, w)
	refused(t, call(h, "Open", map[string]any{"deviceName": "Nobody"}), upos.E_ILLEGAL) // open already comes first
	is(t, h, "OpenResult", upos.OR_ALREADYOPEN)
	must(t, h.Close())
	refused(t, call(h, "Open", map[string]any{"deviceName": "Nobody"}), upos.E_NOEXIST)
	is(t, h, "OpenResult", upos.OR_REGBADNAME)
	must(t, call(h, "Open", map[string]any{"deviceName": "Till1"}))
	is(t, h, "OpenResult", int32(0))
	w.service.Close()
	_, err := w.service.Open(upos.CashChanger, "Till1")
	refused(t, err, upos.E_NOSERVICE)
}

// TestOpenNeedsToKnowTheStore: what a handle can do is fixed at Open, so it does not open on a machine whose store is not
// known yet. An acceptor does not ask for it.
func TestOpenNeedsToKnowTheStore(t *testing.T) {
	starting := upostest.Recycler()
	starting.Holds, starting.Pays, starting.StoreUntold = nil, nil, true
	s := serve(t, upos.CashChanger, "Till1", upostest.New(starting, upostest.CoinSystem()))
	if _, err := s.Open(upos.CashChanger, "Till1"); codeOf(t, err) != upos.E_NOSERVICE || !strings.Contains(err.Error(), "notes") {
		t.Errorf("a changer: %v", err)
	}
	s = serve(t, upos.BillAcceptor, "Bills1", upostest.New(starting))
	if _, err := s.Open(upos.BillAcceptor, "Bills1"); err != nil {
		t.Errorf("an acceptor: %v", err)
	}
}

func TestReopen(t *testing.T) {
	w := newWorld(t)
	h := ready(t, w, upos.CashChanger, "Till1")
	must(t, h.Set("AsyncMode", true))
	must(t, h.Set("FreezeEvents", true))
	must(t, dispenseChange(h, 10, ""))
	must(t, h.Set("CurrentExit", 2))
	must(t, h.Set("CurrentService", 2))
	must(t, h.Close())
	is(t, h, "State", upos.S_CLOSED)
	refused(t, h.Close(), upos.E_CLOSED)
	is(t, h, "ResultCode", upos.E_CLOSED)
	must(t, call(h, "Open", map[string]any{"deviceName": "Till2"}))
	is(t, h, "AsyncMode", false)
	is(t, h, "FreezeEvents", false)
	is(t, h, "CurrentExit", int32(1))
	is(t, h, "CurrentService", int32(0))
	if last, err := directIO(h, upos.DirectOutcome, 0, ""); err != nil || !strings.Contains(last, `"asked":""`) {
		t.Errorf("the payout of an earlier life is still told: %s (%v)", last, err)
	}
	is(t, h, "ResultCode", upos.SUCCESS)
	if h.Name() != "Till2" || h.Class() != upos.CashChanger {
		t.Error(h.Name(), h.Class())
	}
}

// TestProperties are those that can be read in the state.
func TestProperties(t *testing.T) {
	w := newWorld(t)
	h, err := w.service.Handle(upos.CashChanger)
	must(t, err)
	if n := len(h.Properties()); n != 6 { // State, two descriptions of the control, three of OPOS
		t.Errorf("%d properties while closed: %v", n, h.Properties())
	}
	h = ready(t, w, upos.CashChanger, "Till1")
	all := 0
	for _, m := range upos.Members(upos.CashChanger) {
		if !m.Method {
			all++
		}
	}
	for name, v := range h.Properties() { // one by one they are the same
		is(t, h, name, v)
	}
	if got := h.Properties(); len(got) != all || got["DepositStatus"] != upos.CHAN_STATUS_DEPOSIT_END {
		t.Errorf("%d of %d properties while enabled", len(got), all)
	}
}

func TestDevices(t *testing.T) {
	w := newWorld(t)
	ready(t, w, upos.CashChanger, "Till1")
	w.machines["Till1"].Jam(0, true)
	for _, in := range w.service.Devices() {
		if in.Name == "Till1" && (!in.Claimed || !in.Enabled || !in.Jammed || !in.Online || in.Handles != 1 || in.State != upos.S_IDLE) {
			t.Errorf("%+v", in)
		}
		if in.Name == "Till2" && (in.Claimed || in.Handles != 0 || in.State != upos.S_CLOSED) {
			t.Errorf("%+v", in)
		}
	}
	if len(w.service.Devices()) != 7 {
		t.Error("not all devices are listed")
	}
}

// TestUnreadEventsAreBounded: an application that never takes its events loses the oldest, and no money.
func TestUnreadEventsAreBounded(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	must(t, h.Set("RealTimeDataEnabled", true))
	begin(t, h)
	m.Insert(upostest.Bill(500), 1)
	for i := range 10_100 {
		m.Jam(0, i%2 == 0)
	}
	is(t, h, "DataCount", int32(1))
	if ev := next(t, h); ev == nil || ev.Status != upos.CHAN_STATUS_JAMOK { // the 102nd
		t.Errorf("%+v", ev)
	}
	fix(t, h)
	is(t, h, "DepositAmount", int32(500))
}
