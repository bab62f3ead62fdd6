# Everything a user types: make demo, make test. Each sets up what it needs, once.
# Needs Python 3.11 or newer (another one than python3: make demo PYTHON=python3.12).

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow test-beam docs lint format clean

help:
	@echo "make demo    train and test on the built-in data set, with a report (10 minutes)"
	@echo "make test    style checks and tests (WORKERS=2);  make test-slow  the long ones"
	@echo "make test-beam  those of Apache Beam, in an environment of its own, $(VENV)-beam"
	@echo "make docs    the pages with the API, docs/_build/index.html; checks their links"
	@echo "make setup   only the virtual environment, $(VENV)"
	@echo "make lint    only the style checks;  make format  corrects what it can"
	@echo "make clean   remove the environment and caches (not data/ and runs/)"

demo: $(READY)
	@$(BIN)/python -m experiments.demo --workdir=runs/demo

test: lint
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-slow: $(READY)
	@$(BIN)/python -m pytest -m slow

# Anything that Sphinx warns of (links, references, docstrings) is an error.
docs: $(VENV)/.docs
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build

$(VENV)/.docs: $(READY) docs/requirements.txt
	@$(PIP) install -r docs/requirements.txt
	@touch "$@"

# Apache Beam wants older versions of some packages than requirements.txt has.
test-beam: $(VENV)-beam/.ready
	@$(VENV)-beam/bin/python -m pytest tests/test_beam.py

$(VENV)-beam/.ready: pyproject.toml
	@"$(PYTHON)" -m venv "$(VENV)-beam"
	@$(VENV)-beam/bin/python -m pip --disable-pip-version-check --quiet install -e '.[video,beam,test]'
	@touch "$@"

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

setup: $(READY)

# Made again when the requirements or the package's own facts change.
$(READY): requirements.txt pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || \
	  { echo "$(PYTHON) was not found; install Python 3.11 or newer, or name one: make PYTHON=..."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is `"$(PYTHON)" --version`; Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@echo "setting up $(VENV) with `"$(PYTHON)" --version` (once, some minutes, 2.5 GB)"
	@"$(PYTHON)" -m venv "$(VENV)"
	@$(PIP) install -r requirements.txt
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch "$@"

clean:
	rm -rf "$(VENV)" "$(VENV)-beam" build dist docs/_build *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
