package cashdevice

import (
	"net/http"
	"strings"

	"coffer/devices"
)

// endpoint is one row of the table: how it is called, what it needs, what it does, and what it answers when the machine
// refuses. A handler returns a string (sent as plain text), an object or a list (sent as JSON), or an error, which
// errors.go turns into an answer.
type endpoint struct {
	methods string // "GET", "POST" or both
	path    string // as documented; matched in any letter case
	also    string // other paths met in the field, separated by blanks
	needs   need
	handle  func(*call) (any, error)

	verb    string                       // for refusals without a documented text: "<id>: Failed to <verb>."
	refused int                          // status of a refusal by the machine as documented; 0 is 400
	fits    func(*devices.Snapshot) bool // whose machines the documented refusal is for if they lack it; nil for none
	text    string                       // documented text of a refusal, "<id>" standing for the device; "" makes one from verb
	lost    int                          // status for an unknown device; 0 is 404

	broken string // begins the documented text of an error that nobody foresaw, which follows; "" for none

	once bool // tells everything once: not called by HEAD, whose answer has no body and would lose it

	lostText string // text for an unknown device, "<id>" standing for what was asked for; "" is the usual
}

// need is what a request must bring.
type need int

const (
	needDevice  need = iota // a token and the deviceID of an open device
	needToken               // a token
	needNothing             // nothing: Authenticate
)

// users are the endpoints below /api/Users.
var users = []endpoint{
	{methods: "POST", path: "/api/Users/Authenticate", needs: needNothing, handle: (*call).authenticate},
	{methods: "POST", path: "/api/Users/UpdateCredentials", also: "/api/CashDevice/UpdateCredentials", needs: needToken,
		handle: (*call).updateCredentials, verb: "update credentials"},
}

// device are the endpoints below /api/CashDevice and /api/Download.
var device = []endpoint{
	// connection.go
	{methods: "GET POST", path: base + "GetConnectedUSBDevices", needs: needToken, handle: (*call).connectedUSBDevices},
	{methods: "GET", path: base + "GetAllCashDevices", needs: needToken, handle: (*call).allCashDevices},
	{methods: "POST", path: base + "OpenConnection", needs: needToken, handle: (*call).openConnection, verb: "open connection"},
	{methods: "POST", path: base + "DisconnectDevice", also: base + "CloseDevice", handle: (*call).disconnectDevice, verb: "disconnect device"},
	{methods: "POST", path: base + "StartDevice", handle: (*call).startDevice, verb: "start device", refused: 500},
	{methods: "POST", path: base + "StopDevice", handle: (*call).stopDevice, verb: "stop device", refused: 500},
	{methods: "POST", path: base + "ResetDevice", handle: (*call).resetDevice, verb: "reset device"},
	{methods: "GET", path: base + "comPortReadError", handle: (*call).comPortReadError, verb: "read com port state"},

	// legacy.go
	{methods: "POST", path: base + "InitialiseDevice", needs: needToken, handle: (*call).initialiseDevice, verb: "initialise device"},
	{methods: "POST", path: base + "OpenDevice", needs: needToken, handle: (*call).openDevice, verb: "open device"},
	{methods: "POST", path: base + "ConnectDevice", needs: needToken, handle: (*call).connectDevice, verb: "connect device"},

	// devicelog.go, custom.go
	{methods: "POST", path: base + "LogRawPackets", handle: (*call).logRawPackets, verb: "set raw packet logging",
		lostText: "<id>: Cash device not found."},
	{methods: "POST", path: base + "SendCustomCommand", handle: (*call).sendCustomCommand, verb: "send custom command"},

	// status.go, dump.go
	{methods: "GET", path: base + "GetDeviceStatus", handle: (*call).deviceStatus, verb: "get device status", refused: 500, once: true},
	{methods: "GET", path: base + "GetDeviceStatus/v2", handle: (*call).deviceStatusV2, verb: "get device status", refused: 500, once: true},
	{methods: "GET", path: base + "GetLastRejectCode", handle: (*call).lastRejectCode, verb: "get last reject code"},
	{methods: "GET", path: base + "GetCompleteCashDevice", handle: (*call).completeCashDevice, verb: "get complete cash device", refused: 500},

	// levels.go
	{methods: "GET", path: base + "GetAllLevels", handle: (*call).allLevels, verb: "get all levels"},
	{methods: "GET", path: base + "GetCurrencyAssignment", handle: (*call).currencyAssignment, verb: "get currency assignment"},
	{methods: "GET", path: base + "GetCounters", handle: (*call).counters, verb: "get counters"},

	// acceptor.go
	{methods: "POST", path: base + "EnableAcceptor", handle: (*call).enableAcceptor, verb: "enable acceptor", refused: 500},
	{methods: "POST", path: base + "DisableAcceptor", handle: (*call).disableAcceptor, verb: "disable acceptor", refused: 500},
	{methods: "POST", path: base + "SetDenominationInhibits", handle: (*call).setDenominationInhibits,
		verb: "set denomination inhibits", text: "Failed to set denomination inhibits."},
	{methods: "POST", path: base + "SetDenominationRoute", handle: (*call).setDenominationRoute, verb: "set denomination route"},

	// escrow.go
	{methods: "POST", path: base + "SetAutoAccept", handle: (*call).setAutoAccept, verb: "set auto-accept", refused: 500},
	{methods: "POST", path: base + "AcceptFromEscrow", handle: (*call).acceptFromEscrow,
		verb: "accept note from escrow", text: "<id>: Error accepting note from escrow"},
	{methods: "POST", path: base + "ReturnFromEscrow", handle: (*call).returnFromEscrow,
		verb: "return note from escrow", text: "<id>: Error returning note from escrow"},

	// multiescrow.go
	{methods: "POST", path: base + "SetMultiEscrowSize", handle: (*call).setMultiEscrowSize, verb: "set multi-escrow size",
		text: "Failed to set new multi-escrow size."},
	{methods: "GET", path: base + "GetMultiEscrowSize", handle: (*call).multiEscrowSize, verb: "get multi-escrow size", refused: 500},
	{methods: "GET", path: base + "GetMultiEscrowValue", handle: (*call).multiEscrowValue, verb: "get multi-escrow value", refused: 500},
	{methods: "POST", path: base + "CommitMultiEscrow", handle: (*call).commitMultiEscrow, verb: "commit multi-escrow",
		text: "Failed to commit multi-escrow."},
	{methods: "POST", path: base + "CancelMultiEscrow", handle: (*call).cancelMultiEscrow, verb: "cancel multi-escrow",
		text: "Failed to cancel multi-escrow."},

	// barcode.go
	{methods: "GET", path: base + "GetBarcodeReaderConfiguration", handle: (*call).barcodeReaderConfiguration,
		verb: "get barcode reader configuration", refused: 500, fits: notes, text: "Unable to get barcode reader configuration.",
		broken: "Error during barcode reader configuration: "},
	{methods: "POST", path: base + "SetBarcodeReaderConfiguration", handle: (*call).setBarcodeReaderConfiguration,
		verb: "update barcode reader configuration", refused: 500, fits: notes, text: "Unable to update barcode reader configuration.",
		broken: "Error during barcode reader configuration: "},
	{methods: "GET", path: base + "GetBarcodeData", handle: (*call).barcodeData, verb: "get barcode data", refused: 500, fits: notes,
		text: "Failed to get Barcode Data"},

	// recyclers.go
	{methods: "GET", path: base + "GetRCMode", handle: (*call).rcMode, verb: "get RC mode", refused: 500, fits: recycles, text: "Failed to get RC Mode."},
	{methods: "POST", path: base + "Replenish", handle: (*call).replenish, verb: "replenish"},
	{methods: "POST", path: base + "RefillMode", handle: (*call).refillMode, verb: "set refill mode"},

	// coins.go
	{methods: "POST", path: base + "SetDenominationLevel", handle: (*call).setDenominationLevel, verb: "set denomination level"},
	{methods: "POST", path: base + "EnableCoinMechOrFeeder", handle: (*call).enableCoinMechOrFeeder, verb: "enable coin mechanism or feeder"},
	{methods: "GET", path: base + "GetHopperOptions", handle: (*call).hopperOptions, verb: "get hopper options"},
	{methods: "POST", path: base + "SetHopperOptions", handle: (*call).setHopperOptions, verb: "set hopper options"},
	{methods: "GET", path: base + "GetGlobalErrorCode", handle: (*call).globalErrorCode, verb: "get global error code"},
	{methods: "POST", path: base + "SetNoPayinCount", handle: (*call).setNoPayinCount, verb: "set no-payin count"},
	{methods: "GET", path: base + "GetCoinAcceptance", handle: (*call).coinAcceptance, verb: "get coin acceptance",
		text: "Failed to retrieve coin acceptance data."},
	{methods: "POST", path: base + "SetPayoutLimit", handle: (*call).setPayoutLimit, verb: "set payout limit"},
	{methods: "GET", path: base + "GetPayoutCount", handle: (*call).payoutCount, verb: "get payout count"},

	// twin.go
	{methods: "POST", path: base + "SetSorterRoute", handle: (*call).setSorterRoute, verb: "set sorter route"},
	{methods: "GET", path: base + "GetSorterRouteAssignment", handle: (*call).sorterRouteAssignment, verb: "get sorter routes"},
	{methods: "POST", path: base + "SetTwinMode", also: base + "SetTWNMode", handle: (*call).setTwinMode, verb: "set twin mode"},
	{methods: "GET", path: base + "GetLifterStatus", handle: (*call).lifterStatus, verb: "get lifter status"},

	// cashbox.go
	{methods: "POST", path: base + "SetCashboxLevels", handle: (*call).setCashboxLevels, verb: "set cashbox levels"},
	{methods: "POST", path: base + "ClearCashboxLevels", handle: (*call).clearCashboxLevels, verb: "clear cashbox levels"},
	{methods: "GET", path: base + "GetCashboxLevels", handle: (*call).cashboxLevels, verb: "get cashbox levels"},
	{methods: "GET", path: base + "GetNoteCashboxLevels", handle: (*call).noteCashboxLevels, verb: "get cashbox levels"},
	{methods: "POST", path: base + "ClearNoteCashboxLevels", handle: (*call).clearNoteCashboxLevels, verb: "clear cashbox levels"},
	{methods: "POST", path: base + "SetCashboxPayoutLimit", handle: (*call).setCashboxPayoutLimit, verb: "set cashbox payout limit"},

	// servicing.go
	{methods: "GET", path: base + "GetServiceInformation", handle: (*call).serviceInformation, verb: "get service information"},
	{methods: "GET", path: base + "GetServiceInformationForModule", handle: (*call).moduleServiceInformation, verb: "get service information"},
	{methods: "POST", path: base + "SetServiceInformationMaintenanceReset", handle: (*call).setMaintenanceReset,
		verb: "set maintenance reset information"},

	// smartcurrency.go
	{methods: "GET", path: base + "GetSmartCurrencyData", handle: (*call).smartCurrencyData, verb: "get smart currency data"},
	{methods: "POST", path: "/api/Download/UpdateSmartCurrencyDataset", also: base + "UpdateSmartCurrencyDataset", needs: needToken,
		handle: (*call).updateSmartCurrencyDataset, verb: "update smart currency dataset"},

	// download.go
	{methods: "POST", path: "/api/Download/StartDownload", also: base + "StartDownload", needs: needToken,
		handle: (*call).startDownload, verb: "initiate download", refused: 500},
	{methods: "GET", path: "/api/Download/GetDownloadStatus", also: base + "GetDownloadStatus", needs: needToken,
		handle: (*call).downloadStatus, verb: "get download status", refused: 500},

	// payout.go
	{methods: "POST", path: base + "EnablePayout", handle: (*call).enablePayout, verb: "enable payout"},
	{methods: "POST", path: base + "EnablePayoutDevice", handle: (*call).enablePayoutDevice, verb: "enable payout device", lost: 400},
	{methods: "POST", path: base + "EnablePayoutDeviceWithByte", handle: (*call).enablePayoutDeviceWithByte, verb: "enable payout device"},
	{methods: "POST", path: base + "DisablePayout", handle: (*call).disablePayout, verb: "disable payout"},
	{methods: "POST", path: base + "DispenseValue", handle: (*call).dispenseValue, verb: "initiate dispense operation"},
	{methods: "POST", path: base + "PayoutMultipleDenominations", handle: (*call).payoutMultipleDenominations, verb: "initiate dispense operation"},
	{methods: "POST", path: base + "PayoutByDenomination", handle: (*call).payoutByDenomination, verb: "initiate dispense operation"},
	{methods: "POST", path: base + "Float", handle: (*call).float, verb: "perform float"},
	{methods: "POST", path: base + "SmartEmpty", handle: (*call).smartEmpty, verb: "perform smart empty"},
	{methods: "POST", path: base + "HaltPayout", handle: (*call).haltPayout, verb: "halt payout"},
}

func notes(s *devices.Snapshot) bool    { return !s.Coins }
func recycles(s *devices.Snapshot) bool { return s.Model == modelNV4000 }

const base = "/api/CashDevice/"

// prefixes are the paths that belong to this API.
var (
	usersPrefix = []string{"/api/users/"}
	allPrefixes = []string{"/api/users/", "/api/cashdevice/", "/api/download/"}
)

// table finds endpoints by normal path.
type table map[string]*endpoint

func newTable(lists ...[]endpoint) table {
	t := table{}
	for _, list := range lists {
		for i := range list {
			for _, p := range append(strings.Fields(list[i].also), list[i].path) {
				t[normal(p)] = &list[i]
			}
		}
	}
	return t
}

// normal is a path in lower case, without doubled slashes and without one at the end.
func normal(path string) string {
	p := strings.ToLower(path)
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	return strings.TrimSuffix(p, "/")
}

// takes says whether the endpoint is called by method.
func (e *endpoint) takes(method string) bool {
	if method == http.MethodHead && !e.once {
		method = http.MethodGet
	}
	for _, m := range strings.Fields(e.methods) {
		if m == method {
			return true
		}
	}
	return false
}
