// Command postman writes Postman collections (format 2.1) of the two device APIs into docs/api, made from their OpenAPI
// documents. `make postman` runs it from the root of the tree.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"coffer/httpapi/cashdevice"
	"coffer/httpapi/nv9coin"
)

// source is an API, and the collection that is made of it.
type source struct {
	file string
	yaml []byte
	vars []variable // what a person fills in
	// scripts run before ("prerequest") and after ("test") the request of an operation; bodies replace the made-up ones.
	scripts map[string]map[string][]string
	bodies  map[string]string
}

// sources are both APIs. The credentials are those of a fresh installation.
func sources() []source {
	return []source{
		{
			file: "cash-device.postman_collection.json", yaml: cashdevice.OpenAPI,
			vars: []variable{{"username", "admin"}, {"password", "password"}, {"token", ""}, {"deviceID", "SPECTRAL_PAYOUT-COM5"}},
			scripts: map[string]map[string][]string{"authenticate": {"test": {
				"if (pm.response.code === 200) { pm.collectionVariables.set('token', pm.response.json().token); }",
			}}},
			bodies: map[string]string{"authenticate": `{"Username": "{{username}}", "Password": "{{password}}"}`},
		},
		{
			file: "nv9-and-coin.postman_collection.json", yaml: nv9coin.OpenAPI,
			vars: []variable{{"username", httpUser}, {"password", httpPassword}, {"dispensePassword", nv9coin.DefaultPassword}},
			scripts: map[string]map[string][]string{"Dispense": {"prerequest": {
				"const now = new Date().toISOString().replace(/\\.\\d+Z$/, 'Z');",
				"const inner = CryptoJS.MD5(pm.collectionVariables.get('dispensePassword')).toString();",
				"pm.collectionVariables.set('timestamp', now);",
				"pm.collectionVariables.set('signature', CryptoJS.SHA256(now.replace(/\\D/g, '') + inner).toString());",
			}}},
			bodies: map[string]string{"Dispense": `{"amount": 5.8, "currency": "GBP", "timestamp": "{{timestamp}}", "signature": "{{signature}}"}`},
		},
	}
}

// The Basic credentials of a fresh installation.
const (
	httpUser     = "kittens"
	httpPassword = "aresolovely"
)

func main() {
	for _, s := range sources() {
		b, err := s.collection()
		if err == nil {
			err = os.WriteFile(filepath.Join("docs", "api", s.file), b, 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "postman:", err)
			os.Exit(1)
		}
	}
}
