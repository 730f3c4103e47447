// Package machines puts real machines behind UnifiedPOS devices: upos.Mechanism over the till, the lines and the bus. It
// moves no money itself; every payout, count and acceptance goes through the till, under the lease that Claim takes.
package machines
