// Package httpapi is what all REST faces of coffer share: the listener with its limits, the middleware around every
// handler, users, tokens and the throttling of logins. A dialect is a package below it with
//
//	func Register(r *mux.Router, d Deps)
//
// that adds its endpoints to a listener's router and nothing else.
package httpapi
