// Package configs holds the configuration files that come with the program, for those who have the binary alone.
package configs

import _ "embed"

// Demo is what `coffer run --demo` runs.
//
//go:embed demo.yaml
var Demo []byte

// Default is what `coffer config init` and the packages write.
//
//go:embed coffer.yaml
var Default []byte

// Reference explains every key.
//
//go:embed reference.yaml
var Reference []byte
