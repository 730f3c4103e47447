// Package note drives banknote validators, multi-denomination recyclers (Spectral Payout, NV22 Spectral) and validators
// with a note float (NV11): it takes notes, holds them in escrow where the host wants to decide, and pays them out again.
//
// Documents: ITL SSP protocol manual GA138 as gathered in the fact sheet ssp.md, sections 8 to 14, and 15.2 to 15.4 (start-up).
package note
