// Package config reads the one file that a till is set up with: strict YAML, in which a misspelt key stops the load and
// is shown with line, column and the line itself (docs/operate.md, "Configuration"; configs/reference.yaml explains
// every key). It composes the configuration types of the packages that own them, and checks what only the whole file
// can show: names used twice, a section that names a device which no line has.
package config
