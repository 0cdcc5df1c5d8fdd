# Every target does the set-up it needs. `make setup PYTHON=python3.12` chooses the Python.
SHELL := /bin/sh
.DEFAULT_GOAL := help

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$p" -c '$(SUPPORTED)' >/dev/null 2>&1 && { echo "$$p"; exit; }; done; echo python3)
endif
RUN := .venv/bin/python

.PHONY: help setup demo test bench chaos chaos-full lint up down

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

setup: ## install everything into .venv, the embedded parts included; the second run is instant
	@command -v "$(PYTHON)" >/dev/null || { echo "set-up: no $(PYTHON); install Python 3.11 to 3.14 (apt install python3 python3-venv)"; exit 1; }
	@"$(PYTHON)" -m infra.setup

demo: setup ## run the main job on the sample documents, and show what Penstock is used for
	@$(RUN) -m infra.demo

test: setup ## run the tests, on real Kafka, Redis and PostgreSQL
	@$(RUN) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

bench: setup ## measure the engine: slow calls, kill -9, a model away, exactly once, latency, retries; half an hour
	@.venv/bin/penstock bench engine --json

chaos: setup ## kill processes in mid-run and let an outsider audit what became of every document
	@$(RUN) -m pytest tests/chaos

chaos-full: setup ## the same for longer: 30 kills over 20,000 documents, once per group protocol
	@PENSTOCK_CHAOS=full $(RUN) -m pytest tests/chaos

lint: setup ## ruff, formatting, mypy
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@$(RUN) -m mypy

up: setup ## start everything in the background
	@.venv/bin/penstock up --detach

down: ## stop everything
	@.venv/bin/penstock down
