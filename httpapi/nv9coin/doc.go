// Package nv9coin speaks the DeviceService API of an NV9 note reader and a SMART Coin System that belong together: seven
// operations below /DeviceService/ITL/NV9AndCoin, with Basic credentials, amounts in major units with decimals, notes that
// wait in escrow until the client stacks or returns them, and change in coins. Where the paper of the API is silent, what
// is done stands in docs/api/nv9-and-coin.md.
//
// One command at a time is carried out for both machines; others are told that the device is busy. A command that was
// begun is carried out to its end whether its client waits for it or not. What has come in and gone out "since the last
// check" is read from the ledger, behind a cursor that only an answer which has left this process moves.
package nv9coin
