# The commands a person types. `make` alone lists them.
DEPARTMENT ?= risk
ENVIRONMENT ?= dev
CACHE := $(or $(STAGEGATE_CACHE),$(HOME)/.cache/stagegate)
UV := $(or $(shell command -v uv),$(CACHE)/uv/bin/uv)
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help setup up down shell preview access validate new-department test lint types bench clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 18

setup: .venv/.synced ## install everything that the project needs, locked

.venv/.synced: pyproject.toml uv.lock
	@command -v $(UV) >/dev/null || { echo "installing uv into $(CACHE)/uv"; python3 -m venv $(CACHE)/uv && $(CACHE)/uv/bin/pip install --quiet uv; }
	@$(UV) sync --locked --all-extras --quiet
	@touch $@

up: setup ## bring a department up in the sandbox: make up DEPARTMENT=risk ENVIRONMENT=dev
	@$(BIN)/stagegate up --department $(DEPARTMENT) --environment $(ENVIRONMENT)

down: setup ## stop the sandbox; what was up is up again after the next make up
	@$(BIN)/stagegate sandbox down

shell: setup ## a shell in which plain pulumi and aws talk to the sandbox
	@$(BIN)/stagegate sandbox shell

preview: setup ## what would change: make preview DEPARTMENT=risk ENVIRONMENT=dev
	@$(BIN)/stagegate sandbox run -- pulumi preview --stack $(DEPARTMENT)-$(ENVIRONMENT)

access: setup ## who may do what: make access DEPARTMENT=risk ENVIRONMENT=dev
	@$(BIN)/stagegate access $(DEPARTMENT)-$(ENVIRONMENT)

validate: setup ## check the declarations under stacks/
	@$(BIN)/stagegate validate

new-department: setup ## declare another department: make new-department NAME=claims
	@$(BIN)/stagegate new department $(NAME)

test: setup ## every test
	@$(BIN)/pytest

lint: setup ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup ## mypy, strict
	@$(BIN)/mypy

bench: setup ## benchmarks/engine: previews and updates against a bare program
	@$(BIN)/python -m benchmarks.engine

clean: ## stop the sandbox and delete its state
	@test ! -x $(BIN)/stagegate || $(BIN)/stagegate sandbox down --delete --yes
