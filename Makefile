# demo: a first image, offline. test: the tests. check: lint, format, types. engines: the tests
# against heavy peers and servers, in an environment of their own. site: the manual as HTML. Each
# installs exactly what it needs, from its lock.

PYTHON ?= python3
BIN := .venv/bin
PROMPT := a lighthouse in fog, long exposure

.PHONY: demo test engines soak check bench performance format compiled lock completions reference site picture screens clean

demo: .venv/run-time
	$(BIN)/python -m kontext_cli generate "$(PROMPT)" --provider sandbox --output-dir demo --exists number

test: .venv/test .venv/shells compiled
	$(BIN)/pytest -n auto

ENGINES := $(wildcard tests/engines/test_*.py)

LARGE_ENGINES := .venv/engines/browser .venv/engines/slurm .venv/engines/postgresql .venv/litellm/installed \
	.venv/docs/installed

engines: $(if $(ENGINES),.venv/engines/installed $(LARGE_ENGINES))
	$(if $(KONTEXT_BUILD_ENGINES),cd tests && ../.venv/engines/bin/python -m engines.sd_server)
	$(if $(ENGINES),.venv/engines/bin/pytest -n auto --dist loadfile tests/engines tests/journal,@echo "tests/engines has no test")

# The tests at full length: hundreds of kills, tens of thousands of examples. Takes hours.
soak: .venv/test .venv/shells compiled .venv/engines/postgresql
	KONTEXT_SOAK=1 $(BIN)/pytest -n auto
	KONTEXT_SOAK=1 .venv/engines/bin/pytest tests/engines/test_machines.py

bench: .venv/test compiled
	$(BIN)/python benchmarks/run.py

performance: .venv/test compiled
	$(BIN)/python benchmarks/run.py --write docs/performance.json
	$(BIN)/python docs/draw_performance.py

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# As installers do; without bytecode, which some machines do not write, every process starts slowly.
compiled: .venv/test
	$(BIN)/python -m compileall -q kontext_cli

completions: .venv/run-time
	$(BIN)/python -m completions.writer

reference: .venv/run-time
	$(BIN)/python -m docs.writer

# The manual as a site, in site/; a link or an anchor that is not there is an error.
site: .venv/docs/installed
	.venv/docs/bin/zensical build --clean --strict

picture: .venv/run-time
	$(BIN)/python docs/draw_rooms.py
	$(BIN)/python docs/draw_kills.py

screens: .venv/dev
	$(BIN)/python -m docs.draw_screens

# Versions are used a week after their release: by then, most malicious ones are found.
# One at once, for a security fix: make lock LOCK="--upgrade-package pillow". None: make lock LOCK=
LOCK := --upgrade --exclude-newer "7 days"
COMPILE := .venv/tools/bin/uv pip compile --quiet --no-config --default-index https://pypi.org/simple \
	--universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

PART := $(LOCK) --constraint requirements.lock --no-annotate

lock: .venv/tools/installed
	$(COMPILE) $(LOCK) --group dev pyproject.toml --output-file requirements.lock
	$(COMPILE) $(PART) pyproject.toml --output-file requirements-run-time.lock
	$(COMPILE) $(PART) --group test pyproject.toml --output-file requirements-test.lock
	$(COMPILE) $(PART) --group engines pyproject.toml --output-file requirements-engines.lock
	$(COMPILE) $(PART) --group docs --output-file requirements-docs.lock
	$(COMPILE) $(LOCK) tests/engines/litellm.in --output-file tests/engines/litellm.lock
	$(COMPILE) $(LOCK) .github/tools.in --output-file .github/tools.lock

clean:
	rm -rf .venv demo dist site .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis

# $(1): an environment, $(2): its lock, $(3): what else of pyproject.toml belongs to it
define install
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kontext needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	[ -x $(1)/bin/python ] || $(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet --require-hashes --requirement $(2) || { \
		echo "some locked versions cannot be had here: taking the newest that fit" >&2; \
		$(1)/bin/python -m pip install --quiet --upgrade "pip>=25.1"; \
		$(1)/bin/python -m pip install --quiet --editable . $(3); }
endef

EDITABLE := -m pip install --quiet --no-deps --no-build-isolation --editable .

.venv/run-time: pyproject.toml requirements-run-time.lock
	$(call install,.venv,requirements-run-time.lock,)
	touch $@

.venv/test: pyproject.toml requirements-test.lock
	$(call install,.venv,requirements-test.lock,--group test)
	$(BIN)/python $(EDITABLE)
	touch $@ .venv/run-time

.venv/dev: pyproject.toml requirements.lock
	$(call install,.venv,requirements.lock,--group dev)
	$(BIN)/python $(EDITABLE)
	touch $@ .venv/test .venv/run-time

# Black Forest Labs' client asks for Pillow 10.4 exactly, Together's for rich 14; both work with ours.
ALONE := tests/engines/alone.lock

.venv/engines/installed: pyproject.toml requirements-engines.lock $(ALONE)
	$(call install,.venv/engines,requirements-engines.lock,--group engines)
	.venv/engines/bin/python -m pip install --quiet --no-deps --require-hashes --requirement $(ALONE)
	.venv/engines/bin/python $(EDITABLE)
	touch $@

# The page of `kontext gallery` is read by Chromium, and what images carry by exiftool; both are
# installed like the shells below.
.venv/engines/browser: | .venv/engines/installed
	@for tool in chromium chromedriver exiftool; do command -v $$tool || missing=yes; done >/dev/null; \
	if [ "$$missing" ]; then \
		$(call apt-get,chromium chromium-driver libimage-exiftool-perl); fi
	@touch $@

# LiteLLM's proxy pins what it runs on. Where it cannot be had, its tests are skipped by name.
.venv/litellm/installed: tests/engines/litellm.lock
	[ -x .venv/litellm/bin/python ] || $(PYTHON) -m venv .venv/litellm
	.venv/litellm/bin/python -m pip install --quiet --require-hashes --requirement $< \
		|| rm -f .venv/litellm/bin/litellm
	touch $@

.venv/docs/installed: pyproject.toml requirements-docs.lock
	$(call install,.venv/docs,requirements-docs.lock,--group docs)
	touch $@

# Arrays run in a Slurm of one node, on ports of its own.
.venv/engines/slurm: | .venv/engines/installed
	@for tool in sbatch slurmctld slurmd munged; do \
		PATH="$$PATH:/usr/sbin" command -v $$tool || missing=yes; done >/dev/null; \
	if [ "$$missing" ]; then $(call apt-get,slurm-client slurmctld slurmd munge); fi
	@touch $@

# A journal for many machines is in a PostgreSQL server: one of its own for the tests.
.venv/engines/postgresql: | .venv/engines/installed
	@if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then \
		$(call apt-get,postgresql); fi
	@touch $@

.venv/tools/installed: .github/tools.lock
	$(PYTHON) -m venv .venv/tools
	.venv/tools/bin/python -m pip install --quiet --require-hashes --requirement .github/tools.lock
	touch $@

# The tests press TAB in zsh and fish, and set the man page. What they need for it is installed where
# that takes no more than apt-get and root, tried once; elsewhere those tests are skipped by name.
.venv/shells: | .venv/test
	@for tool in zsh fish groff; do command -v $$tool || missing=yes; done >/dev/null; \
	if [ "$$missing" ]; then $(call apt-get,zsh fish groff-base); fi
	@touch $@

# Install Debian packages where that takes no more than apt-get and root; a failure is no error.
define apt-get
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	export DEBIAN_FRONTEND=noninteractive; \
	apt="apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=10"; \
	{ $$apt update && $$apt install --no-install-recommends $(1); } </dev/null >/dev/null 2>&1 || true; \
fi
endef
