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
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow and not conformance"

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
check-all: check conformance ## check, conformance, and the slow tests: the wheel, kills in mid-load
	$(BIN)/python -m pytest -n $(WORKERS) -m "slow and not conformance"

# Other people's tools, each in an environment of its own: none of them is needed to run or to build.
CONFORMANCE := .conformance
GENERATORS := $(CONFORMANCE)/generators/.installed
VALIDATOR := $(CONFORMANCE)/validator/.installed
PYTHON312 = $(shell for p in python3.12 "$$(pyenv root 2>/dev/null)"/versions/3.12*/bin/python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null && echo "$$p" && break; done)

# $(call environment,FOLDER,PYTHON,REQUIREMENTS)
define environment
	@rm -rf $(1)
	@$(2) -m venv $(1) 2>/dev/null || { $(2) -m venv --clear --without-pip $(1) \
		&& $(BIN)/python -m pip --quiet --python $(1)/bin/python install pip; }
	@$(1)/bin/python -m pip install --disable-pip-version-check --progress-bar off --no-deps \
		--requirement $(3) | $(PIP_DOTS)
endef

$(GENERATORS): tests/conformance/generators.txt | $(BIN)/python
	@echo "Setting up the bill generator and the FOCUS 1.4 lint (the first time only)"
	$(call environment,$(@D),$(BIN)/python,$<)
	@touch $@

$(VALIDATOR): tests/conformance/validator.txt | $(BIN)/python
	@echo "Setting up the FOCUS 1.2 validator with Python 3.12 (the first time only)"
	$(call environment,$(@D),$(PYTHON312),$<)
	@touch $@

.PHONY: conformance
conformance: $(DEV) $(GENERATORS) ## bills of a generator loaded, and exports held against the FOCUS validators
	@if [[ -n "$(PYTHON312)" ]]; then $(MAKE) --silent $(VALIDATOR); \
	elif [[ "$${CI:-}" == true ]]; then echo "focus-validator needs Python 3.12, and CI has to have it." >&2; exit 1; \
	else echo "No Python 3.12 here: focus-validator is left out. Install it, or say make PYTHON312=/path/to/python3.12."; fi
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m conformance tests/conformance

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
	rm -rf build dist .sample $(CONFORMANCE)/bills .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(ROOMS) tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +
