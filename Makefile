# Every way into Vigia from its checkout. `make` alone lists the targets.
#
# The environment .venv is made from requirements.lock (hashes checked) when a target needs it. Its stamp holds the
# checkout's path, so that a moved or copied .venv, a vanished Python or an interrupted installation starts it afresh.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules
.SUFFIXES:

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
LOG := .venv.log

# The stamp counts only while it names this very folder and its Python still starts.
STAMP_VALID := $(shell [ "$$(cat $(STAMP) 2>/dev/null)" = "$(CURDIR)/$(VENV)" ] && $(PY) -c '' 2>/dev/null && echo yes)

# Parameters of `make run`: ONCE=1, STACK=local, WORKERS=3, REPO=path; ARGS for anything else.
ONCE ?=
STACK ?=
WORKERS ?=
REPO ?=
ARGS ?=
RUN_FLAGS = $(if $(filter-out 0 no false,$(ONCE)),--once) $(if $(STACK),--stack $(STACK)) \
	$(if $(WORKERS),--workers $(WORKERS)) $(if $(REPO),--repo '$(REPO)') $(ARGS)

.PHONY: help run test bench lint format types contracts check stack stack-down stack-status status docs lock install clean FORCE

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | \
		awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

run: $(STAMP)  ## watch the main job on real input (ONCE=1, STACK=local, WORKERS=n, REPO=path, ARGS="...")
	@exec $(PY) -m vigia run $(RUN_FLAGS)

test: $(STAMP)  ## run the tests (ARGS="tests/unit -k word")
	@exec $(PY) -m pytest $(ARGS)

lint: $(STAMP)  ## ruff: rules and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

format: $(STAMP)  ## let ruff format the code and mend what it can
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

types: $(STAMP)  ## mypy --strict
	@$(PY) -m mypy

contracts: $(STAMP)  ## import-linter: which room may import which
	@$(VENV)/bin/lint-imports

check: lint types contracts test  ## all of the above

stack: $(STAMP)  ## start Kafka, Cassandra and MariaDB on this machine, without containers
	@exec $(PY) -m scripts.stack up $(ARGS)

stack-down: $(STAMP)  ## stop them
	@exec $(PY) -m scripts.stack down $(ARGS)

stack-status: $(STAMP)  ## say what is running
	@exec $(PY) -m scripts.stack status $(ARGS)

status: $(STAMP)  ## workers, lanes, lag, dead letters; fails when a person must look (ARGS="--json")
	@exec $(PY) -m scripts.status $(ARGS)

bench: $(STAMP)  ## measure Vigia beside other stream processors; about 25 minutes (ARGS="--parts contest --repeats 1")
	@$(PY) -m scripts.stack up
	@exec $(PY) -m scripts.benchmarking $(ARGS)

docs: $(STAMP)  ## write the generated parts of docs/ again
	@exec $(PY) -m scripts.docs $(ARGS)

# pip-compile keeps the versions that still fit; ARGS=--upgrade takes newer ones. The header names this command instead
# of the real one, which would name paths and addresses of one machine.
lock: $(STAMP)  ## compile requirements.lock again (ARGS=--upgrade, ARGS="--upgrade-package rich")
	@CUSTOM_COMPILE_COMMAND="make lock" $(PY) -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra dev \
		--output-file requirements.lock $(ARGS) pyproject.toml

install: $(STAMP)  ## only make the environment

clean:  ## remove the environment, caches and build results (.stack and .vigia stay: they hold data)
	rm -rf $(VENV) $(LOG) .venv.lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -not -path './.stack/*' -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------- the environment
# Quiet on stdout (`make run ONCE=1` ends with one JSON line): progress goes to stderr, pip's words to the log. The lock
# file lets two makes at once install once. The stamp is removed first and written last.

$(STAMP): requirements.lock pyproject.toml $(if $(STAMP_VALID),,FORCE)
	@exec 9>.venv.lock; if command -v flock >/dev/null; then flock 9; fi; \
	valid() { [ "$$(cat $(STAMP) 2>/dev/null)" = "$(CURDIR)/$(VENV)" ] && $(PY) -c '' 2>/dev/null; }; \
	if valid && [ ! requirements.lock -nt $(STAMP) ] && [ ! pyproject.toml -nt $(STAMP) ]; then exit 0; fi; \
	if ! valid; then \
		python=; \
		for name in $(PYTHON) python3.11 python3 python; do \
			if "$$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
		done; \
		if [ -z "$$python" ]; then \
			echo "Vigia needs Python 3.11, and neither python3.11 nor python3 is one. Install it (Debian 12:" >&2; \
			echo "apt-get install python3.11 python3.11-venv) or name one: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; \
		fi; \
		echo "making $(VENV) with $$("$$python" --version) (log: $(LOG))" >&2; \
		rm -rf $(VENV); \
		if ! "$$python" -m venv $(VENV) >$(LOG) 2>&1; then \
			cat $(LOG) >&2; rm -rf $(VENV); \
			echo "Python's venv module could not make $(VENV); on Debian it is in the package python3.11-venv." >&2; exit 1; \
		fi; \
	else \
		echo "bringing $(VENV) up to requirements.lock (log: $(LOG))" >&2; rm -f $(STAMP); : >$(LOG); \
	fi; \
	if ! { $(PY) -m pip install --disable-pip-version-check --no-input --require-hashes -r requirements.lock && \
		$(PY) -m pip install --disable-pip-version-check --no-input --no-index --no-deps --no-build-isolation -e .; \
		} >>$(LOG) 2>&1; then \
		tail -n 30 $(LOG) >&2; echo "the installation failed; all of it is in $(LOG)" >&2; exit 1; \
	fi; \
	printf '%s\n' "$(CURDIR)/$(VENV)" >$(STAMP)

FORCE:
