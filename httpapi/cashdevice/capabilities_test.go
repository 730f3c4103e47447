package cashdevice

import (
	"errors"
	"strings"
	"testing"

	"coffer/devices"
	"coffer/internal/cash"
)

// capabilityCases are calls of the endpoints that only some machines have. What is wanted is copied from the manual;
// <id> stands for the deviceID.
var capabilityCases = []struct {
	method, model, path, body string
	want                      string
	did                       string
}{
	{"POST", modelCoins, "SetDenominationLevel", `{"Value":100,"CountryCode":"GBP","NumCoinsToAdd":1}`, "<id>: Denomination level set successfully.", "level 100 GBP 1"},
	{"POST", modelCoins, "SetDenominationLevel", `{"value":100,"countryCode":"gbp","amount":"0"}`, "<id>: Denomination level set successfully.", "level 100 GBP 0"},
	{"POST", modelPayout, "EnablePayoutDeviceWithByte", `{"EnablePayoutDeviceByte":1}`, "<id>: Payout device enabled successfully.", "payout-with 1"},
	{"POST", modelPayout, "SetMultiEscrowSize", "20", "Successfully set multi-escrow size to 20.", "set-escrow-size 20"},
	{"GET", modelPayout, "GetMultiEscrowSize", "", `{"multiEscrowSize":20}`, "escrow-size"},
	{"GET", modelPayout, "GetMultiEscrowValue", "", `{"multiEscrowValue":1000,"multiEscrowCurrency":"EUR"}`, "escrow-value"},
	{"POST", modelPayout, "CommitMultiEscrow", "", "Successfully committed multi-escrow.", "commit"},
	{"POST", modelPayout, "CancelMultiEscrow", "true", "Successfully cancelled multi-escrow.", "cancel"},
	{"POST", modelPayout, "CancelMultiEscrow", "", "Successfully cancelled multi-escrow.", "cancel"},
	{"GET", modelPayout, "GetBarcodeReaderConfiguration", "", `{"hardwareStatus":"Both fitted","readersEnabled":"Both","barcodeFormat":"Interleaved 2 of 5","numCharacters":"18"}`, "barcode"},
	{"POST", modelPayout, "SetBarcodeReaderConfiguration", `{"EnableReaders":3,"BarCodeFormat":1,"NumberOfCharacters":18}`, "Barcode reader configuration updated successfully.", "set-barcode 3 1 18"},
	{"GET", modelPayout, "GetBarcodeData", "", `{"ticketStatus":"Ticket stacked","barcodeData":"123456789012345678"}`, "ticket"},
	{"POST", modelPayout, "SetCashboxPayoutLimit", "[100,0,50,30]", "<id>: Cashbox payout limit set successfully.", "box-limit 100 0 50 30"},
	{"POST", modelPayout, "SendCustomCommand", `{"CustomCommandDataString":"01"}`, "Custom command sent successfully.\nF0", "reset"},
	{"POST", modelPayout, "SendCustomCommand", `{"CustomCommandDataString":"0x0C, 11"}`, "Custom command sent successfully.\nF0 01 02", "raw 0C11"},
	{"POST", modelPayout, "SendCustomCommand", `{"CustomCommandDataString":"0A"}`, "Custom command sent successfully.\nF0", "enable"},
	{"POST", modelPayout, "SendCustomCommand", `{"CustomCommandDataString":"09"}`, "Custom command sent successfully.\nF0", "disable"},
	{"POST", modelPayout, "SendCustomCommand", `{"CustomCommandDataString":"5B"}`, "Custom command sent successfully.\nF0", "payout-off"},
	{"POST", modelCoins, "EnableCoinMechOrFeeder", "", "Coin mechanism or feeder enabled successfully.", "enable"},
	{"POST", modelCoins, "EnableCoinMechOrFeeder", "true", "Coin mechanism or feeder enabled successfully.", "enable"},
	{"POST", modelCoins, "EnableCoinMechOrFeeder", "false", "Coin mechanism or feeder disabled successfully.", "disable"},
	{"GET", modelNV4000, "GetRCMode", "", "RC_MODE_PAYOUT", "cassette"},
	{"POST", modelNV4000, "Replenish", "5", "Replenishment completed successfully.", "replenish 5"},
	{"POST", modelNV4000, "RefillMode", "false", "<id>: Refill mode disabled successfully.", "refill False"},
	{"POST", modelNV4000, "RefillMode", "true", "<id>: Refill mode enabled successfully.", "refill True"},
	{"GET", modelCoins, "GetHopperOptions", "", "<id>: { Reg0 = 04, Reg1 = 00 }", "options"},
	{"POST", modelCoins, "SetHopperOptions", `{"Reg0":4,"Reg1":0}`, "Hopper options set successfully.", "options 4 0"},
	{"POST", modelCoins, "SetHopperOptions", `{"reg_0":6,"reg_1":1}`, "Hopper options set successfully.", "options 6 1"},
	{"GET", modelCoins, "GetGlobalErrorCode", "", "<id>: { ErrorCode0 = 00, ErrorCode1 = 00 }", "global-error"},
	{"GET", modelNV4000, "GetServiceInformation", "1", "<id>: { ServiceInformation =\n (Note Information)\nNotes Since Maintenance Reset: 11902\nNotes Since Last Download: 461\nNotes Since Power On: 2\nNotes Since Last Jam: 2\n }", "service 1"},
	{"GET", modelNV4000, "GetServiceInformation&subCommand=1", "", "<id>: { ServiceInformation =\n (Note Information)\nNotes Since Maintenance Reset: 11902\nNotes Since Last Download: 461\nNotes Since Power On: 2\nNotes Since Last Jam: 2\n }", "service 1"},
	{"GET", modelNV4000, "GetServiceInformationForModule", `{"Module":5,"SubCommand":0}`, "<id>: { ServiceInformation = (Lifetime Counts)\nTotal cycles: 32717\nPower on count: 157\nPower on time: 20580\n }", "module 5 0"},
	{"GET", modelNV4000, "GetServiceInformationForModule&module=5&subcommand=0", "", "<id>: { ServiceInformation = (Lifetime Counts)\nTotal cycles: 32717\nPower on count: 157\nPower on time: 20580\n }", "module 5 0"},
	{"POST", modelNV4000, "SetServiceInformationMaintenanceReset", `{"WeekNumber1AsciiByte":48,"WeekNumber2AsciiByte":55,"YearNumber1AsciiByte":50,"YearNumber2AsciiByte":53}`, "<id>: Maintenance reset information set successfully.", "maintenance 7 25"},
	{"POST", modelCoins, "SetNoPayinCount", "0", "<id>: { NoPayinCount = 0 }", "no-payin 0"},
	{"GET", modelCoins, "GetCoinAcceptance", "0", "<id>: { CoinAcceptanceData = 64 }", "acceptance 0"},
	{"GET", modelCoins, "GetCoinAcceptance&device=2", "", "<id>: { CoinAcceptanceData = 64 }", "acceptance 2"},
	{"POST", modelCoins, "SetCashboxLevels", `{"numCoinsToAdd":10,"denomination":10,"countryCode":"ITL"}`, "<id>: Cashbox levels set successfully.", "cashbox-level 10 ITL 10"},
	{"POST", modelCoins, "SetCashboxLevels", `{"NumCoinsToAdd":3,"Denomination":"10 ITL"}`, "<id>: Cashbox levels set successfully.", "cashbox-level 10 ITL 3"},
	{"POST", modelCoins, "ClearCashboxLevels", "", "<id>: Cashbox levels cleared successfully.", "clear-cashbox"},
	{"GET", modelCoins, "GetCashboxLevels", "", "<id>: { CashboxLevels = Number of denominations in device: 4\n0 x 500 GBP\n0 x 1000 GBP\n0 x 2000 GBP\n0 x 5000 GBP\nQuantity of unknown coins: 0\n }", "cashbox"},
	{"POST", modelTwin, "SetSorterRoute", `{"Value":100,"CountryCode":"USD","SorterRoute":0}`, "<id>: Sorter route set successfully.", "sorter 100 USD 0"},
	{"POST", modelTwin, "SetSorterRoute", `{"ValueCountryCode":{"Value":100,"CountryCode":"USD"},"SorterRoute":1}`, "<id>: Sorter route set successfully.", "sorter 100 USD 1"},
	{"GET", modelTwin, "GetSorterRouteAssignment", "", `[{"currentSorterRoute":0},{"currentSorterRoute":1},{"currentSorterRoute":0},{"currentSorterRoute":1}]`, ""},
	{"POST", modelTwin, "SetPayoutLimit", "25", "<id>: Payout limit set successfully.", "payout-limit 25"},
	{"GET", modelTwin, "GetPayoutCount", "", "<id>: { PayoutCount = 0 }", "payout-count"},
	{"POST", modelTwin, "SetTwinMode", "1", "<id>: Twin mode set successfully.", "twin 1"},
	{"POST", modelTwin, "SetTwInMode", "3", "<id>: Twin mode set successfully.", "twin 3"},
	{"POST", modelTwin, "SetTWNMode", "0", "<id>: Twin mode set successfully.", "twin 0"},
	{"GET", modelTwin, "GetLifterStatus", "", "<id>: { LifterConnected = True, LifterOptoClear = True, LifterJammed = False }", "lifter"},
	{"GET", modelPayout, "comPortReadError", "", "<id>: { ComPortReadError = False }", ""},
	{"GET", modelPayout, "GetSmartCurrencyData", "", `[{"enabled":false,"country":"GBP","datasetCode":"GBP07057","denomCount":4,"index":0},{"enabled":false,"country":"USD","datasetCode":"USD01010","denomCount":6,"index":1},{"enabled":true,"country":"EUR","datasetCode":"EUR01045","denomCount":7,"index":2}]`, "datasets"},
	{"POST", modelPayout, "UpdateSmartCurrencyDataset", `"EUR01045"`, "Successfully updated smart currency dataset to EUR01045.", "dataset EUR01045"},
}

func TestCapabilities(t *testing.T) {
	for _, tt := range capabilityCases {
		t.Run(tt.path+tt.body, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				d, id := b.withAll(tt.model)
				b.strict = !strings.HasPrefix(tt.body, `{"v`) && !strings.HasPrefix(tt.body, `{"n`) // camelCase is taken, not documented
				name, more, _ := strings.Cut(tt.path, "&")
				a := b.do(tt.method, "/api/CashDevice/"+name+"?deviceID="+id+"&"+more, tt.body)
				want := strings.ReplaceAll(tt.want, "<id>", id)
				if strings.ContainsAny(want[:1], "[{") {
					a.is(t, 200, jsonText, want)
				} else {
					a.text(t, 200, want)
				}
				if got := d.took(); got != tt.did {
					t.Errorf("the machine was told %q, want %q", got, tt.did)
				}
			})
		})
	}
}

// What a machine of the wrong kind, or one that lacks the part, is answered.
func TestCapabilitiesLacking(t *testing.T) {
	const unsupported = "<id>: Command not supported by this device."
	special := map[string]struct {
		status int
		text   string
	}{ // by a note machine without the part
		"GetBarcodeReaderConfiguration": {500, "Unable to get barcode reader configuration."},
		"SetBarcodeReaderConfiguration": {500, "Unable to update barcode reader configuration."},
		"GetBarcodeData":                {500, "Failed to get Barcode Data"},
		"EnablePayoutDeviceWithByte":    {500, "Failed to enable payout device. Error: "},
		"GetNoteCashboxLevels":          {200, ""},
		"GetSorterRouteAssignment":      {404, plainID + ": No sorter route assignments found."},
		"comPortReadError":              {200, ""},
	}
	for _, tt := range capabilityCases {
		if tt.path == "SendCustomCommand" {
			continue
		}
		t.Run(tt.path+tt.body, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				b.openAll()
				name, more, _ := strings.Cut(tt.path, "&")
				body := tt.body
				if name == "SetCashboxPayoutLimit" {
					body = "[1,2]"
				}
				a := b.do(tt.method, "/api/CashDevice/"+name+"?deviceID="+plainID+"&"+more, body)
				want, ok := special[name]
				if !ok {
					want.status, want.text = 400, strings.ReplaceAll(unsupported, "<id>", plainID)
				}
				if a.status != want.status || !strings.HasPrefix(a.body, want.text) {
					t.Errorf("answer %d %q, want %d %q", a.status, a.body, want.status, want.text)
				}
			})
		})
	}
}

// The refusals that the manual has words for, and what a lease or a busy machine makes of them.
func TestCapabilitiesRefused(t *testing.T) {
	tests := []struct {
		model, method, path, body, call string
		err                             error
		status                          int
		want                            string
	}{
		{modelPayout, "POST", "SetMultiEscrowSize", "0", "", nil, 400, "Failed to set new multi-escrow size."},
		{modelPayout, "POST", "SetMultiEscrowSize", "21", "", nil, 400, "Failed to set new multi-escrow size."},
		{modelPayout, "POST", "SetMultiEscrowSize", "20", "set-escrow-size", cash.ErrBusy, 400, "Failed to set new multi-escrow size: DEVICE_BUSY"},
		{modelPayout, "POST", "CommitMultiEscrow", "", "commit", cash.ErrNothing, 400, "Failed to commit multi-escrow."},
		{modelPayout, "POST", "CancelMultiEscrow", "true", "cancel", cash.ErrNothing, 400, "Failed to cancel multi-escrow."},
		{modelPayout, "GET", "GetBarcodeReaderConfiguration", "", "barcode", errors.New("smoke"), 500, "Error during barcode reader configuration: smoke"},
		{modelPayout, "GET", "GetBarcodeReaderConfiguration", "", "barcode", cash.ErrUnsupported, 500, "Unable to get barcode reader configuration."},
		{modelPayout, "POST", "EnablePayoutDeviceWithByte", `{"EnablePayoutDeviceByte":0}`, "payout-with", cash.ErrJam, 500, "Failed to enable payout device. Error: "},
		{modelCoins, "GET", "GetCoinAcceptance", "2", "acceptance", cash.ErrInvalid, 400, "Failed to retrieve coin acceptance data."},
		{modelNV4000, "GET", "GetRCMode", "", "cassette", cash.ErrUnsupported, 500, "Failed to get RC Mode."},
		{modelPayout, "GET", "GetRCMode", "", "", nil, 400, "<id>: Command not supported by this device."},
		{modelNV4000, "POST", "Replenish", "5", "replenish", cash.ErrNothing, 400, "<id>: Failed to replenish: NOTHING_TO_DO."},
		{modelCoins, "POST", "SetHopperOptions", `{"Reg0":8}`, "options", cash.ErrInvalid, 400, "<id>: Failed to set hopper options: INVALID_INPUT."},
		{modelTwin, "POST", "SetTwinMode", "4", "", nil, 400, "<id>: Failed to set twin mode: INVALID_INPUT."},
		{modelNV4000, "GET", "GetServiceInformationForModule", `{"Module":0,"SubCommand":6}`, "", nil, 400, "<id>: Failed to get service information: INVALID_INPUT."},
		{modelPayout, "POST", "SendCustomCommand", `{"CustomCommandDataString":"33"}`, "raw", cash.ErrInvalid, 400, "<id>: Failed to send custom command: INVALID_INPUT."},
	}
	for _, tt := range tests {
		t.Run(tt.path+tt.body, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				d, id := b.withAll(tt.model)
				d.errs[tt.call] = tt.err
				a := b.do(tt.method, "/api/CashDevice/"+tt.path+"?deviceID="+id, tt.body)
				want := strings.ReplaceAll(tt.want, "<id>", id)
				if a.status != tt.status || a.body != want && !(strings.HasSuffix(want, " ") && strings.HasPrefix(a.body, want)) {
					t.Errorf("answer %d %q, want %d %q", a.status, a.body, tt.status, want)
				}
			})
		})
	}
}

func TestCapabilitiesNotUnderstood(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		_, id := b.withAll(modelCoins)
		for path, bodies := range map[string][]string{
			"SetDenominationLevel":          {"{}", `{"Value":100,"CountryCode":"GBP"}`, `{"Value":100,"CountryCode":"GBP","NumCoinsToAdd":-1}`, "nonsense"},
			"SetHopperOptions":              {"{}", `{"Reg0":256,"Reg1":0}`, `{"Reg0":"x","Reg1":0}`},
			"SetNoPayinCount":               {"", "256", "-1", `"x"`, "{}"},
			"SetPayoutLimit":                {"", "65536", "[]"},
			"SetTwinMode":                   {"", "true", "1.5"},
			"SetCashboxLevels":              {"{}", `{"NumCoinsToAdd":70000,"Denomination":10,"CountryCode":"GBP"}`},
			"SetCashboxPayoutLimit":         {"", "[1,2]", `["a",1,2,3]`, "5"},
			"SetSorterRoute":                {"{}", `{"Value":100,"CountryCode":"GBP","SorterRoute":2}`},
			"SetMultiEscrowSize":            {"", `"many"`, "[20]"},
			"SetBarcodeReaderConfiguration": {"{}", `{"EnableReaders":4,"BarCodeFormat":1,"NumberOfCharacters":18}`, `{"EnableReaders":3,"BarCodeFormat":1,"NumberOfCharacters":5}`, `{"EnableReaders":3,"BarCodeFormat":2,"NumberOfCharacters":18}`},
			"SetServiceInformationMaintenanceReset": {"{}", `{"WeekNumber1AsciiByte":10,"WeekNumber2AsciiByte":0,"YearNumber1AsciiByte":0,"YearNumber2AsciiByte":0}`,
				`{"WeekNumber1AsciiByte":47,"WeekNumber2AsciiByte":55,"YearNumber1AsciiByte":50,"YearNumber2AsciiByte":58}`},
			"EnablePayoutDeviceWithByte": {`{"EnablePayoutDeviceByte":256}`, "[1]"},
			"SendCustomCommand":          {"{}", `{"CustomCommandDataString":"0G"}`, `{"CustomCommandDataString":"123"}`},
			"RefillMode":                 {"", "7"},
			"Replenish":                  {"", "0", "-1", "{}"},
			"EnableCoinMechOrFeeder":     {"[1]", "{}"},
			"LogRawPackets":              {"[1]", `"perhaps"`},
			"UpdateSmartCurrencyDataset": {"", "7", `""`},
		} {
			for _, body := range bodies {
				a := b.post(path+"?deviceID="+id, body)
				if a.status != 400 || a.media != problemText {
					t.Errorf("%s %s: %d %s %s, want problem details", path, body, a.status, a.media, a.body)
				}
			}
		}
		for _, path := range []string{"GetServiceInformation", "GetServiceInformationForModule", "GetCoinAcceptance"} {
			if a := b.get(path + "?deviceID=" + id); a.status != 400 {
				t.Errorf("%s without a number: %d %s", path, a.status, a.body)
			}
		}
		if a := b.get("GetServiceInformation?subCommand=5&deviceID=" + id); a.status != 400 {
			t.Errorf("sub-command 5: %d %s", a.status, a.body)
		}
	})
}

// A till that another owner holds: every call that changes something is refused with the word BUSY, and reaches no machine.
func TestLeaseBindsEveryCall(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		for _, tt := range capabilityCases {
			if tt.method == "GET" {
				continue
			}
			d, id := b.withAll(tt.model)
			b.till.claimed, b.till.err = true, cash.ErrClaimed
			a := b.post(tt.path+"?deviceID="+id, tt.body)
			if a.status < 400 || !strings.Contains(a.body, "BUSY") {
				t.Errorf("%s %s: %d %s", tt.path, tt.body, a.status, a.body)
			}
			if did := d.took(); did != "" {
				t.Errorf("%s %s reached the machine: %s", tt.path, tt.body, did)
			}
			b.till.claimed, b.till.err = false, nil
		}
	})
}

func TestUpdateSmartCurrencyWithoutDevice(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		const path = "/api/Download/UpdateSmartCurrencyDataset"
		b.openAll()
		if a := b.do("POST", path, `"EUR01045"`); a.status != 400 {
			t.Errorf("no such device is open: %d %s", a.status, a.body)
		}
		d, id := b.withAll(modelPayout)
		b.do("POST", path, `"EUR01045"`).text(t, 200, "Successfully updated smart currency dataset to EUR01045.")
		b.do("POST", path+"?deviceID="+id, `"EUR01045"`).text(t, 200, "Successfully updated smart currency dataset to EUR01045.")
		if got := d.took(); got != "datasets; dataset EUR01045; dataset EUR01045" {
			t.Errorf("the machine was told %q", got)
		}
		b.do("POST", path+"?deviceID=nobody", `"EUR01045"`).text(t, 404, "Cash device not found")
	})
}

// What endpoints have read stands in GetCompleteCashDevice.
func TestDumpRemembers(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		_, id := b.withAll(modelTwin)
		for _, path := range []string{"GetHopperOptions", "GetLifterStatus", "GetCashboxLevels", "GetBarcodeReaderConfiguration", "GetBarcodeData"} {
			b.get(path + "?deviceID=" + id)
		}
		b.get("GetCoinAcceptance?device=0&deviceID=" + id)
		b.post("SetNoPayinCount?deviceID="+id, "3")
		a := b.get("GetCompleteCashDevice?deviceID=" + id)
		for _, want := range []string{
			`"reg_0":4,"reg_1":0,"reg_0_hex_string":"04","reg_1_hex_string":"00"`, `"lifterConnected":true,"lifterOptoClear":true,"lifterJammed":false`,
			`"noPayinCount":3,"coinAcceptance_string":"64"`, `"real_time_clock_string":"Successfully set real time clock to `,
			`"cashbox_levels_string":"Number of denominations in device: 4\n`, `"ticketStatus":"Ticket stacked","barcode_ascii_data":"123456789012345678"`,
			`"barCodeHardwareStatus":"Both fitted","readersEnabled":"Both","barCodeFormat":"Interleaved 2 of 5","numberOfCharacters":"18","barCodeInhibit":"False"`,
			`"sorterRouteAssignment":[{"CurrentSorterRoute":0},{"CurrentSorterRoute":1},{"CurrentSorterRoute":0},{"CurrentSorterRoute":1}]`,
		} {
			if !strings.Contains(a.body, want) {
				t.Errorf("%s is not in %s", want, a.body)
			}
		}
	})
}

var _ devices.Device = fakeAll{}
