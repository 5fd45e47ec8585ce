# demo: a first picture, offline. test: the tests. Each sets up all that it needs in .venv.

PYTHON ?= python3
BIN := .venv/bin
PICTURE := a lighthouse in fog, long exposure

.PHONY: demo test check format picture clean

demo: .venv/installed
	$(BIN)/kontext generate "$(PICTURE)" --provider sandbox --output-dir demo --exists number

test: .venv/installed
	$(BIN)/pytest -n auto

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

picture: .venv/installed
	$(BIN)/python docs/draw_run.py

clean:
	rm -rf .venv demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kontext needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@
