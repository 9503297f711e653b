SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
# Only what the caller of make wrote counts: other tools use a variable PYTHON too.
ASKED := $(if $(findstring command,$(origin PYTHON)),$(PYTHON))
WORKERS ?= 2

.PHONY: help env demo test check docs up down clean bench tune lock emulators test-live

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

env: ## Build .venv from the lock; PYTHON=3.12 (a version or a path) chooses the interpreter
	@scripts/env.sh '$(ASKED)'

demo: env ## Run the whole chain as DAG runs; SOURCE=simulated|files, WAREHOUSE=duckdb|bigquery
	@$(BIN)/python scripts/demo.py $(if $(SOURCE),--source '$(SOURCE)') $(if $(WAREHOUSE),--warehouse '$(WAREHOUSE)')

test: env ## Run all tests that need no network and no account; ARGS="tests/slate -k quality" narrows them
	@scripts/emulators.sh || [ $$? -eq 2 ]
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-live: env ## Run the contract of warehouse and store on a real Google project: PROJECT=… BUCKET=…
	@[ -n '$(PROJECT)' ] && [ -n '$(BUCKET)' ] || { echo 'make test-live PROJECT=my-project BUCKET=my-bucket, see docs/google.md' >&2; exit 2; }
	@LIVE_PROJECT='$(PROJECT)' LIVE_BUCKET='$(BUCKET)' $(BIN)/python -m pytest -m live tests/contract $(ARGS)

emulators: env ## Build the emulators of BigQuery and GCS; make test and make demo WAREHOUSE=bigquery do it themselves
	@scripts/emulators.sh

check: env ## Check style, types and generated pages
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/python -m nba_ml.warehouse.docs --check
	@$(BIN)/python -m nba_ml.validation.docs --check
	@$(BIN)/python scripts/questions_docs.py --check
	@$(BIN)/python scripts/growth.py --check
	@$(BIN)/python scripts/dags_docs.py --check
	@$(BIN)/python scripts/faults_docs.py --check

docs: env ## Write the generated pages again: docs/tables.md, expectations.md, questions.md, dags.md, faults.md
	@$(BIN)/python -m nba_ml.warehouse.docs
	@$(BIN)/python -m nba_ml.validation.docs
	@$(BIN)/python scripts/questions_docs.py
	@$(BIN)/python scripts/growth.py
	@$(BIN)/python scripts/dags_docs.py
	@$(BIN)/python scripts/faults_docs.py

up: env ## Start Airflow with the DAGs, and print its address and login
	@$(BIN)/python scripts/up.py

down: env ## Stop what `make up` started
	@$(BIN)/python scripts/down.py

bench: env ## Measure each claim about speed, as a ratio within one run
	@for file in benchmarks/bench_*.py; do $(BIN)/python "$$file"; done

tune: env ## Search for better constants of XGBoost on the choosing seasons; ARGS="--trials 20 --folds 4" says how long
	@$(BIN)/nba-ml tune $(ARGS)

clean: ## Remove the environment and caches; data stays (NBA_ML_HOME, by default .nba_ml)
	@rm -rf .venv .uv .emulators .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: env ## Compile the locks again from pyproject.toml; ARGS="--upgrade-package polars" takes a newer one
	@scripts/lock.sh $(ARGS)
