# Every target works with an older Go too: it fetches the one that go.mod names.
export GOTOOLCHAIN := auto
export CGO_ENABLED ?= 0

BINARY   := bungalow
LDFLAGS  := -s -w
MAX_SIZE := 60000000
FUZZTIME := 20s
PARTS    := ActivityLog Realtime Tokens Count JSON SignIn Scans Responses

.PHONY: help run build test race fuzz browser conformance conformanceparts durability bench bench-import lint size

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## the site at http://localhost:8090
	go run . serve

build: ## the one executable, ./bungalow
	go build -trimpath -ldflags '$(LDFLAGS)' -o $(BINARY) .

test: ## everything that a change must pass
	go test ./...

race: ## the same packages under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -timeout 40m ./hooks/... ./pb_migrations/... ./bench/...

fuzz: ## each fuzz target for FUZZTIME
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' $$file); do \
			echo "== $$target in $$(dirname $$file)"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file) || exit 1; \
		done; \
	done

browser: ## theme pages in headless Chromium; SHOTS=dir keeps screenshots
	BUNGALOW_SHOTS='$(SHOTS)' go test -count=1 -v ./tests/browser

conformance: ## PocketBase's own tests of its API and core, and its official client
	BUNGALOW_CONFORMANCE='./apis ./core' go test -count=1 -v -timeout 30m ./tests/conformance

conformanceparts: ## the same tests of the API with each part of the engine off alone: an hour
	@for part in $(PARTS); do \
		echo "== without $$part"; \
		BUNGALOW_CONFORMANCE_PARTS=$$part BUNGALOW_CONFORMANCE='./apis' go test -count=1 -v -timeout 30m -run Upstream ./tests/conformance || exit 1; \
	done

durability: ## 50 rounds of kill -9 (the database, the desk, comments), simulated power cuts, a full disk
	BUNGALOW_KILL_ROUNDS=50 go test -count=1 -v -timeout 20m -run 'Killed|PowerCut|FullDisk' ./hooks/kit/sqlite
	BUNGALOW_KILL_ROUNDS=50 go test -count=1 -v -timeout 20m -run 'KillWhileTheDesk|CommentsAreConserved' ./tests/faults

bench: ## figures beside bare net/http and plain PocketBase; BENCH=-quick takes a minute
	go run ./bench $(BENCH)

bench-import: ## reads a WordPress export of 200 MB made on the fly; prints the peak heap
	go test -run '^$$' -bench Export200MB -benchtime 1x ./hooks/content/imports

lint: ## gofmt, go vet, and golangci-lint where it is installed
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not gofmt'ed: $$unformatted"; exit 1; fi
	go vet ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run ./...; \
	else echo "golangci-lint is not installed: its checks were left out"; fi

size: build ## the stripped executable stays below 60 MB
	@size=$$(wc -c < $(BINARY)); echo "$(BINARY): $$size bytes, at most $(MAX_SIZE)"; test $$size -lt $(MAX_SIZE)
