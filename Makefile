# The targets of coffer. `make` alone prints them.
.DEFAULT_GOAL := help
.PHONY: help run test build lint bench fuzz postman race package

export CGO_ENABLED ?= 0
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X coffer/service.Version=$(VERSION)
EXE      := $(shell go env GOEXE)
FUZZTIME ?= 20s

help: ## Print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Simulated machines and every API on this machine; Ctrl-C stops it
	@exec bin/coffer$(EXE) run --demo

test: ## Everything that must pass: unit, contract and end-to-end tests, and those with goroutines under the race detector
	go test -timeout 30m ./...
	@$(MAKE) --no-print-directory race

build: ## bin/coffer for this machine
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/coffer$(EXE) ./cmd/coffer

lint: ## gofmt, vet for both systems, staticcheck, and the table of who may import whom
	@bad=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); [ -z "$$bad" ] || { echo "not gofmt-clean: $$bad"; exit 1; }
	go vet ./...
	GOOS=windows go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...
	go test -run TestLayers ./internal/e2e

bench: ## Benchmarks as "name value unit"; BENCH_JSON=file writes them as JSON too
	@go test -p 1 -run '^$$' -bench . -benchmem -timeout 30m ./... | go run ./internal/benchlines

fuzz: ## Every fuzz target for FUZZTIME, then a million payout plans, 200,000 mutated requests and a day of 10,000 operations a machine
	@grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed 's/:func / /' | while read -r file target; do \
		go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit 1; done
	PLANS=1000000 go test -count 1 -timeout 30m -run '^TestPlanIsExactAndBest$$' ./internal/cash
	REQUESTS=200000 go test -count 1 -timeout 3h -run '^TestMutatedRequests$$' ./service
	DAY=10000 go test -count 1 -timeout 3h -run '^TestMixedDay$$' ./internal/e2e

postman: ## Postman collections of the two device APIs, made from their OpenAPI documents, into docs/api
	go run ./internal/postman

race: ## The unit tests under the race detector; needs a C compiler, without which it is skipped (with CI=true it fails)
	@if command -v $$(go env CC) >/dev/null; then \
		CGO_ENABLED=1 go test -race -timeout 30m $$(go list ./... | grep -v -e internal/e2e -e devices/devicetest); \
	elif [ "$$CI" = true ]; then echo "race: no C compiler ($$(go env CC))" >&2; exit 1; \
	else echo "race: skipped, no C compiler ($$(go env CC))"; fi

package: ## deb, rpm, MSI and archives in dist/ (comes with the installers)
	@echo "make package: the installers are not there yet; 'make build' makes the program, 'coffer service install' installs it" >&2; exit 1
