# Handrail. `make help` lists what there is; docs/install.md says more.

PYTHON ?= python3
CACHE ?= $(HOME)/.cache/handrail
CORES ?= $(shell nproc)

VENV := .venv
BIN := $(VENV)/bin
WHEELS := build/wheels
CONFORMANCE := build/conformance
SOURCES := $(shell find profiles sandboxes runtime rollout console -type f -not -path '*/__pycache__/*' 2>/dev/null)
BUILD_IMAGE := $(BIN)/python -m scripts.build_image
COMPILE := env CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-index-url --no-emit-find-links --no-emit-options

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help venv host-tools postgres engine engine-stop base-image base-image-git images conformance-tools test check lint migrations unit-test \
	engine-test race demo bench format lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- what a machine needs

venv: $(VENV)/.project  ## make .venv from the hashed requirements

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "handrail: error: Python %d.%d is too old, expected 3.11 or later; next step: make PYTHON=python3.12 venv" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(PYTHON) -m scripts.host --purpose "make .venv" no-ensurepip=python3-venv
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.packages: requirements-dev.txt $(VENV)/.python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.packages
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

host-tools:  ## the programs that tests and demo call: ssh-keygen, git and mkfs.ext4
	@$(PYTHON) -m scripts.host --purpose "run the tests and the demo" ssh-keygen=openssh-client git=git mkfs.ext4=e2fsprogs

postgres:  ## PostgreSQL's programs for the tests, without a cluster of the host
	@$(PYTHON) -m scripts.postgres

engine:  ## use the container engine that answers, else start one (as root)
	@$(PYTHON) -m scripts.engine start

engine-stop:  ## stop the engine that `make engine` started
	@$(PYTHON) -m scripts.engine stop

base-image: engine  ## make handrail/base:1, from a registry or from Debian packages
	@$(PYTHON) -m scripts.base_image --cache $(CACHE)

base-image-git: base-image  ## make handrail/base-git:1, the same with git and ssh
	@$(PYTHON) -m scripts.base_image --cache $(CACHE) --git

images: venv base-image base-image-git build/dist/.wheel  ## build every image, without network
	@$(BUILD_IMAGE) handrail/agent:1 . --base handrail/base:1 --target agent \
		--wheels requirements-agent.txt=$(WHEELS)/agent --input Dockerfile --input $(WHEELS)/agent
	@$(BUILD_IMAGE) handrail/operator:1 . --base handrail/base:1 --target operator \
		--wheels requirements.txt=$(WHEELS)/operator \
		--input Dockerfile --input $(WHEELS)/agent --input $(WHEELS)/operator --input build/dist
	@$(BUILD_IMAGE) handrail/mcp-git:1 examples/images/mcp-git --base handrail/base-git:1
	@$(BUILD_IMAGE) handrail/own-agent:1 examples/images/own-agent
	@$(BUILD_IMAGE) handrail/model-agent:1 examples/model_agent
	@$(BUILD_IMAGE) handrail/demo-agent:1 examples/demo/agent
	@$(BUILD_IMAGE) handrail/demo-servers:1 examples/demo/servers

build/dist/.wheel: $(SOURCES) pyproject.toml README.md | venv
	@rm -rf build/dist && mkdir -p build/dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/dist .
	@touch $@

conformance-tools: $(CONFORMANCE)/.installed  ## fetch the public MCP conformance suite and the Node it needs

$(CONFORMANCE)/.installed: tests/conformance/package.json tests/conformance/package-lock.json
	@$(PYTHON) -m scripts.host --purpose "fetch the MCP conformance suite" npm=npm
	@mkdir -p $(CONFORMANCE) && cp tests/conformance/package.json tests/conformance/package-lock.json $(CONFORMANCE)/
	@npm ci --prefix $(CONFORMANCE) --no-fund --no-audit --loglevel error
	@touch $@

# --- what a change must pass

# Tests wait for disks, boxes and programs that end, so more of them run at a time than there are cores.
# Each worker reads every test: what Python compiled is kept, whatever the caller's environment says.
unexport PYTHONDONTWRITEBYTECODE
ENGINE_TESTS := tests/conformance tests/engine tests/flows tests/security/test_box_*.py

test: check engine-test  ## everything: check, then the tests against a real engine

check: lint migrations unit-test  ## what needs no engine: lint, migrations, tests

lint: venv  ## ruff, mypy and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

migrations: venv  ## do the tables and the migrations agree?
	@mkdir -p build && rm -f build/migrations.db
	env HANDRAIL_DATABASE_URL=sqlite:///build/migrations.db $(BIN)/alembic upgrade head
	env HANDRAIL_DATABASE_URL=sqlite:///build/migrations.db $(BIN)/alembic check

unit-test: venv host-tools postgres  ## the tests that need no engine
	$(BIN)/pytest -n $$(($(CORES) + $(CORES) / 2)) --dist worksteal -m "not engine and not race"

engine-test: venv images host-tools postgres conformance-tools  ## the tests against a real engine
	$(BIN)/pytest -n $$(($(CORES) + $(CORES) / 2)) --dist loadfile --no-loadscope-reorder -m engine $(ENGINE_TESTS)

race: venv host-tools postgres  ## six clients race to promote and demote for a minute, on each database
	$(BIN)/pytest -m race

format: venv  ## let ruff format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# --- what it does

demo: venv images host-tools  ## see an agent climb one tier and fall back, with every step on record
	$(BIN)/python -m examples.demo

bench: venv images  ## measure the figures of docs, print a table
	$(BIN)/python -m bench

# --- upkeep

lock: venv  ## compile the hashed requirement files anew (with Python 3.11, the oldest supported)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "handrail: error: make lock needs a .venv of Python 3.11, got %d.%d" % sys.version_info[:2])'
	$(COMPILE) --output-file requirements.txt --extra postgres pyproject.toml
	$(COMPILE) --output-file requirements-dev.txt --extra dev --constraint requirements.txt pyproject.toml
	$(COMPILE) --output-file requirements-agent.txt --constraint requirements-dev.txt requirements-agent.in
	$(COMPILE) --output-file examples/images/mcp-git/requirements.txt --constraint requirements-dev.txt \
		examples/images/mcp-git/requirements.in

clean:  ## remove .venv and what was built; the engine, its images and the cache stay
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
