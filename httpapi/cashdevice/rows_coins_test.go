package cashdevice

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/cash"
)

// till1 is the machine as till and ledger know it.
func (r *resident) till1() cash.DeviceID { return cash.DeviceID(r.id) }

// noSorterRoutes is the manual's refusal of a machine without a sorter.
const noSorterRoutes = "<id>: No sorter route assignments found."

func TestRowsCoins(t *testing.T) {
	prove(t, "ITL-14 SetDenominationLevel", coinAll, func(r *resident) {
		v := r.cheap()
		before := r.stored()[v]
		level := func(n int) string {
			return fmt.Sprintf(`{"Value":%d,"CountryCode":"%s","NumCoinsToAdd":%d}`, v, r.currency, n)
		}
		r.says(r.post("SetDenominationLevel", level(3)), "<id>: Denomination level set successfully.")
		if now := r.stored()[v]; now != before+3 {
			r.t.Errorf("%d stored after 3 were added to %d", now, before)
		}
		r.says(r.post("SetDenominationLevel", level(0)), "<id>: Denomination level set successfully.")
		if now := r.stored()[v]; now != 0 {
			r.t.Errorf("%d stored after the level was cleared", now)
		}
		if a := r.post("SetDenominationLevel", `{"Value":7,"CountryCode":"XXX","NumCoinsToAdd":1}`); a.status != 400 {
			r.t.Errorf("no such coin: %d %s", a.status, a.body)
		}
	})
	decline(t, "ITL-14 SetDenominationLevel", noteAll, func(r *resident) {
		r.refuses(r.post("SetDenominationLevel", `{"Value":500,"CountryCode":"EUR","NumCoinsToAdd":1}`), 400, notSupported)
	})
	prove(t, "ITL-45 GetHopperOptions, ITL-46 SetHopperOptions", coinAll, func(r *resident) {
		r.says(r.get("GetHopperOptions"), "<id>: { Reg0 = 26, Reg1 = 00 }") // bits 1, 2 and 5, as §11 has them
		r.says(r.post("SetHopperOptions", `{"Reg0":4,"Reg1":0}`), "Hopper options set successfully.")
		r.says(r.get("GetHopperOptions"), "<id>: { Reg0 = 04, Reg1 = 00 }")
		r.strict = false
		r.says(r.post("SetHopperOptions", `{"reg_0":166,"reg_1":"0"}`), "Hopper options set successfully.")
		r.strict = true
		r.says(r.get("GetHopperOptions"), "<id>: { Reg0 = A6, Reg1 = 00 }")
		r.insert(r.dataset[0])
		if got := r.until("IDLE"); !strings.Contains(got, "VALUE_ADDED("+num(r.dataset[0])+")") {
			r.t.Errorf("with bit 7 a coin is told as %s", got)
		}
	})
	decline(t, "ITL-45 GetHopperOptions, ITL-46 SetHopperOptions, ITL-47, ITL-51, ITL-52, ITL-53, ITL-54, ITL-55, ITL-58, ITL-59, ITL-60, ITL-61, ITL-62, ITL-64", noteAll, func(r *resident) {
		for _, name := range []string{"GetHopperOptions", "GetGlobalErrorCode", "GetCashboxLevels", "GetPayoutCount", "GetLifterStatus"} {
			r.refuses(r.get(name), 400, notSupported)
		}
		r.refuses(r.get("GetSorterRouteAssignment"), 404, noSorterRoutes)
		r.refuses(r.town.get(r.to("GetCoinAcceptance")+"&device=0"), 400, notSupported)
		for name, body := range map[string]string{
			"SetHopperOptions": `{"Reg0":4,"Reg1":0}`, "SetNoPayinCount": "0", "SetPayoutLimit": "5", "SetTwinMode": "0", "ClearCashboxLevels": "",
			"SetCashboxLevels": `{"NumCoinsToAdd":1,"Denomination":10,"CountryCode":"EUR"}`, "SetSorterRoute": `{"Value":10,"CountryCode":"EUR","SorterRoute":0}`,
		} {
			r.refuses(r.post(name, body), 400, notSupported)
		}
	})
	prove(t, "ITL-47 GetGlobalErrorCode", coinAll, func(r *resident) {
		r.says(r.get("GetGlobalErrorCode"), "<id>: { ErrorCode0 = 00, ErrorCode1 = 00 }")
	})
	prove(t, "ITL-51 SetNoPayinCount", coinAll, func(r *resident) {
		r.says(r.post("SetNoPayinCount", "0"), "<id>: { NoPayinCount = 0 }")
		r.says(r.post("SetNoPayinCount", "1"), "<id>: { NoPayinCount = 1 }")
		if a := r.post("SetNoPayinCount", "256"); a.status != 400 {
			r.t.Errorf("%d %s", a.status, a.body)
		}
	})
	prove(t, "ITL-52 GetCoinAcceptance", "SMART_COIN_SYSTEM TWIN_SMART_COIN_SYSTEM", func(r *resident) {
		r.says(r.call("GET", "/api/CashDevice/"+r.to("GetCoinAcceptance"), "0"), "<id>: { CoinAcceptanceData = 64 }")
		r.says(r.town.get(r.to("GetCoinAcceptance")+"&device=1"), "<id>: { CoinAcceptanceData = 64 }")
		a := r.call("GET", "/api/CashDevice/"+r.to("GetCoinAcceptance"), "2")
		if r.family == "TWIN_SMART_COIN_SYSTEM" {
			r.says(a, "<id>: { CoinAcceptanceData = 64 }")
		} else {
			r.refuses(a, 400, "Failed to retrieve coin acceptance data.")
		}
		r.refuses(r.call("GET", "/api/CashDevice/"+r.to("GetCoinAcceptance"), "9"), 400, "Failed to retrieve coin acceptance data.")
	})
	prove(t, "ITL-53 SetCashboxLevels, ITL-54 ClearCashboxLevels, ITL-55 GetCashboxLevels", coinAll, coinCashbox)
	prove(t, "ITL-58 SetSorterRoute, ITL-59 GetSorterRouteAssignment", "TWIN_SMART_COIN_SYSTEM", func(r *resident) {
		set := func(v int64, hopper string) string {
			return `{"Value":` + num(v) + `,"CountryCode":"` + r.currency + `","SorterRoute":` + hopper + `}`
		}
		for i, v := range r.dataset {
			r.says(r.post("SetSorterRoute", set(v, fmt.Sprint(i%2))), "<id>: Sorter route set successfully.")
		}
		r.get("GetSorterRouteAssignment").is(r.t, 200, jsonText,
			`[{"currentSorterRoute":0},{"currentSorterRoute":1},{"currentSorterRoute":0},{"currentSorterRoute":1},{"currentSorterRoute":0}]`)
		r.says(r.post("SetSorterRoute", `{"ValueCountryCode":{"Value":5,"CountryCode":"USD"},"SorterRoute":0}`), "<id>: Sorter route set successfully.")
		r.get("GetSorterRouteAssignment").is(r.t, 200, jsonText,
			`[{"currentSorterRoute":0},{"currentSorterRoute":0},{"currentSorterRoute":0},{"currentSorterRoute":1},{"currentSorterRoute":0}]`)
		for _, bad := range []string{set(7, "0"), set(1, "2"), "{}"} {
			if a := r.post("SetSorterRoute", bad); a.status != 400 {
				r.t.Errorf("%s: %d %s", bad, a.status, a.body)
			}
		}
	})
	prove(t, "ITL-62 SetTwinMode", "TWIN_SMART_COIN_SYSTEM", func(r *resident) {
		for _, mode := range []string{"0", "1", "2", "3"} {
			r.says(r.post("SetTwinMode", mode), "<id>: Twin mode set successfully.")
			r.says(r.post("SetTwInMode", mode), "<id>: Twin mode set successfully.")
		}
		if a := r.post("SetTwinMode", "4"); a.status != 400 {
			r.t.Errorf("%d %s", a.status, a.body)
		}
	})
	decline(t, "ITL-58 SetSorterRoute, ITL-59 GetSorterRouteAssignment, ITL-62 SetTwinMode", "SMART_COIN_SYSTEM SMART_HOPPER_4", func(r *resident) {
		r.refuses(r.post("SetSorterRoute", `{"Value":10,"CountryCode":"EUR","SorterRoute":0}`), 400, notSupported)
		r.refuses(r.get("GetSorterRouteAssignment"), 404, noSorterRoutes)
		r.refuses(r.post("SetTwinMode", "1"), 400, notSupported)
	})
	prove(t, "ITL-60 SetPayoutLimit, ITL-61 GetPayoutCount", coinAll, func(r *resident) {
		r.says(r.get("GetPayoutCount"), "<id>: { PayoutCount = 0 }")
		r.says(r.post("SetPayoutLimit", "3"), "<id>: Payout limit set successfully.")
		big := r.dataset[len(r.dataset)-1]
		r.says(r.post("DispenseValue", r.sum(2*big)), "Dispense operation initiated successfully.")
		r.until("IDLE")
		r.says(r.get("GetPayoutCount"), "<id>: { PayoutCount = 2 }") // which was tested before it was begun
		a := r.post("DispenseValue", r.sum(4*big))                   // 4 coins
		if a.status != 400 {
			r.t.Errorf("a larger payout: %d %s", a.status, a.body)
		}
		r.says(r.post("SetPayoutLimit", "0"), "<id>: Payout limit set successfully.")
		r.says(r.post("DispenseValue", r.sum(4*big)), "Dispense operation initiated successfully.")
		r.until("IDLE")
		r.agrees()
	})
	lifted := func(r *resident) {
		r.says(r.get("GetLifterStatus"), "<id>: { LifterConnected = True, LifterOptoClear = True, LifterJammed = False }")
	}
	prove(t, "ITL-64 GetLifterStatus", "TWIN_SMART_COIN_SYSTEM", lifted)
	prove(t, "ITL-64 GetLifterStatus, none connected", "SMART_COIN_SYSTEM", func(r *resident) {
		r.says(r.get("GetLifterStatus"), "<id>: { LifterConnected = False, LifterOptoClear = False, LifterJammed = False }")
	})
	withLifter := slices.Clone(houses) // as the manual's sample has it
	for i := range withLifter {
		if withLifter[i].profile == "scs" {
			withLifter[i].profile = "scs-lifter"
		}
	}
	before := houses
	houses = withLifter
	prove(t, "ITL-64 GetLifterStatus, with a lifter", "SMART_COIN_SYSTEM", lifted)
	houses = before
	decline(t, "ITL-64 GetLifterStatus", "SMART_HOPPER_4", func(r *resident) {
		r.refuses(r.get("GetLifterStatus"), 400, notSupported)
	})
}

func coinCashbox(r *resident) {
	text := func(first int) string {
		out := fmt.Sprintf("<id>: { CashboxLevels = Number of denominations in device: %d\n", len(r.dataset))
		for i, v := range r.dataset {
			n := 0
			if i == 0 {
				n = first
			}
			out += fmt.Sprintf("%d x %d %s\n", n, v, r.currency)
		}
		return out + "Quantity of unknown coins: 0\n }"
	}
	v := num(r.dataset[0])
	r.says(r.get("GetCashboxLevels"), text(0))
	r.strict = false // the samples are camelCase
	r.says(r.post("SetCashboxLevels", `{"numCoinsToAdd":10,"denomination":`+v+`,"countryCode":"`+r.currency+`"}`), "<id>: Cashbox levels set successfully.")
	r.strict = true
	r.says(r.get("GetCashboxLevels"), text(10))
	r.says(r.post("SetCashboxLevels", `{"NumCoinsToAdd":5,"Denomination":`+v+`,"CountryCode":"`+r.currency+`"}`), "<id>: Cashbox levels set successfully.")
	r.says(r.get("GetCashboxLevels"), text(15))
	r.says(r.post("SetCashboxLevels", `{"NumCoinsToAdd":0,"Denomination":`+v+`,"CountryCode":"`+r.currency+`"}`), "<id>: Cashbox levels set successfully.")
	r.says(r.get("GetCashboxLevels"), text(0))
	r.says(r.post("SetCashboxLevels", `{"NumCoinsToAdd":2,"Denomination":`+v+`,"CountryCode":"`+r.currency+`"}`), "<id>: Cashbox levels set successfully.")
	r.says(r.post("ClearCashboxLevels", ""), "<id>: Cashbox levels cleared successfully.")
	r.says(r.get("GetCashboxLevels"), text(0))

	r.post("SetDenominationRoute", `{"Value":`+v+`,"CountryCode":"`+r.currency+`","Route":0}`)
	r.insert(r.dataset[0])
	r.until("IDLE")
	time.Sleep(time.Second)
	r.says(r.get("GetCashboxLevels"), text(1))
	r.agrees()
}
