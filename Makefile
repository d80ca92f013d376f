# Every target sets the project up first, if that is not done yet. `make` alone lists them.

BIN := .venv/bin
PYTEST_ARGS ?=
EVENTS ?= 2000
SEED ?= 1
BROKER_STOPS := tests/e2e/test_outages.py::test_while_the_broker_is_stopped_senders_are_asked_to_come_again_and_afterwards_all_arrives_once
MUTANTS ?=
NIGHTLY_ARGS ?=

# How many examples the searches try, and which tests are left out: few, many, night (tests/searching.py).
SEARCH ?= few
export SEARCH
LEFT_OUT := $(if $(filter few,$(SEARCH)), and not long)$(if $(filter night,$(SEARCH)),, and not nightly)

# The tests start hundreds of processes: compiling everything anew in each would take longer than what they do.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo faults mutants test test4 nightly bench check format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.ready ## the main job, from real Stripe events to balanced books (under 90 s)
	@$(BIN)/python -m staging.broker --prepare
	@$(BIN)/python -m demo

faults: .venv/.ready ## the fault campaign; EVENTS=2000 SEED=1 unless you say otherwise
	@$(BIN)/python -m staging.broker --prepare
	@$(BIN)/python -m faults --events $(EVENTS) --seed $(SEED)

mutants: .venv/.ready ## safety measures broken one at a time, and the tests that notice; MUTANTS="no-fence" tries some
	@$(BIN)/python -m staging.broker --prepare
	@$(BIN)/python -m tests.mutants $(MUTANTS)

# PYTEST_ARGS may choose tests that all stand side by side, or all alone: no tests chosen is no failure then.
NONE_CHOSEN := test $$? = 5

# They wait as much as they work: one process more than there are processors.
SIDE_BY_SIDE := -n $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1))) --dist loadfile --no-loadscope-reorder

test: .venv/.ready ## the test suite; PYTEST_ARGS="-k receiver" runs a part, SEARCH=many plays the long tests too, and more examples of all
	@$(BIN)/python -m staging.broker --prepare || test "$$CI" != true
	@$(BIN)/python -m pytest -q -m "not alone$(LEFT_OUT)" $(SIDE_BY_SIDE) $(PYTEST_ARGS) || $(NONE_CHOSEN)
	@$(BIN)/python -m pytest -q -m "alone$(LEFT_OUT)" $(PYTEST_ARGS) || $(NONE_CHOSEN)

# What kills feeds and pulls, or looks at what is said, publishes as all others do: no version of the broker changes it.
ANY_BROKER := feeding_killed payroll_pulling hostile_text nothing_leaks tls
ON_4 := tests/integration $(BROKER_STOPS) $(ANY_BROKER:%=--ignore=tests/integration/test_%.py)

test4: .venv/.ready ## what touches the broker, on RabbitMQ 4 (as root on Debian: unpacked into var/ the first time)
	@$(BIN)/python -m staging.broker --prepare --rabbitmq 4
	@$(BIN)/python -m pytest -q --rabbitmq 4 -m "not alone$(LEFT_OUT)" $(SIDE_BY_SIDE) $(ON_4) $(PYTEST_ARGS) || $(NONE_CHOSEN)
	@$(BIN)/python -m pytest -q --rabbitmq 4 -m "alone$(LEFT_OUT)" $(ON_4) $(PYTEST_ARGS) || $(NONE_CHOSEN)

nightly: .venv/.ready ## what takes too long for `make test`: 100,000 orders of sales, 10,000 histories of crashes, all searches with many examples, the longest tests, an outage played to its end; SEED=2 plays others
	@$(BIN)/python -m staging.broker --prepare
	@$(BIN)/python -m tests.nightly --seed $(SEED) --orders $(or $(ORDERS),100000) --histories $(or $(MODEL_EXAMPLES),10000) $(NIGHTLY_ARGS)

bench: .venv/.ready ## benchmarks; writes benchmarks/latest.json; BENCH_ARGS="inbox --store URL" runs a part
	@$(BIN)/python -m staging.broker --prepare
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

check: .venv/.ready ## lint, format, types, import rules
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/.ready ## format the code and mend what can be mended
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

COMPILE := uv pip compile --quiet --universal --generate-hashes

lock: ## compile both locks anew from pyproject.toml: to work on it, and only to run it (needs uv)
	$(COMPILE) --all-extras --python-version 3.11 pyproject.toml -o requirements.lock
	$(COMPILE) --constraints requirements.lock --python-version 3.11 pyproject.toml -o requirements.run.lock

clean: ## remove what set-up and the tools made; var/, with its database, stays
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: requirements.lock pyproject.toml ops/setup.sh
	@sh ops/setup.sh
