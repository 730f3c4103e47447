package devices

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// highestVersion and lowestVersion bound the protocol versions that are asked for (ssp.md section 7).
const (
	highestVersion = 8
	lowestVersion  = 4
)

// connect is the head of every start-up (ssp.md section 15.1): SYNC, protocol version, keys, identity. At its end the
// machine has its family's driver and its name.
func (c *Core) connect() error {
	c.lost, c.plainAck, c.refused, c.lastGood = nil, false, 0, time.Now()
	c.before, c.unknown, c.hold, c.op = nil, "", false, operation{}
	c.keyAge = c.base.keyAge()
	c.peer.ForgetKey()
	err := c.peer.Sync(context.Background())
	c.Edit(func(s *Snapshot) { s.silent = err != nil })
	if err != nil {
		c.lost = err
		return err
	}
	version, err := c.agreeVersion()
	if err != nil {
		return err
	}
	encrypted, err := c.agreeKeys()
	if err != nil {
		return err
	}
	id, channels, setup, err := c.identify()
	if err != nil {
		return err
	}
	id.Protocol, id.Encrypted = version, encrypted
	return c.adopt(id, channels, setup)
}

// agreeVersion asks for the highest protocol version and steps down while the machine does not support it.
func (c *Core) agreeVersion() (int, error) {
	for v := highestVersion; v > lowestVersion; v-- {
		_, err := c.Tx(ssp.HostProtocolVersion(byte(v)))
		var r *ssp.StatusError
		switch {
		case err == nil:
			c.peer.SetVersion(v, false)
			return v, nil
		case !errors.As(err, &r):
			return 0, err
		case r.Reply == ssp.UnknownCommand:
			c.peer.SetVersion(lowestVersion, false)
			return lowestVersion, nil
		}
	}
	c.peer.SetVersion(lowestVersion, false)
	_, _, err := c.Try(ssp.HostProtocolVersion(lowestVersion))
	return lowestVersion, err
}

// agreeKeys negotiates keys. A machine that does not know the commands is driven plain.
func (c *Core) agreeKeys() (bool, error) {
	err := c.peer.Negotiate(context.Background())
	var r *ssp.StatusError
	switch {
	case err == nil:
		c.lastGood = time.Now()
		return true, nil
	case errors.As(err, &r) && r.Reply == ssp.UnknownCommand:
		return false, nil
	}
	c.lost = err
	return false, err
}

// identify asks the machine what it is.
func (c *Core) identify() (Identity, []Channel, ssp.Setup, error) {
	rest, err := c.Tx(ssp.CmdSetupRequest.Data())
	if err != nil {
		return Identity{}, nil, ssp.Setup{}, err
	}
	setup, err := ssp.ParseSetup(rest)
	if err != nil {
		return Identity{}, nil, setup, fmt.Errorf("setup request: %w", err)
	}
	id := Identity{
		UnitType: setup.UnitType, Currency: cash.Currency(setup.Currency), RealMultiplier: int64(setup.RealMultiplier),
		Coins:     setup.UnitType == ssp.TypeCoinSystem || setup.UnitType == ssp.TypeHopper,
		HasPayout: hasPayout(setup.UnitType),
	}
	if id.Currency == "" {
		id.Currency = c.base.cfg.device.Currency
	}
	c.peer.SetVersion(int(setup.Protocol), id.Coins)
	var channels []Channel
	for i, ch := range setup.Channels {
		cur := cash.Currency(ch.Currency)
		if cur == "" {
			cur = id.Currency
		}
		channels = append(channels, Channel{Number: i + 1, Denom: cash.Denom{Value: ch.Value, Currency: cur}})
	}
	return id, channels, setup, c.identityTexts(&id)
}

// identityTexts asks for numbers and versions; a machine may lack any of them.
func (c *Core) identityTexts(id *Identity) error {
	serial, err := c.serial()
	if err != nil {
		return err
	}
	id.Serial = serial
	for _, text := range []struct {
		cmd ssp.Command
		to  *string
	}{{ssp.CmdGetFirmware, &id.Firmware}, {ssp.CmdGetDataset, &id.Dataset}} {
		rest, _, err := c.Try(text.cmd.Data())
		if err != nil {
			return err
		}
		*text.to = strings.TrimRight(string(rest), " \x00")
	}
	rest, ok, err := c.Try(ssp.CmdGetBuildRevision.Data())
	if err != nil || !ok {
		return err
	}
	id.Revisions, err = ssp.ParseRevisions(rest)
	return c.tolerate(err)
}

// serial asks for a serial number, of the whole machine or of the module given. "" if there is none.
func (c *Core) serial(module ...byte) (string, error) {
	rest, ok, err := c.Try(ssp.GetSerialNumber(module...))
	if err != nil || !ok {
		return "", err
	}
	n, err := ssp.ParseSerial(rest)
	if err != nil {
		return "", c.tolerate(err)
	}
	return strconv.FormatUint(uint64(n), 10), nil
}

// ModuleSerials asks for the serial numbers of modules; those that the machine does not know are left out.
func (c *Core) ModuleSerials(modules ...byte) error {
	serials := map[byte]string{}
	for _, m := range modules {
		s, err := c.serial(m)
		if err != nil {
			return err
		}
		if s != "" {
			serials[m] = s
		}
	}
	c.Edit(func(s *Snapshot) { s.ModuleSerials = serials })
	return nil
}

// tolerate logs an answer that could not be read and goes on without it.
func (c *Core) tolerate(err error) error {
	if err != nil {
		c.Log.WithError(err).Warn("answer left out, it could not be read")
	}
	return nil
}

// adopt makes id what this device is: it finds the family, names the device, and keeps the settings if it is the same
// machine as before.
func (c *Core) adopt(id Identity, channels []Channel, setup ssp.Setup) error {
	family, ok := c.findFamily(setup, id.Firmware)
	if !ok {
		return fmt.Errorf("%w: no driver for unit type %02X, firmware %q", cash.ErrUnsupported, byte(id.UnitType), id.Firmware)
	}
	id.Model = family.Model(setup, id.Firmware)
	c.peer.SetVersion(id.Protocol, id.Coins)
	if c.driver == nil || c.family != family.Name {
		c.family, c.driver = family.Name, family.New(c)
		d := c.driver.Device()
		c.base.device.Store(&d)
	}
	c.driver.Lost() // whatever it believed before
	if want := c.base.cfg.device.Currency; want != "" && want != id.Currency {
		c.Log.Warnf("the machine's dataset is in %s, the configuration says %s", id.Currency, want)
	}
	if c.Set.Inhibited == nil || id.Serial != c.pic.Serial || !sameDenoms(channels, c.pic.Channels) {
		c.firstSettings(channels)
	}
	if model := c.pic.Model; c.id == "" || model != id.Model {
		c.id = c.base.cfg.name(c.base, id.Model)
		c.Log = c.base.log.WithField("device", c.id)
	}
	same := id.Serial == c.pic.Serial
	c.Edit(func(s *Snapshot) {
		s.ID, s.Identity, s.Channels = c.id, id, channels
		s.Connected, s.Error = true, "connecting"
		s.AcceptorEnabled, s.PayoutEnabled, s.Escrow, s.MultiHeld, s.Operation = false, false, nil, nil, ""
		s.Ticket = Ticket{}
		if !same { // else until the first answer says otherwise: a jam that lasts is not cleared in between
			s.CashboxRemoved, s.StackerFull, s.DeviceFull, s.Jammed = false, false, false, false
		}
	})
	return nil
}

func (c *Core) findFamily(setup ssp.Setup, firmware string) (Family, bool) {
	for _, f := range c.base.cfg.families {
		if f.Accepts(setup, firmware) {
			return f, true
		}
	}
	return Family{}, false
}

// firstSettings are those of a machine that was not seen before: acceptor off, the configuration's inhibits, and its
// own routes.
func (c *Core) firstSettings(channels []Channel) {
	c.Set = Settings{Inhibited: map[cash.Denom]bool{}}
	for _, ch := range channels {
		for _, v := range c.base.cfg.device.Inhibit {
			if ch.Denom.Value == v {
				c.Set.Inhibited[ch.Denom] = true
			}
		}
	}
}

// SetRoute is called by a driver when the machine has taken a route.
func (c *Core) SetRoute(d cash.Denom, toPayout bool) {
	routes := maps.Clone(c.Set.Routes)
	if routes == nil {
		routes = map[cash.Denom]bool{}
	}
	routes[d] = toPayout
	c.Set.Routes = routes
}

func sameDenoms(a, b []Channel) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Denom != b[i].Denom {
			return false
		}
	}
	return true
}

// hasPayout says whether a unit type has a store that it pays from (ssp.md section 6.1).
func hasPayout(t ssp.UnitType) bool {
	switch t {
	case ssp.TypeHopper, ssp.TypePayout, ssp.TypeNoteFloat, ssp.TypeCoinSystem, ssp.TypeTEBSPayout:
		return true
	}
	return false
}
