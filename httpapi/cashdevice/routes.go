package cashdevice

import (
	"net/http"
	"strings"
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

	verb    string // for refusals without a documented text: "<id>: Failed to <verb>."
	refused int    // status of a refusal by the machine as documented; 0 is 400
	text    string // documented text of a refusal, "<id>" standing for the device; "" makes one from verb
	lost    int    // status for an unknown device; 0 is 404
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

// device are the endpoints below /api/CashDevice.
var device = []endpoint{
	// connection.go
	{methods: "GET POST", path: base + "GetConnectedUSBDevices", needs: needToken, handle: (*call).connectedUSBDevices},
	{methods: "GET", path: base + "GetAllCashDevices", needs: needToken, handle: (*call).allCashDevices},
	{methods: "POST", path: base + "OpenConnection", needs: needToken, handle: (*call).openConnection, verb: "open connection"},
	{methods: "POST", path: base + "DisconnectDevice", also: base + "CloseDevice", handle: (*call).disconnectDevice, verb: "disconnect device"},
	{methods: "POST", path: base + "StartDevice", handle: (*call).startDevice, verb: "start device", refused: 500},
	{methods: "POST", path: base + "StopDevice", handle: (*call).stopDevice, verb: "stop device", refused: 500},
	{methods: "POST", path: base + "ResetDevice", handle: (*call).resetDevice, verb: "reset device"},

	// status.go, dump.go
	{methods: "GET", path: base + "GetDeviceStatus", handle: (*call).deviceStatus, verb: "get device status", refused: 500},
	{methods: "GET", path: base + "GetDeviceStatus/v2", handle: (*call).deviceStatusV2, verb: "get device status", refused: 500},
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

	// payout.go
	{methods: "POST", path: base + "EnablePayout", handle: (*call).enablePayout, verb: "enable payout"},
	{methods: "POST", path: base + "EnablePayoutDevice", handle: (*call).enablePayoutDevice, verb: "enable payout device", lost: 400},
	{methods: "POST", path: base + "DisablePayout", handle: (*call).disablePayout, verb: "disable payout"},
	{methods: "POST", path: base + "DispenseValue", handle: (*call).dispenseValue, verb: "initiate dispense operation"},
	{methods: "POST", path: base + "Float", handle: (*call).float, verb: "perform float"},
	{methods: "POST", path: base + "SmartEmpty", handle: (*call).smartEmpty, verb: "perform smart empty"},
	{methods: "POST", path: base + "HaltPayout", handle: (*call).haltPayout, verb: "halt payout"},
}

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
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, m := range strings.Fields(e.methods) {
		if m == method {
			return true
		}
	}
	return false
}
