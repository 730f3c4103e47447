package cashdevice

import (
	"testing"

	"coffer/internal/cash"
)

func TestPayoutOfPieces(t *testing.T) {
	tests := []struct {
		name, path, body string
		err              error
		status           int
		want, asked      string
	}{
		{"counts", "PayoutMultipleDenominations", "[1,2,0,0]", nil, 200,
			`{"dispenseResult":"IN_PROGRESS","payoutOperationData":"PAYOUT 1 x 500 GBP, 2 x 1000 GBP"}`, "pieces 1x500 GBP 2x1000 GBP"},
		{"counts for the other", "PayoutByDenomination", "[0,1,0,0]", nil, 200,
			`{"dispenseResult":"IN_PROGRESS","payoutOperationData":"PAYOUT 1 x 1000 GBP"}`, "pieces 1x1000 GBP"},
		{"an object", "PayoutByDenomination", `{"Value":500,"CountryCode":"GBP","Count":3}`, nil, 200,
			`{"dispenseResult":"IN_PROGRESS","payoutOperationData":"PAYOUT 3 x 500 GBP"}`, "pieces 3x500 GBP"},
		{"objects", "PayoutByDenomination", `[{"Denomination":"500 GBP","Count":"1"},{"Denomination":"1000 GBP","Count":2}]`, nil, 200,
			`{"dispenseResult":"IN_PROGRESS","payoutOperationData":"PAYOUT 1 x 500 GBP, 2 x 1000 GBP"}`, "pieces 1x500 GBP 2x1000 GBP"},
		{"unknown outcome", "PayoutMultipleDenominations", "[1,0,0,0]", cash.ErrOutcomeUnknown, 200,
			`{"dispenseResult":"IN_PROGRESS","payoutOperationData":"PAYOUT 1 x 500 GBP"}`, ""},
		{"busy", "PayoutMultipleDenominations", "[1,0,0,0]", cash.ErrBusy, 400, `{"dispenseResult":"ERROR","reason":"BUSY","errorReason":3}`, ""},
		{"claimed", "PayoutMultipleDenominations", "[1,0,0,0]", cash.ErrClaimed, 400, `{"dispenseResult":"ERROR","reason":"BUSY"}`, ""},
		{"not enough", "PayoutMultipleDenominations", "[1,0,0,0]", cash.ErrNotEnough, 400, `{"dispenseResult":"ERROR","reason":"NOT_ENOUGH_VALUE","errorReason":1}`, ""},
		{"nothing", "PayoutMultipleDenominations", "[0,0,0,0]", nil, 400, `{"dispenseResult":"ERROR","reason":"INVALID_INPUT"}`, ""},
		{"ledger", "PayoutMultipleDenominations", "[1,0,0,0]", cash.ErrJournal, 500, `{"dispenseResult":"ERROR","reason":"LEDGER_UNAVAILABLE"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				b.open()
				b.till.err = tt.err
				b.post(tt.path+q, tt.body).is(t, tt.status, jsonText, tt.want)
				if got := b.till.took(); got != tt.asked {
					t.Errorf("the till was asked for %q, want %q", got, tt.asked)
				}
			})
		})
	}
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.openAll()
		for _, body := range []string{"", "[1]", "7", `{"Count":1}`, `[{"Denomination":"500 GBP"}]`, `[{"Denomination":"500 GBP","Count":1},7]`} {
			if a := b.post("PayoutByDenomination"+q, body); a.status != 400 || a.media != problemText {
				t.Errorf("%s: %d %s %s", body, a.status, a.media, a.body)
			}
		}
		b.post("PayoutMultipleDenominations?deviceID="+plainID, "[1,0]").is(t, 400, jsonText, `{"dispenseResult":"ERROR","reason":"INVALID_INPUT"}`)
	})
}
