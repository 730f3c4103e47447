// Package cash is the vocabulary of the till: amounts, denominations, counts, the events that cash devices
// report, the rows of the ledger, the errors that upper layers test for, and the planning of payouts.
//
// It does no I/O, keeps no clock and logs nothing. Money is an integer in the minor unit of its currency, never a
// float. See docs/architecture.md.
package cash
