# Everything a developer runs. `make help` lists it. Needs Python 3.11 or newer, pip and make.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= auto
ROOMS := agent tools knowledge store ui evals

# Installing again is needed only when what is to be installed changed.
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev

PIP := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --constraint constraints.txt
PIP_DOTS := awk '/^ *Collecting /{printf "."; fflush()} /^ *Installing collected/{printf "\n  unpacking them\n"; fflush()} END{print ""}'

.PHONY: help
help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; install it, or say make PYTHON=/path/to/python." >&2; exit 2; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip $(VENV) \
		&& $(PYTHON) -m pip --quiet --python $(BIN)/python install pip; }

$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing finops-assistant and the packages it needs (a minute or two, the first time)"
	@$(PIP) --editable . | $(PIP_DOTS)
	@$(BIN)/python -m compileall -q $(ROOMS)
	@touch $@

$(DEV): $(RUNTIME)
	@echo "Installing the tools for tests and checks"
	@$(PIP) --editable '.[dev]' | $(PIP_DOTS)
	@touch $@

.PHONY: install
install: $(RUNTIME) ## set up .venv with the finops command in .venv/bin

.PHONY: demo
demo: $(RUNTIME) ## the sample company and a tour of questions (NO_UI=1: stop after the tour)
	@$(BIN)/finops demo $(if $(NO_UI),--no-ui)

.PHONY: test
test: $(DEV) ## the core tests, in a few minutes
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

.PHONY: format
format: $(DEV) ## rewrite the code in the house format and sort the imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: static
static: $(DEV) ## format, lint and types, without running a test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests bench docs .ci/lock.py

.PHONY: check
check: static test ## what every change must pass: format, lint, types, core tests

.PHONY: check-all
check-all: check ## check, and the slow tests too: the wheel, kills in mid-load, loads under questions
	$(BIN)/python -m pytest -n $(WORKERS) -m slow

.PHONY: docs
docs: $(RUNTIME) ## rewrite the generated parts of docs/
	@$(BIN)/python docs/generate.py

.PHONY: lock
lock: $(DEV) ## write constraints.txt from what is installed, after a change to pyproject.toml
	@$(BIN)/python .ci/lock.py

.PHONY: bench
bench: $(DEV) ## every speed and size figure of bench/, with its target and this machine's figures
	@$(BIN)/python -m bench.run

.PHONY: clean
clean: ## remove what tests and builds left behind (.venv stays)
	rm -rf build dist .sample .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(ROOMS) tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +
