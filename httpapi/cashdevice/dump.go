package cashdevice

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"coffer/devices"
)

// completeCashDevice: GET GetCompleteCashDevice → "<deviceID>: " and a JSON object of 94 members, which as a whole is
// text; the object alone for a client that takes nothing but JSON. Names are the same in both dialects.
func (c *call) completeCashDevice() (any, error) {
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	s := d.Snapshot()
	assigned, err := c.assignment(s, s.Levels)
	if err != nil {
		return nil, err
	}
	var out object
	out = append(out, c.dumpIdentity(s)...)
	out = append(out, dumpSerials(s)...)
	out = append(out, dumpRevisions(s)...)
	known := c.known()
	out = append(out, dumpCoins(s, known)...)
	out = append(out, dumpNotes(s, known)...)
	out = append(out, c.dumpState(s, assigned)...)
	text := style{nulls: true, texts: true}.render(nil, out)
	if wantsJSON(c.r) {
		return json.RawMessage(text), nil
	}
	return c.id + ": " + string(text), nil
}

// known is what was read of the machine since it was opened.
func (c *call) known() memory {
	c.view.mu.Lock()
	defer c.view.mu.Unlock()
	return c.view.known
}

func (c *call) dumpIdentity(s *devices.Snapshot) object {
	model := s.Model
	if model == modelPayout {
		model = "SPECTRAL_DEVICE"
	}
	return object{
		{"comPort", s.Port}, {"deviceModel", model}, {"deviceError", "NONE"}, {"isOpen", s.Connected}, {"isDownloading", false},
		{"firmware", s.Firmware}, {"extendedFirmware", nil}, {"dataset", s.Dataset}, {"extendedDataset", nil},
	}
}

// dumpSerials are the serial numbers, then whether each is valid.
func dumpSerials(s *devices.Snapshot) object {
	parts := []struct {
		name  string
		value string
		has   bool
	}{
		{"main", s.Serial, true},
		{"recycler1", s.ModuleSerials[partRecycler1], true}, {"recycler2", s.ModuleSerials[partRecycler1+1], true},
		{"recycler3", s.ModuleSerials[partRecycler1+2], true}, {"recycler4", s.ModuleSerials[partRecycler1+3], true},
		{"interface", s.ModuleSerials[partInterface], true}, {"dock", s.ModuleSerials[partDock], true},
		{"replenishmentCassette", s.ModuleSerials[partCassette], true}, {"conveyor", s.ModuleSerials[partConveyor], true},
		{"coinFeeder", s.ModuleSerials[partFeeder], s.Coins}, {"secondaryHopper", s.ModuleSerials[partSecondary], s.Coins},
		{"payoutModule", s.ModuleSerials[partPayout], !s.Coins}, {"coinLifter", s.ModuleSerials[partLifter], s.Coins},
	}
	var numbers, valid object
	for _, p := range parts {
		n, _ := strconv.ParseInt(p.value, 10, 64)
		if !p.has {
			n = 0
		}
		numbers = append(numbers, member{p.name + "SerialNumber", n})
		valid = append(valid, member{p.name + "SerialNumberValid", n != 0})
	}
	return append(numbers, valid...)
}

func dumpRevisions(s *devices.Snapshot) object {
	build, payout := revision(s, 0), any(nil)
	feeder, secondary, lifter := any(nil), any(nil), any(nil)
	if s.Coins {
		feeder, secondary, lifter = orNil(revision(s, 1)), orNil(revision(s, 2)), orNil(revision(s, 3))
	} else if r := revision(s, 1); r != "" {
		build, payout = r, r
	}
	major, minor, _ := strings.Cut(build, ".")
	high, _ := strconv.Atoi(major)
	low, _ := strconv.Atoi(minor)
	return object{
		{"buildRevisionString", orNil(build)}, {"initialMainBuildRevision", 0}, {"mainBuildRevisionString", orNil(revision(s, 0))},
		{"coinFeederBuildRevisionString", feeder}, {"secondaryHopperBuildRevisionString", secondary},
		{"coinLifterBuildRevisionString", lifter}, {"payoutModuleRevisionString", payout},
		{"primaryHopperAsciiTypeString", nil}, {"coinFeederAsciiTypeString", nil},
		{"majorBuildRevision", high}, {"minorBuildRevision", low},
	}
}

// dumpCoins are the members of coin machines, as far as they were asked for since the machine was opened, and the
// counters of all.
func dumpCoins(s *devices.Snapshot, k memory) object {
	reg0, reg1, text0, text1 := 0, 0, any(nil), any(nil)
	if k.options != nil {
		reg0, reg1 = int(k.options.Reg0), int(k.options.Reg1)
		text0, text1 = hexByte(k.options.Reg0), hexByte(k.options.Reg1)
	}
	return object{
		{"reg_0", reg0}, {"reg_1", reg1}, {"reg_0_hex_string", text0}, {"reg_1_hex_string", text1},
		{"globalErrorCode_0", int(k.fault[0])}, {"globalErrorCode_1", int(k.fault[1])}, {"unit_info_retrieved", true},
		{"lifterConnected", k.lifter.Connected}, {"lifterOptoClear", k.lifter.OptoClear}, {"lifterJammed", k.lifter.Jammed},
		{"lastGetLevelsSuccessful", s.Connected},
		{"service_information_string", orNil(k.service)}, {"noPayinCount", k.noPayin}, {"coinAcceptance_string", orNil(k.acceptance)},
		{"counters_string", orNil(countersText(s.CounterKind, s.Counters))},
		{"coins_payout_request", 0}, {"coins_seen_at_exit_sensor", 0}, {"real_time_clock_string", orNil(k.clock)},
		{"cashbox_levels_string", orNil(k.cashbox)}, {"payout_count", k.payout}, {"commandFailedDetailsString", nil},
		{"maintenanceRequiredDetailsString", nil}, {"lifterEventString", nil},
	}
}

func dumpNotes(s *devices.Snapshot, k memory) object {
	mode, current := cmp.Or(k.cassette, cassetteModes[0]), any(nil)
	if s.Model == modelNV4000 {
		current = 0
	}
	reject := any(nil)
	if s.LastReject != 0 {
		reject = rejectText(s.LastReject)
	}
	out := object{
		{"rejectCategory", reject}, {"error_during_payout_details_string", nil},
	}
	out = append(out, dumpTickets(k)...)
	return append(out, object{
		{"nv22SpectralDevice", isNV22(s)}, {"enablePayoutDeviceError", nil}, {"recyclerCountersString", nil},
		{"RC_CurrentMode", mode}, {"currentRC_PayoutValue", current}, {"RC_DenominationForPayout", nil},
		{"unknown_stored_in_cashbox", k.unknown}, {"sspProtocolVersion", s.Protocol},
	}...)
}

// dumpTickets are the members for barcode tickets.
func dumpTickets(k memory) object {
	var status, data, fitted, enabled, format, length, inhibit any
	if k.ticket != nil {
		status, data = nth(ticketStates, k.ticket.Status), k.ticket.Data
	}
	if b := k.barcode; b != nil {
		fitted, enabled, format = nth(readersFitted, b.Hardware), nth(readersEnabled, b.Enabled), nth(barcodeFormats, b.Format)
		length, inhibit = strconv.Itoa(int(b.Characters)), truth(b.Enabled == 0)
	}
	return object{
		{"ticketStatus", status}, {"barcode_ascii_data", data}, {"barCodeHardwareStatus", fitted}, {"readersEnabled", enabled},
		{"barCodeFormat", format}, {"numberOfCharacters", length}, {"barCodeInhibit", inhibit},
	}
}

func (c *call) dumpState(s *devices.Snapshot, assigned list) object {
	c.view.mu.Lock()
	c.view.catchUp()
	state, last := c.view.story.shown, c.view.story.last
	c.view.mu.Unlock()
	if last == "" {
		last = "COMPLETED"
	}
	currencies := map[string]bool{}
	for _, ch := range s.Channels {
		currencies[string(ch.Denom.Currency)] = true
	}
	nested := styles[Android].render(nil, assigned) // PascalCase below the top, whatever the dialect
	return object{
		{"downloadStatus", c.api.downloads.dumped(s.Port, s.Address)},
		{"cashDeviceModules", nil}, {"dispenseState", last}, {"isMultiCurrency", len(currencies) > 1}, {"noteInEscrow", s.Escrow != nil},
		{"currencyAssignment", json.RawMessage(nested)}, {"sorterRouteAssignment", json.RawMessage(styles[Android].render(nil, sorterRoutes(s)))}, {"deviceState", state.String()},
	}
}
