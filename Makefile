# make demo, make test, make lint, make bench: each sets up what it needs in .venv

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo

.DEFAULT_GOAL := help
.PHONY: help screenshots demo test quick lint audit torture bench bench-history docs lock clean

help:  ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it with make PYTHON=python3.x" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "Python's venv module is needed (Debian: apt-get install python3-venv)" >&2; exit 1; }

# Exactly the versions of the lock files, whose hashes pip checks; then the package itself, built by
# the setuptools among them.
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check
define install
@echo "Setting up $(VENV) …" >&2
@$(INSTALL) --require-hashes --requirement requirements/$(1).lock
@$(INSTALL) --no-deps --no-build-isolation --editable .
endef

# The package alone, for the demo.
$(VENV)/.installed: pyproject.toml requirements/run.lock | $(BIN)/python
	$(call install,run)
	@touch $@

# And what tests, linters and benchmarks need; the SDK, a package of its own, with them.
INSTALL_SDK = @$(INSTALL) --no-deps --no-build-isolation --editable ./sdk
$(VENV)/.installed-dev: pyproject.toml sdk/pyproject.toml requirements/dev.lock | $(BIN)/python
	$(call install,dev)
	$(INSTALL_SDK)
	@touch $(VENV)/.installed $@

# And the peers that it is measured against.
$(VENV)/.installed-bench: pyproject.toml sdk/pyproject.toml requirements/bench.lock | $(BIN)/python
	$(call install,bench)
	$(INSTALL_SDK)
	@touch $(VENV)/.installed $(VENV)/.installed-dev $@

demo: $(VENV)/.installed  ## simulate 100,000 messages, replay them, show what leaked
	@$(BIN)/python -m streams.demo --dir $(DEMO)

# Two processes; the tests on a real Kafka stay together, since they share its topics.
PYTEST = $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

test: $(VENV)/.installed-dev  ## all tests; those on a real Kafka where Java 17 and Maven are
	@$(PYTEST)

# What is not about Kafka, the web or the command line. Two processes on two processors: more threads
# would only take turns.
QUICK = tests/lineage tests/sdk tests/streams/simulate lineage $(wildcard tests/test_*.py)
quick: $(VENV)/.installed-dev  ## the inner loop: the heart, few examples of the properties, no Kafka, nothing slow
	@POLARS_MAX_THREADS=1 LINEAGE_EXAMPLES=2 $(PYTEST) -m "not kafka and not slow" $(QUICK)

lint: $(VENV)/.installed-dev  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# An hour of it is the soak: `make torture TORTURE="--only kills"`, or `--only soak --minutes 10`.
TORTURE ?=

torture: $(VENV)/.installed-bench  ## kill workers 200 times, fuzz with a million inputs, load for an hour
	@$(BIN)/python -m tests.torture $(TORTURE)

# In an environment of its own: its dependencies are none of ours.
AUDIT := .venv-audit
audit:  ## is a vulnerability known of what the lock files pin? says so where it cannot be asked
	@$(PYTHON) -m venv $(AUDIT) && $(AUDIT)/bin/pip install --quiet --disable-pip-version-check \
		--require-hashes --requirement requirements/audit.lock \
		|| { echo "pip-audit cannot be installed here; nothing was audited" >&2; exit 0; }; \
	$(AUDIT)/bin/python requirements/audit.py requirements/run.lock requirements/dev.lock

bench: $(VENV)/.installed-bench  ## measure: a table, and benchmarks/results/
	@$(BIN)/python -m benchmarks

bench-history: $(VENV)/.installed-bench  ## measure with 100 million arrivals, own mix and worst mix; it takes most of an hour
	@$(BIN)/python -m benchmarks history long

docs: $(VENV)/.installed-dev  ## write the pages of commands and questions, and the notebook, anew
	@$(BIN)/python -m streams.cli.reference > docs/commands.md
	@$(BIN)/python -m lineage.audit.questions.page > docs/questions.md
	@$(BIN)/python -m tests.notebook

screenshots: $(VENV)/.installed-dev  ## take the pictures of the console anew, with Debian's chromium
	@$(BIN)/python -m tests.streams.console.screenshots docs/pictures

LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate pyproject.toml requirements/build.in

lock: $(VENV)/.installed-dev  ## renew the lock files: the newest versions that pyproject.toml allows
	@$(LOCK) --all-extras --output-file requirements/bench.lock
	@$(LOCK) --extra dev --constraint requirements/bench.lock --output-file requirements/dev.lock
	@$(LOCK) --constraint requirements/dev.lock --output-file requirements/run.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate requirements/audit.in --output-file requirements/audit.lock

clean:  ## remove what the demo and the tools left
	rm -rf $(DEMO) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
