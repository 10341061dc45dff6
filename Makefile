# Everything that a fresh Debian machine with a Swift toolchain needs: `make demo` and `make test` install the rest.

BUILD_PACKAGES = g++ pkg-config librdkafka-dev libxxhash-dev libsimdjson-dev libcurl4-openssl-dev libsqlite3-dev zlib1g-dev libjemalloc-dev
DEMO_PACKAGES = git jq kcat
TEST_PACKAGES = git kcat openssl prometheus python3 python3-aiosmtpd valgrind
CRASH_PACKAGES = python3 python3-confluent-kafka
COUNT_PACKAGES = binutils python3 valgrind
PROFILE_PACKAGES = linux-perf python3

# Tests see internal declarations, which costs the release build some optimisation: it has a folder of its own.
RELEASE = swift build --configuration release --product tidings
TESTING = --configuration release -Xswiftc -enable-testing --scratch-path .build/testing
# With the deliberate mistakes in it (docs/simulation.md), as the tests are, and therefore in a folder of its own.
SIMULATING = swift build --configuration release --scratch-path .build/simulation --product SimulationRunner
# A part of the package alone: what handles memory by hand.
CHECKING = --configuration release -Xswiftc -enable-testing --sanitize address --scratch-path .build/address
SOURCES = Package.swift Sources Tests

# The one that Debian's packages belong to.
PYTHON = /usr/bin/python3

INPUT ?=
ARGS ?=
ROUNDS ?= 20
SEED ?=
SEEDS ?=
FIRST_SEED ?=
STORE ?=

.PHONY: help demo build test test-address test-crash simulate instructions flamegraph needs-broker lint format clean
.DEFAULT_GOAL := help

help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: build ## Runs everything in one process on this checkout's history. INPUT=file.ndjson.gz for other events, ARGS for flags.
	@.ci/install-packages $(DEMO_PACKAGES)
	@"$$($(RELEASE) --show-bin-path)/tidings" demo $(if $(INPUT),--input "$(INPUT)") $(ARGS)

build: ## Builds the release.
	@.ci/install-packages $(BUILD_PACKAGES)
	$(RELEASE)

# One test after another: many wait for brokers, servers and threads, and would starve one another on two cores.
test simulate: export TIDINGS_FLAWS = 1

test: ## Builds and runs all tests. With KAFKA_BOOTSTRAP_SERVERS set also those that need a real broker.
	@.ci/install-packages $(BUILD_PACKAGES) $(TEST_PACKAGES)
	swift build --build-tests $(TESTING)
	swift test --skip-build --no-parallel $(TESTING) $(ARGS)

# Leaks are not looked for: XCTest has some of its own.
test-address: export TIDINGS_ADDRESS = 1
test-address: export ASAN_OPTIONS = detect_leaks=0
test-address: ## Builds what handles memory by hand with the AddressSanitizer in it, and runs its tests.
	@.ci/install-packages $(BUILD_PACKAGES) $(TEST_PACKAGES)
	swift build --build-tests $(CHECKING)
	swift test --skip-build --no-parallel $(CHECKING) $(ARGS)

test-crash: needs-broker build ## Kills, freezes and rolls processors under load on a real broker. ROUNDS=100, ARGS for flags.
	@.ci/install-packages $(CRASH_PACKAGES)
	@cd Tests/CrashTest && $(PYTHON) -m unittest --quiet
	@$(PYTHON) Tests/CrashTest/run.py --binary "$$($(RELEASE) --show-bin-path)/tidings" --rounds $(ROUNDS) $(ARGS)

simulate: ## Runs the simulation. SEED=4711 for one seed, SEEDS=100000 [FIRST_SEED=1] for many, ARGS for flags (--help).
	@.ci/install-packages $(BUILD_PACKAGES)
	@$(SIMULATING)
	@"$$($(SIMULATING) --show-bin-path)/SimulationRunner" $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) \
	  $(if $(FIRST_SEED),--first-seed $(FIRST_SEED)) $(ARGS)

instructions: ## Counts the instructions of an event and compares them with what is stored. STORE=1 stores them.
	@.ci/install-packages $(BUILD_PACKAGES) $(COUNT_PACKAGES)
	swift build --configuration release --product InstructionCount
	@.ci/count-instructions "$$($(RELEASE) --show-bin-path)/InstructionCount" \
	  Tests/InstructionCount/stored.json $(if $(STORE),--store)

# Samples of the processor's time, since not every machine has counters of cycles; names without their types.
flamegraph: build ## Draws where the time of an event goes (.build/flamegraph.svg). ARGS for flags of bench pipeline.
	@.ci/install-packages $(PROFILE_PACKAGES)
	@perf record --quiet --event cpu-clock --freq 997 --call-graph fp --output .build/perf.data \
	  "$$($(RELEASE) --show-bin-path)/tidings" bench pipeline $(or $(ARGS),--only load --ids 1000000 --windows 100000 --runs 1)
	@perf script --input .build/perf.data --fields comm,ip,sym 2>/dev/null | swift demangle --simplified \
	  | .ci/flamegraph PipelineStep.run > .build/flamegraph.svg
	@echo "Look at .build/flamegraph.svg in a browser."

needs-broker:
	@test -n "$$KAFKA_BOOTSTRAP_SERVERS" || { \
	  echo "Set KAFKA_BOOTSTRAP_SERVERS to a broker for tests, such as 127.0.0.1:9092." >&2; exit 2; }

lint: ## Checks the format of the sources.
	swift format lint --strict --recursive --parallel $(SOURCES)

format: ## Formats the sources.
	swift format --in-place --recursive --parallel $(SOURCES)

clean: ## Removes what was built and what the demo left.
	rm -rf .build demo
