// Package coin drives machines that hold coins: SMART Hopper 3 and 4 with a coin mech attached, SMART Coin Systems, which
// have a feeder, and Twin SMART Coin Systems, which have two hoppers behind a sorter. What comes in goes into the hopper
// or the cashbox, and is paid out of the hopper.
//
// The machines speak alike. Which it is, setup reply and firmware text say; the counters differ (ssp.md section 10.12),
// and what only some machines know is asked of all and may be refused. Bytes that no public document has go to machines
// for which the configuration allows them (devices.DeviceConfig.Extensions), and to no other.
//
// Documents: ITL SSP protocol manual GA138 as gathered in the fact sheet ssp.md, sections 8 to 14, 15.6 to 15.8 (start-up),
// 16.5 (sorter, twin modes, lifter, health and cashbox counts), 16.6 (service book) and 17.
package coin
