package uposapi

import (
	_ "embed"
	"net/http"
)

//go:embed example.html
var examplePage []byte

// example serves a page that works a device from a browser. It holds no secret and asks for a password itself.
func example(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	_, _ = w.Write(examplePage)
}
