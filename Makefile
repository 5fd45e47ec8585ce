# demo: a first picture, offline. test: the tests. Each sets up all that it needs in .venv, from
# requirements.lock.

PYTHON ?= python3
BIN := .venv/bin
PICTURE := a lighthouse in fog, long exposure

.PHONY: demo test soak check bench format compiled lock completions picture clean

demo: .venv/installed
	$(BIN)/kontext generate "$(PICTURE)" --provider sandbox --output-dir demo --exists number

test: .venv/installed .venv/shells compiled
	$(BIN)/pytest -n auto

# The tests at full length: hundreds of kills, tens of thousands of examples. Takes hours.
soak: .venv/installed .venv/shells compiled
	KONTEXT_SOAK=1 $(BIN)/pytest -n auto

bench: .venv/installed compiled
	$(BIN)/python benchmarks/run.py

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# As installers do; some machines write no bytecode by themselves, and every process starts slowly.
compiled: .venv/installed
	$(BIN)/python -m compileall -q kontext_cli

completions: .venv/installed
	$(BIN)/python -m kontext_cli.cli.completions

picture: .venv/installed
	$(BIN)/python docs/draw_run.py

# Newer versions are taken a week after they came out: what is malicious is mostly found by then.
# One at once, for a security fix: make lock LOCK="--upgrade-package pillow". None: make lock LOCK=
LOCK := --upgrade --exclude-newer "7 days"
COMPILE := .venv/tools/bin/uv pip compile --quiet --no-config --default-index https://pypi.org/simple \
	--universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

lock: .venv/tools/installed
	$(COMPILE) $(LOCK) --group dev pyproject.toml --output-file requirements.lock
	$(COMPILE) $(LOCK) .github/tools.in --output-file .github/tools.lock

clean:
	rm -rf .venv demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/installed: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kontext needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock || { \
		echo "some locked versions cannot be had here: taking the newest that fit" >&2; \
		$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"; \
		$(BIN)/python -m pip install --quiet --editable . --group dev; }
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/tools/installed: .github/tools.lock
	$(PYTHON) -m venv .venv/tools
	.venv/tools/bin/python -m pip install --quiet --require-hashes --requirement .github/tools.lock
	touch $@

# The tests press TAB in zsh and fish, and set the man page. What they need for it is installed where
# that takes no more than apt-get and root, tried once; elsewhere those tests are skipped by name.
.venv/shells: | .venv/installed
	@for tool in zsh fish groff; do command -v $$tool || missing=yes; done >/dev/null; \
	if [ "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; \
		apt="apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=10"; \
		{ $$apt update && $$apt install --no-install-recommends zsh fish groff-base; } \
		</dev/null >/dev/null 2>&1 || true; \
	fi
	@touch $@
