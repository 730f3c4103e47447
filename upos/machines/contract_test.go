package machines_test

import (
	"testing"

	"coffer/upos/upostest"
)

func TestContract(t *testing.T) {
	upostest.Contract(t, func(t *testing.T, f func(*testing.T, upostest.Bench)) {
		onBench(t, 4096, func(b *realBench) { f(b.T, b) }, notes, coins)
	})
}
