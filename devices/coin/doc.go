// Package coin drives SMART Coin Systems: it takes coins from the feeder and pays them out of the hopper.
//
// Documents: ITL SSP protocol manual GA138 as gathered in docs/specs/ssp.md, sections 8 to 14, and 15.7 (start-up).
package coin
