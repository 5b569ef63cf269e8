# SPDX-License-Identifier: Apache-2.0
#
# make demo    sets up, runs kata-ci on the fixtures workspace, says where the reports are
# make check   formatting, lints, documentation; the fuzz targets compile
# make test    sets up, runs all tests
# make quick   unit tests, the rules of the source tree, and the quick stories without server and browser
# make test-host    the stories of a kata host again, with today's docker as well, which is built for some minutes
# make soak    the tests that take long: 50 kills at random moments and --resume, 20 kills in the middle of each
#              misbehaving fixture, 50 rounds of components that collide, 200 patch sets while Gerrit and the
#              watcher of reviews are killed; doctor --install from each package manager; 8 shards of 30 s on a
#              Slurm with two nodes
# make bench   what isolation costs a job, and how quickly output is parsed, on a machine that does nothing else

CARGO ?= cargo
DEMO := $(CURDIR)/target/demo
# Unit tests that try hundreds of cases, and stories that start Gerrit or Chromium, wait for time limits, or
# compile.
SLOW_UNITS := exec::leftover_files::plants::whatever gitlab_gets_no_more_cases_than_it_takes
SLOW := run::depends run::stamps run::misbehaving run::retries run::kata_workspace run::resume::killed run::runners run::findings \
	run::odd_files run::junit_files run::rev run::one_case run::scarcity run::since run::requirements \
	report::access report::chromium

.PHONY: demo check test test-host quick soak bench setup setup-tests build

setup:
	@scripts/setup

setup-tests:
	@scripts/setup tests

build: setup
	$(CARGO) build --locked

demo: build
	@scripts/demo $(CURDIR)/target/debug/kata-ci $(DEMO)

check: setup
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items
	$(CARGO) check --manifest-path fuzz/Cargo.toml --target-dir target/fuzz

test: setup-tests
	$(CARGO) test --locked

test-host:
	@scripts/setup host
	KATACI_TEST_REQUIRE_HOST=1 KATACI_TEST_REQUIRE_TODAYS_DOCKER=1 $(CARGO) test --locked --test it -- host::

quick:
	$(CARGO) test --locked --lib --test house -- $(addprefix --skip ,$(SLOW_UNITS))
	$(CARGO) test --locked --test it -- run:: report:: $(addprefix --skip ,$(SLOW))

soak: setup-tests
	$(CARGO) test --locked --test it -- --ignored --nocapture

bench: setup
	$(CARGO) bench --locked --bench isolation --bench parse
