// Package cashdevice speaks the ITL Cash Device REST API (manual revision 9, server 1.5.2) on port 5000, so that
// programs written for the maker's own server work unchanged.
//
// routes.go is the table of endpoints; an endpoint decodes, makes one call and returns a value and an error, and
// reply.go writes both in the form of the dialect. What a client sees of a machine is a view: it begins with
// OpenConnection, holds the queue that GetDeviceStatus drains, and ends with DisconnectDevice, while the machine itself
// is driven on.
package cashdevice
