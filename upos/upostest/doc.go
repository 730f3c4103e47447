// Package upostest helps to test what builds on package upos: a Mechanism and a Drawer that do what a test says, and the
// acceptance scenarios of the standard, to be run on the package itself and over every binding of it.
package upostest
