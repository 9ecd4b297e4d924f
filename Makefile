# Each target does its own set-up; all it needs is Python 3.11, 3.12 or 3.13. The work is in shop/local/bootstrap.py.
PORT ?= 8000
DATA ?= .shop-data
EMPTY ?=
ARGS ?=

# Any Python that can read bootstrap.py will do: it finds the one to use, and says what to install when there is none.
able = $(shell $(1) -c 'import sys; sys.exit(sys.version_info < (3, 7))' >/dev/null 2>&1 && command -v $(1))
PYTHON = $(or $(call able,python3),$(call able,python3.13),$(call able,python3.12),$(call able,python3.11),$(call able,python))
# `exec`: a signal to make reaches the program itself, not a shell between them.
BOOTSTRAP = exec $(or $(PYTHON),$(error This shop needs Python 3.11, 3.12 or 3.13: install one and try again)) shop/local/bootstrap.py

.PHONY: run test lint bench prove audit lock template image image-test deploy destroy costs
.DEFAULT_GOAL = run

run: ## The whole shop on this machine: make run PORT=8123 DATA=/some/dir (EMPTY=yes: a new one without demo products and people)
	@$(BOOTSTRAP) run --port $(PORT) --data "$(DATA)" $(if $(EMPTY),--empty)

test: ## Every test: make test ARGS="tests/shop -k mail"
	@$(BOOTSTRAP) test $(ARGS)

lint: ## Ruff, mypy --strict and the import contracts
	@$(BOOTSTRAP) lint

bench: ## What every page costs: make bench ARGS="--requests 50"
	@$(BOOTSTRAP) bench $(ARGS)

prove: ## Rushes, crashes, webhook storms, outages and imports: make prove ARGS="rush --rounds 5"
	@$(BOOTSTRAP) prove $(ARGS)

audit: ## Every page under axe, the chief ones under Lighthouse: make audit ARGS="--runs 1 --only cart"
	@$(BOOTSTRAP) audit $(ARGS)

lock: ## Compile requirements/*.lock anew
	@$(BOOTSTRAP) lock

template: ## Write the tables of infra/template.yaml from the row classes
	@$(BOOTSTRAP) template

image: ## The container image: make image BASE=another/base:tag
	@$(BOOTSTRAP) infra image.py build $(if $(BASE),--base $(BASE))

image-test: ## Build it on a stand-in base and buy something through it
	@$(BOOTSTRAP) infra image.py test $(if $(BASE),--base $(BASE))

deploy: ## To AWS: make deploy ENV=prod REGION=eu-west-1 ARGS="EmailFrom=shop@example.com"
	@$(BOOTSTRAP) infra deploy.py deploy --environment $(or $(ENV),prod) $(if $(REGION),--region $(REGION)) $(ARGS)

destroy: ## End a stack; tables and photographs stay: make destroy ENV=test
	@$(BOOTSTRAP) infra deploy.py destroy --environment $(or $(ENV),prod) $(if $(REGION),--region $(REGION)) $(ARGS)

costs: ## Write docs/costs.md anew from measured units and infra/prices.json
	@$(BOOTSTRAP) infra costs.py
