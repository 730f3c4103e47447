// Package note drives banknote validators and multi-denomination recyclers (Spectral Payout): it takes notes, holds them
// in escrow where the host wants to decide, and pays them out again.
//
// Documents: ITL SSP protocol manual GA138 as gathered in docs/specs/ssp.md, sections 8 to 14, and 15.2, 15.3 (start-up).
package note
