# What can be done with a checkout. python3 (3.11 or newer), pip and make are all that must be there beforehand.

VENV   := .venv
PY     := $(VENV)/bin/python
UV     := $(VENV)/bin/uv

# python3, or the first newer one beside it, looked for once and only when needed; or `make PYTHON=/path/to/python setup`
PYTHON  ?= $(eval PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
             if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
             then echo $$name; break; fi; done))$(PYTHON)
# what goes into the environment: dev = everything tests need, run = the product alone
SET     ?= dev
STAMP   := $(VENV)/.ready-$(SET)
WORKERS ?= 2
# tests must not see this machine's settings
WIPE    := $(addprefix -u ,$(filter ISTHMUS_% DATABASE_URL PG% %_PROXY %_proxy,$(.VARIABLES)))
PYTEST  := env $(WIPE) $(PY) -m pytest -q -n $(WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check format bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything pinned by hash (quick when nothing changed)
	@echo "$(VENV) is ready"

demo: $(STAMP) ## Show the main job end to end on simulators and an embedded PostgreSQL
	@$(VENV)/bin/isthmus demo

test: check ## Check the code and run all quick tests
	@$(PYTEST) -m "not slow"

test-all: check ## Check the code and run every test, the slow ones too
	@$(PYTEST)

check: $(STAMP) ## Lint, formatting, types and import directions
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy --strict src
	@$(VENV)/bin/lint-imports

format: $(STAMP) ## Format the code and mend what lint can mend
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: $(STAMP) ## Measure throughput and faults (benchmarks/run.py)
	@$(PY) benchmarks/run.py

# Versions and hashes only: the locks name no address to download from, so any index or mirror will do.
COMPILE = $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header

lock: $(STAMP) ## Resolve the newest compatible versions into requirements/*.lock
	@$(COMPILE) --upgrade --no-annotate --output-file requirements/run.lock pyproject.toml
	@$(COMPILE) --upgrade --group dev --constraints requirements/run.lock --no-annotate \
	  --output-file requirements/dev.lock pyproject.toml
	@$(COMPILE) --upgrade --constraints requirements/dev.lock --no-annotate \
	  --output-file requirements/bootstrap.lock requirements/bootstrap.in

clean: ## Remove the environment, caches and build results (data folders stay)
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# An interpreter without ensurepip (Debian without python3-venv) makes the environment bare and fills it by its own pip.
# uv reads no pip.conf; where it cannot reach an index, pip installs the same locked files, only slower.
$(STAMP): pyproject.toml requirements/bootstrap.lock requirements/$(SET).lock
	@test -n "$(PYTHON)" || { echo "Isthmus needs Python 3.11 or newer; none was found on the PATH." \
	  "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Isthmus needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1`." >&2; exit 1; }
	@echo "setting up $(VENV) from requirements/$(SET).lock ..."
	@$(PY) -c 'import sys' 2>/dev/null || rm -rf $(VENV)
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip $(VENV)
	@if $(PY) -m pip --version >/dev/null 2>&1; then $(PY) -m pip $(QUIET) -r requirements/bootstrap.lock; \
	  else $(PYTHON) -m pip --python $(PY) $(QUIET) -r requirements/bootstrap.lock; fi
	@$(UV) pip install -q --python $(PY) --require-hashes -r requirements/$(SET).lock || { \
	  echo "uv could not install the locked set; pip tries the same files ..." >&2; \
	  $(PY) -m pip $(QUIET) -r requirements/$(SET).lock; }
	@$(UV) pip install -q --python $(PY) --no-deps --no-build-isolation -e .
	@touch $@

QUIET := install -q --disable-pip-version-check --no-input --require-hashes
