# Each target does its own set-up; all it needs is Python 3.11, 3.12 or 3.13. The work is in shop/local/bootstrap.py.
PORT ?= 8000
DATA ?= .shop-data
ARGS ?=

# Any Python that can read bootstrap.py will do: it finds the one to use, and says what to install when there is none.
able = $(shell $(1) -c 'import sys; sys.exit(sys.version_info < (3, 7))' >/dev/null 2>&1 && command -v $(1))
PYTHON = $(or $(call able,python3),$(call able,python3.13),$(call able,python3.12),$(call able,python3.11),$(call able,python))
BOOTSTRAP = $(or $(PYTHON),$(error This shop needs Python 3.11, 3.12 or 3.13: install one and try again)) shop/local/bootstrap.py

.PHONY: run test lint bench prove lock template
.DEFAULT_GOAL = run

run: ## The whole shop on this machine: make run PORT=8123 DATA=/some/dir
	@$(BOOTSTRAP) run --port $(PORT) --data "$(DATA)"

test: ## Every test: make test ARGS="tests/shop -k mail"
	@$(BOOTSTRAP) test $(ARGS)

lint: ## Ruff, mypy --strict and the import contracts
	@$(BOOTSTRAP) lint

bench: ## What every page costs: make bench ARGS="--requests 50"
	@$(BOOTSTRAP) bench $(ARGS)

prove: ## Rushes, crashes, webhook storms and outages: make prove ARGS="rush --rounds 20"
	@$(BOOTSTRAP) prove $(ARGS)

lock: ## Compile requirements/*.lock anew
	@$(BOOTSTRAP) lock

template: ## Write the tables of infra/template.yaml from the row classes
	@$(BOOTSTRAP) template
