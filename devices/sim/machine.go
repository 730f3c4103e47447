package sim

import (
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"coffer/ssp"
)

// Options make a machine of a profile a particular one.
type Options struct {
	Currency string        // three capitals; "": EUR
	Dataset  []int64       // denominations in minor units, rising; nil: the profile's
	Levels   map[int64]int // pieces in the payout store at the start, by value
	Cassette map[int64]int // notes in the replenishment cassette at the start, by value
	Serial   uint32        // 0: made from line name and address, the same every time
	// HoldBezel leaves a dispensed note in the bezel until Take; else the customer takes it after a moment.
	HoldBezel bool
	// NoEncryption makes a machine that executes money commands in plain, too.
	NoEncryption bool
	// DisableStopsPayout makes a machine that refuses payouts while its acceptor is off (ssp.md 13.6).
	DisableStopsPayout bool
	// Random is where key exchange and filler bytes of encrypted answers come from; nil: somewhere unpredictable.
	Random io.Reader
}

// Machine is one simulated machine. It has power and is plugged in when it is made.
type Machine struct {
	line   *Line
	addr   ssp.Address
	prof   *profile
	opt    Options
	serial uint32
	data   []denom // the dataset; channel c is data[c-1]

	mu      sync.Mutex // guards all that follows
	stopped bool
	tasks   []*task
	timer   *time.Timer
	onStep  func(step string) bool
	cutIn   int   // power goes instead of that step from now; 0: never
	cutThen Fault // what cutIn was planned by

	epoch          int // counts the losses of power
	power, plugged bool
	booted         bool // the firmware answers
	initialising   bool // it does, and is still sorting out what the power cut left
	stock          *stock
	nv             memory   // survives the power
	ram            volatile // does not
	wire           receiver
	loader         *loader // runs instead of the firmware; nil: none
	noise          noise
	faults         faults
	mech           mechanics
}

// mechanics is what one family of machines does with money in motion. All methods are called by whoever holds the
// machine.
type mechanics interface {
	// room returns ErrRefused if the path cannot take n pieces now, whatever the acceptor thinks of them.
	room(n int) error
	// insert takes pieces for which there is room and which the stock has in transit.
	insert(pieces []*piece)
	// statuses appends the status events of the moment, in the order in which they stand in an answer.
	statuses(dst []ssp.Event) []ssp.Event
	// polled is called by every poll that is not a mere repeat, before it is answered.
	polled()
	// idle reports whether no piece is under way; a note that waits in escrow is not under way.
	idle() bool
	// busy reports whether an operation on the store cannot start because pieces are coming in.
	busy() bool
	// next moves the next piece of the running operation, or ends it.
	next()
	// cut forgets what the lost power took, and leaves in lying what it left in the path.
	cut()
	// clear puts what lay in the path where it belongs; it runs once after power-up, and plans the reports.
	clear()
	// enabled reports whether the acceptor would take something now.
	enabled() bool
}

// memory survives the power: ssp.md 14.4.
type memory struct {
	routes    map[denom]byte // 0 store, 1 cashbox
	recyclers recyclers
	counters  [9]uint32 // ssp.md 10.12, in the order of the machine's family
	fixedKey  uint64
	op        *operation    // running, or cut and not yet reported
	moved     map[denom]int // to the cashbox by the last operation
	unknown   int           // pieces of it that were not recognised
	reports   []*queued     // found at power-up and not yet told
	clockSkew time.Duration // what SET RTC made of the clock
	firmware  string        // that a download brought; "": the profile's
	dataset   string        // likewise
	erased    bool          // a download has begun and not ended
	twin      twin
	health    coinHealth
	powerOns  uint32        // how often it was switched on
	upBefore  time.Duration // how long it had power before it was switched on last
	escrow    multiEscrow
	card      smartCard
	book      noteBook
}

// volatile is gone after a reset or a power cut.
type volatile struct {
	version     int // of the protocol
	resetToTell bool
	queue       []*queued // one-shot events, oldest first
	unacked     *answer   // repeated until EVENT ACK
	ackMode     bool      // the last poll was POLL WITH ACK
	lastPoll    time.Time
	generator   uint64
	program     bool // PROGRAM was the last command: a file's header follows
	modulus     uint64

	enabled       bool
	cardChanging  bool      // another dataset is being brought into force
	cardUntil     time.Time // until then the card's dataset is being read
	escrowSize    byte      // notes that are held at most until the host decides; 0: the machine holds none
	toBezel       bool      // notes that are paid wait in the bezel, and do not fall into the tray (machines with recyclers)
	inhibits      []bool    // by channel: true is accepted
	lastReject    byte
	barcodeOn     byte // readers: 1 the top one, 2 the bottom one
	currencyOff   bool // 26 keeps notes out; what the byte says at power-up does not (ssp.md 9.3)
	barcodeChars  byte
	barcodeBits   byte
	refill        bool
	payoutEnabled bool
	payoutOptions byte // of 5C
	giveValue     bool // NOTE STORED carries the value (5C, note float)
	noHold        bool // a note that is paid does not wait in the bezel (5C, note float)
	byChannel     bool // GET NOTE POSITIONS lists channels (45)
	limits        map[denom]uint16

	feederOn   bool // 49
	mechErrors bool // 5A: tell COIN MECH ERROR
	coins      map[denom]bool
	reg0, reg1 byte
	bridge     bool // 37: the machine speaks no SSP any more
	extended   bool // the host has used an expansion command of ours, so that it knows our events
	lifter     byte // the lifter's state as told last

	since       time.Time // when it was switched on
	payoutLimit int       // most coins of a payout; 0: no limit
	tested      int       // coins that the payout tested or begun last takes
	noPayin     int       // payouts without a coin coming in between; 0: any number
	held        bool      // 3A: the feeder stands still
	stirring    bool      // 5D
}

func newVolatile(m *Machine) volatile {
	return volatile{
		version: 4, resetToTell: true, lastPoll: time.Now(),
		inhibits: make([]bool, len(m.data)), barcodeBits: 0xFF, barcodeChars: 18,
		limits: map[denom]uint16{}, coins: map[denom]bool{}, reg0: 0x26,
		feederOn: m.prof.has(featureCoinMech), since: time.Now(),
	}
}

func newMachine(l *Line, addr ssp.Address, profileName string, opt Options) (*Machine, error) {
	p, err := findProfile(profileName)
	if err != nil {
		return nil, err
	}
	if addr > ssp.MaxAddress {
		return nil, fmt.Errorf("%w: address %d, 125 is the highest", ErrInvalid, addr)
	}
	m := &Machine{line: l, addr: addr, prof: p, opt: opt, serial: opt.Serial, power: true, plugged: true, booted: true}
	if err := m.setDataset(); err != nil {
		return nil, err
	}
	if m.serial == 0 {
		m.serial = madeUpSerial(l.port, addr)
	}
	m.stock = newStock(m.data)
	m.nv = memory{routes: map[denom]byte{}, fixedKey: ssp.DefaultFixedKey, moved: map[denom]int{}, twin: newTwin(), powerOns: 1,
		health: coinHealth{boxed: map[denom]int{}}}
	if p.has(featureFloat) {
		m.stock.piled = true
		m.recycle(m.data[0])
	}
	if p.Recyclers > 0 {
		m.nv.recyclers = newRecyclers(p.Recyclers)
		m.stock.follow = m.shelve
	}
	m.nv.card = m.newCard()
	m.ram = newVolatile(m)
	m.noise.rnd = rand.New(rand.NewPCG(uint64(m.serial), uint64(addr)))
	if p.Family == familyNote {
		m.mech = &notePath{m: m}
	} else {
		m.mech = &coinPath{m: m}
	}
	for _, value := range slices.Sorted(maps.Keys(opt.Levels)) {
		if err := m.SetLevel(value, m.data[0].currency, opt.Levels[value]); err != nil {
			return nil, err
		}
	}
	for _, value := range slices.Sorted(maps.Keys(opt.Cassette)) {
		if err := m.SetCassette(value, m.data[0].currency, opt.Cassette[value]); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Machine) setDataset() error {
	currency := m.opt.Currency
	if currency == "" {
		currency = "EUR"
	}
	values := m.opt.Dataset
	if values == nil {
		values = m.prof.Denominations[currency]
	}
	if !isCurrency(currency) {
		return fmt.Errorf("%w: currency %q is not three capitals", ErrInvalid, currency)
	}
	if len(values) == 0 || len(values) > 24 {
		return fmt.Errorf("%w: profile %s has no dataset in %s; name 1 to 24 denominations", ErrInvalid, m.prof.Name, currency)
	}
	for i, v := range values {
		if v < 1 || i > 0 && v <= values[i-1] {
			return fmt.Errorf("%w: denominations %v do not rise", ErrInvalid, values)
		}
		m.data = append(m.data, denom{v, currency})
	}
	return m.checkValues()
}

// checkValues refuses denominations that the machine's setup reply cannot carry.
func (m *Machine) checkValues() error {
	for _, d := range m.data {
		if m.prof.Family == familyCoin && d.value > 0xFFFF || d.value > 0xFFFFFFFF {
			return fmt.Errorf("%w: denomination %d is too high", ErrInvalid, d.value)
		}
	}
	return nil
}

func isCurrency(s string) bool {
	return len(s) == 3 && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < 'A' || c > 'Z' })
}

// madeUpSerial gives each place in the world a machine of its own: seven digits.
func madeUpSerial(port string, addr ssp.Address) uint32 {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s@%d", port, addr)
	return 5000000 + h.Sum32()%1000000
}

// Line returns the line the machine is on.
func (m *Machine) Line() *Line { return m.line }

// Address returns the machine's SSP address.
func (m *Machine) Address() ssp.Address { return m.addr }

// Profile returns the name of the machine's profile.
func (m *Machine) Profile() string { return m.prof.Name }

// Serial returns the machine's serial number.
func (m *Machine) Serial() uint32 { return m.serial }

// Truth tells where everything is now.
func (m *Machine) Truth() Truth {
	var t Truth
	m.enter(func() {
		t = Truth{
			Port: m.line.port, Address: int(m.addr), Profile: m.prof.Name,
			Power: m.power, Plugged: m.plugged, Enabled: m.power && m.booted && m.mech.enabled(),
			Moving:   m.power && (!m.booted || m.initialising || m.nv.op != nil && !m.nv.op.cut || m.faults.recovering || !m.mech.idle()),
			Counters: map[string]uint32{},
		}
		for i, name := range counterNames[m.prof.counters()] {
			t.Counters[name] = m.nv.counters[i]
		}
		m.stock.truth(&t)
	})
	return t
}

// SetLevel makes count pieces of a denomination lie in the payout store, as a hand that fills or takes out.
// ErrInvalid for a machine without one, a denomination that is not in the dataset, or more than fit.
func (m *Machine) SetLevel(value int64, currency string, count int) (err error) {
	m.enter(func() {
		d := denom{value, currency}
		now := m.stock.count(d, inPayout) - m.inCassette()[d]
		switch {
		case m.prof.Store == 0:
			err = fmt.Errorf("%w: a %s has no payout store", ErrInvalid, m.prof.Name)
		case !slices.Contains(m.data, d):
			err = fmt.Errorf("%w: %v is not in the dataset", ErrInvalid, d)
		case count < 0 || m.storeUsed()-now+count > m.prof.Store:
			err = fmt.Errorf("%w: %d pieces; the store holds %d", ErrInvalid, count, m.prof.Store)
		default:
			m.fill(d, count-now)
		}
	})
	return err
}

// OnStep calls f before every step of the mechanics takes effect, with the step's name ("note:credit"). If f returns
// true, the power is cut there and the step does not happen. f must not call the machine. The names: doc.go.
func (m *Machine) OnStep(f func(step string) (cut bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onStep = f
}

// mayMove reports whether the mechanics may take the next step: nothing jams them, and no event waits for the host.
func (m *Machine) mayMove() bool { return !m.faults.jam && !m.waitsForAck() }

func (m *Machine) channel(d denom) byte { return byte(slices.Index(m.data, d) + 1) }

// logf tells the world's log, with the machine's name before it.
func (m *Machine) logf(format string, args ...any) {
	m.line.world.log("%s@%d: "+format, append([]any{m.line.port, m.addr}, args...)...)
}
