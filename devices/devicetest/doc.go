// Package devicetest holds the contract that every driver fulfils, as one test suite. It runs against a simulated
// machine, whose insides it compares with what the driver tells, over whatever link the caller opens.
package devicetest
