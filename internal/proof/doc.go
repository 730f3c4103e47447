// Package proof keeps the checklist of the two device APIs honest. A test that proves a row of testdata/rows.md has the
// row's name in its own, as in
//
//	t.Run("ITL-34 DispenseValue/SPECTRAL_PAYOUT", func(t *testing.T) { proof.Of(t); … })
//
// and says so by Of: the row counts once the test has passed, for the family that ends the name. The package's TestMain
// runs Tests, which compares what a whole run has proved with the list in testdata/proved, and fails where they
// differ: a list can therefore name no test that is gone, fails or was skipped. docs/coverage.md is made from these lists.
//
// After a change:
//
//	go test ./httpapi/nv9coin -prove        # of each package whose tests changed
//	go test ./internal/proof -update        # the page
package proof
