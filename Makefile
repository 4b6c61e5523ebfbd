# Every target makes the virtual environment itself; nothing but Python 3.11, make and bash is assumed.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

BIN := .venv/bin
CRM := $(BIN)/python -m crm_platform
PACKAGES := platform/crm_platform tenants billing crm_core api
ENVIRONMENT := .venv/.ready
TRANSLATIONS := .venv/.translations
STATIC := .venv/.static
CATALOGUES := $(shell find locale $(PACKAGES) -name '*.po' 2>/dev/null)
STATIC_FILES := $(shell find $(PACKAGES) -path '*/static/*' -type f 2>/dev/null)
TEMPLATES := $(shell find $(PACKAGES) -path '*/templates/*' -name '*.html' 2>/dev/null)

.PHONY: help demo demo-check test check lint types contracts migrations templates translations bench fmt clean

help: ## this list
	@echo "Rapport, the rented CRM. make demo runs it."
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(ENVIRONMENT) ## everything on this machine, at http://localhost:8000 (ARGS="--port 8001")
	@exec $(CRM) demo $(ARGS)

demo-check: $(ENVIRONMENT) ## start the demo on a free port, look at every page, stop
	@exec $(CRM) demo --check $(ARGS)

test: $(ENVIRONMENT) $(TRANSLATIONS) $(STATIC) ## all tests but the benchmarks (ARGS="-k board")
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: lint types contracts migrations templates translations test ## everything that must hold before a change goes in

lint: $(ENVIRONMENT) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(ENVIRONMENT) ## mypy, strict
	$(BIN)/mypy

contracts: $(ENVIRONMENT) ## who may import whom
	$(BIN)/lint-imports

migrations: $(ENVIRONMENT) ## models and migrations agree; the production settings are safe
	$(CRM) makemigrations --check --dry-run
	$(CRM) check

templates: $(ENVIRONMENT) ## djade and djlint
	$(if $(TEMPLATES),@$(BIN)/djade --target-version 5.2 --check $(TEMPLATES))
	$(if $(TEMPLATES),@$(BIN)/djlint --lint --quiet --profile=django $(TEMPLATES))

translations: $(ENVIRONMENT) $(TRANSLATIONS) ## every sentence in every language
	$(CRM) i18n check

bench: ## list the benchmarks; make bench-NAME runs one
	@for file in tests/benchmarks/bench_*.py; do \
		[ -e "$$file" ] || { echo "There is no benchmark yet."; break; }; \
		name=$${file##*/bench_}; name=$${name%.py}; \
		printf '  make bench-%-12s %s\n' "$${name//_/-}" "$$(sed -n '1s/^"""\([^"]*\).*/\1/p' "$$file")"; \
	done

bench-%: $(ENVIRONMENT) $(TRANSLATIONS) ## run one benchmark; its last line is one JSON object (ARGS=…)
	@exec $(BIN)/python -m tests.benchmarks.bench_$(subst -,_,$*) $(ARGS)

fmt: $(ENVIRONMENT) ## put code and templates into their form
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .
	$(if $(TEMPLATES),@$(BIN)/djade --target-version 5.2 $(TEMPLATES) || true)

clean: ## delete what is made from the sources (never the data in .data/)
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(ENVIRONMENT): uv.lock pyproject.toml
	@.ci/venv
	@touch $@

$(TRANSLATIONS): $(ENVIRONMENT) $(CATALOGUES)
	@$(CRM) i18n compile
	@touch $@

$(STATIC): $(ENVIRONMENT) $(STATIC_FILES)
	@RAPPORT_DATA=$(CURDIR)/.data/test $(CRM) collectstatic --no-input --verbosity 0
	@touch $@
