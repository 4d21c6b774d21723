# Every target needs Go; what else one needs stands behind its name. Run `make`
# for the list. Nothing here uses the network, but for the Go module proxy and,
# for the tests of receivers and packages, a Debian mirror and Maven Central.

.DEFAULT_GOAL := help
SHELL         := /bin/sh

# A release is a tag; between two of them the program's own version counts.
VERSION := $(patsubst v%,%,$(shell [ -e .git ] && git describe --tags --dirty 2>/dev/null))
LDFLAGS := -s -w $(if $(VERSION),-X main.version=$(VERSION))

FUZZTIME  ?= 20s
BENCHTIME ?= 200ms
BENCHCOUNT ?= 5
# Where the big trail list and the generator of the benchmark mixes are, if they are there.
SHARED    ?= $(or $(TRAILHOUND_SHARED),../shared)

TRAILHOUND := bin/trailhound
BENCH      := bin/bench

.PHONY: help run demo build binary test race test-receivers lint fuzz bench bench-live bench-delivery chaos clean

include packaging/package.mk

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: binary ## capture on all interfaces with the built-in starter trails and show events, until Ctrl-C (root); without the privilege: the demo
	@dir=$$(mktemp -d) && echo "events go to this terminal and to $$dir/events.csv; in another one: $(TRAILHOUND) status" && \
		code=0; $(TRAILHOUND) run -c config.yaml --user '' --set state=$$dir/state \
		--set "outputs=[{name: console, type: stdout, format: table}, {name: local, type: csv, path: $$dir/events.csv}]" || code=$$?; \
		if [ $$code -ne 77 ]; then exit $$code; fi; \
		rm -rf $$dir; echo; echo 'Capturing needs the privilege named above (try: sudo make run). Here is a replay instead:'; echo; \
		$(MAKE) --no-print-directory demo

demo: binary ## replay the bundled capture with the built-in starter trails, print events and a summary
	@COLUMNS=$${COLUMNS:-120} $(TRAILHOUND) replay -c config.yaml --set state=$(CURDIR)/bin/state --format table tests/corpus/demo.pcap

build: ## build bin/trailhound, one static file
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(TRAILHOUND) ./cmd/trailhound && touch $(TRAILHOUND)

# What the program is built from.
SOURCES := embed.go config.yaml go.mod go.sum cmd agent outputs trails

# bin/trailhound as it is if no source is newer, else built: the path that sudo
# gives to root often has no Go, and root's build would leave its files here.
binary:
	@newer=$$([ -x $(TRAILHOUND) ] && find $(SOURCES) -type f ! -name '*_test.go' ! -path '*/testdata/*' -newer $(TRAILHOUND) -print -quit); \
	if [ -x $(TRAILHOUND) ] && [ -z "$$newer" ]; then exit 0; fi; \
	if command -v go >/dev/null 2>&1; then exec $(MAKE) --no-print-directory build; fi; \
	if [ -x $(TRAILHOUND) ]; then why="$(TRAILHOUND) is older than $$newer"; else why='there is no $(TRAILHOUND) yet'; fi; \
	echo "make: $$why, and go is not in the PATH of $$(id -un) ($$PATH)." >&2; \
	echo 'Run "make build" as the user who has Go, and then this again.' >&2; exit 1

test: ## run all tests
	go test ./...

race: ## run all tests with the race detector (needs gcc)
	@command -v $${CC:-gcc} >/dev/null || { echo 'make race: the race detector needs gcc' >&2; exit 1; }
	CGO_ENABLED=1 go test -race ./...

# Where receivers are kept once they are made.
RECEIVERS = $(abspath $(or $(TRAILHOUND_RECEIVERS),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/trailhound/receivers))

test-receivers: ## test delivery against real receivers on loopback (Debian with rsyslog, rsyslog-openssl, openjdk-17-jdk-headless, maven)
	@tests/receivers/syslog-ng/unpack.sh '$(RECEIVERS)/syslog-ng'
	TRAILHOUND_RECEIVERS='$(RECEIVERS)' go test -count=1 -timeout 25m ./outputs/... ./tests/e2e

chaos: ## kill the delivery 200 times and count what arrives (needs what test-receivers needs)
	TRAILHOUND_CHAOS=1 TRAILHOUND_RECEIVERS='$(RECEIVERS)' go test -count=1 -timeout 20m -v -run DeliveryKilled ./tests/e2e

lint: ## gofmt, go vet and staticcheck
	@files=$$(gofmt -l .) && [ -z "$$files" ] || { printf 'not formatted by gofmt:\n%s\n' "$$files" >&2; exit 1; }
	go vet ./...
	go -C tools vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...

fuzz: ## run every fuzz target for FUZZTIME (default 20s), one after the other
	@set -e; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "== $$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package; \
		done; \
	done

bench: build $(BENCH)/trails.csv $(BENCH)/mixes ## measure the packet path and each package (xz, python3 and SHARED for the real sizes)
	@csv=$(BENCH)/trails.csv; [ -e $$csv ] || csv=trails/starter/trails.csv; \
		$(TRAILHOUND) trails build -c config.yaml --fresh --seed 1 -o $(BENCH)/trails.thd $$csv 2>&1 | grep -E '^(read|trails|written|trailhound: [^w])'
	@TRAILHOUND_BENCH_TABLE=$(CURDIR)/$(BENCH)/trails.thd TRAILHOUND_BENCH_DIR=$(CURDIR)/$(BENCH) \
		go test -run '^$$' -bench . -benchtime $(BENCHTIME) -count $(BENCHCOUNT) ./tests/bench >$(BENCH)/path.txt; code=$$?; \
		awk -f tools/bench.awk $(BENCH)/path.txt; exit $$code
	@go test -run '^$$' -bench . -benchtime $(BENCHTIME) $$(go list ./... | grep -v /tests) >$(BENCH)/packages.txt; code=$$?; \
		grep -E '^(pkg:|Benchmark|panic|--- FAIL|FAIL)' $(BENCH)/packages.txt; exit $$code

# The 1.6 million trails of the reference's static tree. Without them the
# starter set is measured.
$(BENCH)/trails.csv:
	@mkdir -p $(BENCH)
	@if [ -e $(SHARED)/data/trails-static.csv.xz ] && command -v xz >/dev/null; then \
		xz -dc $(SHARED)/data/trails-static.csv.xz >$@.part && mv $@.part $@; \
	else \
		echo 'no $(SHARED)/data/trails-static.csv.xz, or no xz: the starter set is measured'; \
	fi

# Two captures of 32,768 packets each.
$(BENCH)/mixes: $(BENCH)/trails.csv
	@if [ -e $(SHARED)/bench/mkmix.py ] && [ -e $(BENCH)/trails.csv ] && command -v python3 >/dev/null; then \
		echo 'making the mixes' && \
		python3 $(SHARED)/bench/mkmix.py reference 32768 $(BENCH)/reference.pcap && \
		python3 $(SHARED)/bench/mkmix.py office 32768 $(BENCH)/office.pcap $(BENCH)/trails.csv && \
		touch $@; \
	else \
		echo 'no $(SHARED)/bench/mkmix.py, or no python3: the packet path as a whole is not measured'; \
	fi

# Needs what bench needs for the real sizes: without it there is nothing to play.
bench-live: build $(BENCH)/trails.csv $(BENCH)/mixes ## measure the running sensor on a veth pair (root, tcpreplay, xz, python3 and SHARED)
	@csv=$(BENCH)/trails.csv; [ -e $$csv ] || csv=trails/starter/trails.csv; \
		$(TRAILHOUND) trails build -c config.yaml --fresh --seed 1 -o $(BENCH)/trails.thd $$csv 2>&1 | grep -E '^(read|trails|written|trailhound: [^w])'
	@TRAILHOUND_BENCH_LIVE=1 TRAILHOUND_BENCH_TABLE=$(CURDIR)/$(BENCH)/trails.thd TRAILHOUND_BENCH_DIR=$(CURDIR)/$(BENCH) \
		go test -v -count=1 -timeout 30m -run '^TestBench$$' ./tests/live >$(BENCH)/live.txt; code=$$?; \
		grep -v '^=== ' $(BENCH)/live.txt; exit $$code

# The journal of five million events takes 1.3 GB; TMPDIR, because /tmp may be memory.
bench-delivery: build ## measure delivery against a real Elasticsearch, rsyslog and null sinks (Debian with rsyslog, rsyslog-elasticsearch, openjdk-17-jdk-headless, maven)
	@mkdir -p $(BENCH)
	@TRAILHOUND_BENCH_DELIVERY=$(CURDIR)/$(TRAILHOUND) TRAILHOUND_RECEIVERS='$(RECEIVERS)' TMPDIR=$(CURDIR)/$(BENCH) \
		go test -v -count=1 -timeout 60m ./tests/bench/delivery >$(BENCH)/delivery.txt 2>&1; code=$$?; \
		grep -vE '^(=== |--- PASS|PASS|ok )|_test\.go:[0-9]+: .* events/s' $(BENCH)/delivery.txt; [ $$code -eq 0 ] || exit $$code
	@echo; echo 'Encoders, ns of CPU per event'; \
		go test -run '^$$' -bench 'Encode' -benchtime $(BENCHTIME) ./outputs/format >$(BENCH)/encoders.txt; code=$$?; \
		awk '/^Benchmark/ { split($$1, n, "/"); sub(/-[0-9]+$$/, "", n[3]); for (i = 4; i < NF; i++) if ($$(i+1) == "cpu-ns/op") printf "%-8s %-10s %8s\n", n[2], n[3], $$i }' $(BENCH)/encoders.txt; exit $$code
	@echo; echo 'Journal and loop'; \
		{ TMPDIR=$(CURDIR)/$(BENCH) go test -run '^$$' -bench 'Append256|Read256' -benchtime $(BENCHTIME) ./outputs/journal && \
		TRAILHOUND_LONG=1 TMPDIR=$(CURDIR)/$(BENCH) go test -v -count=1 -run 'TestDeliveryMemoryOfABacklog' -bench 'Delivery' -benchtime 500000x -timeout 20m ./outputs; } \
		>$(BENCH)/journal.txt 2>&1; code=$$?; \
		grep -E '^Benchmark.*ns/op|^(panic|--- FAIL|FAIL)|heap at most' $(BENCH)/journal.txt; exit $$code

clean: ## remove what was built and made
	rm -rf bin dist
