# Each target does its own set-up; all it needs is Python 3.11, 3.12 or 3.13. The work is in shop/local/bootstrap.py.
PORT ?= 8000
DATA ?= .shop-data
ARGS ?=

ANY_PYTHON = $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,$(shell command -v $(name) 2>/dev/null)))
BOOTSTRAP = $(if $(ANY_PYTHON),$(ANY_PYTHON) shop/local/bootstrap.py,$(error This shop needs Python 3.11, 3.12 or 3.13: install one and try again))

.PHONY: run test lint bench lock
.DEFAULT_GOAL = run

run: ## The whole shop on this machine: make run PORT=8123 DATA=/some/dir
	@$(BOOTSTRAP) run --port $(PORT) --data "$(DATA)"

test: ## Every test: make test ARGS="tests/shop -k mail"
	@$(BOOTSTRAP) test $(ARGS)

lint: ## Ruff, mypy --strict and the import contracts
	@$(BOOTSTRAP) lint

bench: ## What every page costs: make bench ARGS="--requests 50"
	@$(BOOTSTRAP) bench $(ARGS)

lock: ## Compile requirements/*.lock anew
	@$(BOOTSTRAP) lock
