// Package e2e tests the built coffer from outside, as an operator's machine would run it: the binary against machines in
// a process of their own, with a wire between them that can be cut, killed at and counted on. It holds the rules of the
// source tree too (layers_test.go).
//
// Documents: the contract of the outside, contract.md (everything here speaks only what stands there), issue 2, "It must show".
//
// Environment: KILLS=all takes every kill point instead of a seeded sample; SEED picks another sample; DAY=N makes
// the mixed days of every family N operations long.
package e2e
