# Tunedrop: every task sets itself up. Needs Python 3.11+, Node 20+ and make; nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
PY := .venv/bin/python
export PYTHONPATH := lambdas:.
# jsii warns about Node 20 on every start; the project supports it.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo guide up down test check format bench-data bench-waiting bench-waking openapi synth lock clean

help:  ## list the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready .venv-local/.ready node_modules/.ready build/layers/.ready  ## install everything (the other tasks do this too)

.venv/.ready: requirements/installer.txt requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tunedrop needs Python 3.11 or newer; set PYTHON=...")'
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/installer.txt
	@.venv/bin/uv pip sync --quiet --compile-bytecode --python $(PY) --require-hashes requirements/installer.txt requirements/dev.txt
	@touch $@

.venv-local/.ready: .venv/.ready requirements/local.txt
	@.venv/bin/uv venv --quiet --allow-existing --python $(PY) .venv-local
	@.venv/bin/uv pip sync --quiet --compile-bytecode --python .venv-local/bin/python --require-hashes requirements/local.txt
	@touch $@

.venv-bench/.ready: .venv/.ready requirements/bench.txt
	@.venv/bin/uv venv --quiet --allow-existing --python $(PY) .venv-bench
	@.venv/bin/uv pip sync --quiet --compile-bytecode --python .venv-bench/bin/python --require-hashes requirements/bench.txt
	@touch $@

node_modules/.ready: package.json package-lock.json
	@npm ci --silent --no-audit --no-fund
	@touch $@

build/layers/.ready: .venv/.ready infra/packaging.py requirements/functions-base.txt requirements/functions-api.txt requirements/functions-openai.txt requirements/functions-databricks.txt requirements/functions-prepare.txt
	@$(PY) -m infra.packaging
	@touch $@

demo: setup  ## drop three files, get three tuned models, on this machine
	@$(PY) -m local.demo

guide: setup  ## run every block of docs/guide.md, on this machine
	@$(PY) -m local.guide

up: setup  ## leave the same stack running here
	@$(PY) -m local.up

down:  ## stop what `make up` started
	@test ! -x $(PY) || $(PY) -m local.down

test: setup  ## run all tests
	@$(PY) -m pytest --numprocesses 2

check: setup  ## lint, types, architecture
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

format: .venv/.ready  ## format the code
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

bench-data: .venv-bench/.ready  ## measure checking and converting rows against DSPy (MB=20: small)
	@.venv-bench/bin/python -m benchmarks.data

bench-waiting: .venv/.ready  ## what waiting for a job takes: transitions, calls, price, delay
	@$(PY) -m benchmarks.waiting

bench-waking: setup  ## how soon news end a wait, on the embedded AWS
	@$(PY) -m benchmarks.waking

openapi: .venv/.ready  ## write docs/openapi.json from the code
	@mkdir -p build
	@$(PY) -m tunedrop.http.openapi > build/openapi.json
	@mv build/openapi.json docs/openapi.json

synth: setup  ## write the CloudFormation template for AWS to cdk.out
	@node_modules/.bin/cdk synth --quiet

lock: .venv/.ready  ## rewrite the lock files
	@requirements/compile.sh --upgrade

clean:  ## remove what the tasks built
	rm -rf .venv .venv-local .venv-bench node_modules build cdk.out
