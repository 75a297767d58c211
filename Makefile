# The commands of this repository. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help build setup lint test simulate crash cluster cluster-test aws-test deploy-aws starved bench bench-start

# nextest runs every test in a process of its own, several at a time; `cargo test` runs the same tests where it is absent.
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)
# With crash points, at which the tests that kill have the process die; a plain build knows nothing of them.
# Without the crate for AWS, which has commands of its own: nobody else pays for what it is built from.
HOUSE := --locked --workspace --exclude gazer-aws --features gazer/crash-points
RUN := $(if $(NEXTEST),cargo nextest run,cargo test) --no-fail-fast
TEST := $(RUN) $(HOUSE)
# What is played for hours is built as it is released, and nothing else is.
PLAY := $(RUN) --locked --release -p gazer -p gazer-functions --features gazer/crash-points --test it

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## Build the gazer binary as the README does
	cargo build --locked --release

setup: ## Find or install what the tests need: PostgreSQL, NATS, Chromium and its driver
	scripts/setup-test-tools

# One target folder, and clippy before everything else: checks and builds that alternate undo each other's work.
lint: ## Check format, clippy, documentation and the shape of the house
	cargo fmt --all --check
	cargo clippy $(HOUSE) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc $(HOUSE) --no-deps
	$(TEST) --test it architecture::

# Tests to leave out, where another command runs them at their full size: make test BUT="crash:: simulate::"
BUT ?=
LEFT_OUT = $(if $(NEXTEST),-E 'all()$(foreach one,$(BUT), and not test($(one)))',-- $(foreach one,$(BUT),--skip $(one)))
test: setup ## Run every test
	$(TEST) $(if $(BUT),$(LEFT_OUT))

# SEEDS and SITES, or KILLS and INCIDENTS, make them as large as you like: make simulate SEEDS=200 SITES=1000
SEEDS ?= 20
SITES ?= 200
# A file that keeps the seeds that passed: a long run that is ended goes on with the others. Other code, another file.
PASSED ?=
simulate: ## Play simulated days in which everything goes wrong
	GAZER_SIMULATE=$(SEEDS)x$(SITES) GAZER_SIMULATED=$(abspath $(PASSED)) $(PLAY) simulate::

KILLS ?= 1000
INCIDENTS ?= 3000
crash: setup ## Kill the real binary again and again, and count what was lost
	GAZER_CRASH=$(KILLS)x$(INCIDENTS) NEXTEST_TEST_THREADS=3 NEXTEST_SUCCESS_OUTPUT=final $(PLAY) crash::

cluster: build ## Run a whole cluster on this machine, to try it: PostgreSQL, NATS, 2 with pages, 3 workers, 2 regions
	scripts/cluster

cluster-test: setup ## Tell the stories of clusters, one of them on what `make cluster` starts
	NEXTEST_SUCCESS_OUTPUT=final $(TEST) cluster::

# STAGE, REGION, PARAMS and CONFIG: make deploy-aws STAGE=test REGION=eu-west-1 PARAMS="align=5s operatorEmail=ann@example.com"
deploy-aws: ## Build what Lambda runs, and deploy it to AWS (docs/aws.md)
	STAGE="$(STAGE)" REGION="$(REGION)" PARAMS="$(PARAMS)" CONFIG="$(CONFIG)" scripts/deploy-aws

aws-test: setup ## Deploy to an emulator of AWS that runs the real functions, and tell the stories there
	scripts/setup-aws-tests
	cargo clippy --locked -p gazer-aws --all-targets -- -D warnings
	cargo build --locked -p gazer-aws -p gazer
	strip -o target/aws/bootstrap target/debug/bootstrap && scripts/lambda-zip target/aws/bootstrap target/aws/bootstrap.zip
	NEXTEST_SUCCESS_OUTPUT=final $(RUN) --locked -p gazer-aws $(if $(BUT),$(LEFT_OUT))

starved: setup ## Take descriptors, disk and database away from the real binary, and give them back
	GAZER_STARVED=1 $(TEST) starved:: noisy::

bench: ## Measure what docs/benchmarks.md reports
	cargo bench --locked --workspace --exclude gazer-aws --bench '*'
	$(MAKE) bench-start

bench-start: ## Measure what a cold start on AWS takes, of a bootstrap as scripts/lambda-build builds it
	AWS_LC_SYS_NO_JITTER_ENTROPY=1 cargo bench --locked --profile lambda -p gazer-aws --bench start
