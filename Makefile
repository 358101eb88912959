# make demo: convert the example and check what comes out. make test: the tests. Each sets up what it needs.
# Needs make and Python 3.11 or newer; `make PYTHON=python3.12 demo` chooses another interpreter.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STUDY  := NCT06108596

.DEFAULT_GOAL := help
.PHONY: help demo test test-servers test-spark servers hapi check wheel browser bench accept packages services schemas extensions evidence docs site container clean validator validate-deep

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | while IFS='	' read -r name what; do printf '  make %-13s %s\n' "$$name" "$$what"; done

demo: $(VENV)/.stamp ## convert the example study to FHIR R4 and ODM 2.0 and validate both
	@echo "Converting examples/$(STUDY).txt, a page of the registry as text ..."
	@mkdir -p out
	@$(BIN)/trialconv to-fhir examples/$(STUDY).txt --out out/$(STUDY).json --issues out/fhir-issues.ndjson --pretty --force
	@$(BIN)/trialconv to-odm examples/$(STUDY).txt --out out/$(STUDY).xml --issues out/odm-issues.ndjson --force
	@echo "Validating against the official schemas ..."
	@$(BIN)/trialconv validate --fhir-version R4 out/$(STUDY).json out/$(STUDY).xml
	@echo
	@echo "FHIR R4 bundle:           out/$(STUDY).json"
	@echo "ODM 2.0 study definition: out/$(STUDY).xml"
	@echo "What was noticed:         out/fhir-issues.ndjson, out/odm-issues.ndjson"

test: $(VENV)/.stamp-dev ## run the tests
	$(BIN)/pytest -n auto

test-spark: $(VENV)/.stamp-spark ## run the tests of the engine for Apache Spark; needs Java 17
	TRIALCONV_SPARK=1 $(BIN)/pytest -n 0 tests/test_bulk_spark.py

check: $(VENV)/.stamp-dev ## lint, formatting, types, direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy $(wildcard examples/*.py tests/typing_example.py)
	$(BIN)/lint-imports --no-cache

wheel: $(VENV)/.stamp-dev ## build the wheel and the sdist, and try each alone on the Pythons that are there
	$(BIN)/python scripts/check_wheel.py

browser: ## install Chromium, which the tests of pages need, where apt and the right to use it are there
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || echo "Chromium cannot be installed here; the tests of pages will be skipped."

bench: $(VENV)/.stamp-dev ## measure, and write the figures into docs/
	$(BIN)/python benchmarks/bench_core.py
	$(BIN)/python benchmarks/bench_core.py --corpus
	$(BIN)/python benchmarks/bench_bulk.py
	$(BIN)/python benchmarks/bench_odm_odmlib.py
	$(BIN)/python benchmarks/bench_dependencies.py
	$(BIN)/python benchmarks/bench_ledger.py
	$(BIN)/python benchmarks/bench_lineage.py
	$(BIN)/python benchmarks/bench_web.py

accept: $(VENV)/.stamp-dev ## rewrite the expected documents of tests/cases; read the diff before you commit it
	$(BIN)/python tests/accept.py

packages: $(VENV)/.stamp-dev ## fetch the official FHIR packages that some tests need, where that can be done
	$(BIN)/python scripts/fhir_packages.py

services: ## install a PostgreSQL server and an engine of SQL on FHIR for the tests, where that can be done
	@scripts/services.sh

servers: $(VENV)/.stamp-dev ## fetch the FHIR servers that `make test-servers` pushes to, where that can be done
	$(BIN)/python scripts/fhir_servers.py

test-servers: $(VENV)/.stamp-dev ## push to real FHIR servers, started by the tests
	$(BIN)/pytest -n 0 -m servers tests/servers

schemas: $(VENV)/.stamp-dev ## make the schemas and element tables anew from the official definitions
	$(BIN)/python scripts/generate_fhir_schemas.py
	$(BIN)/python scripts/generate_fhir_elements.py
	$(BIN)/python scripts/generate_usdm_schema.py

validator: $(VENV)/.stamp-dev ## fetch HL7's own validator, for validate --engine hl7
	$(BIN)/python scripts/hl7_validator.py

validate-deep: $(VENV)/.stamp-dev ## judge what to-fhir writes by HL7's own validator
	$(BIN)/python scripts/validate_deep.py

hapi: $(VENV)/.stamp-dev ## start a HAPI FHIR server on this machine; VERSION=R5 for that version
	$(BIN)/python scripts/start_hapi.py --version $(or $(VERSION),R4)

extensions: $(VENV)/.stamp-dev ## make the definitions of the FHIR extensions anew from their table
	$(BIN)/python scripts/make_extensions.py

evidence: $(VENV)/.stamp-dev ## judge the official FHIR examples and the defects, and write the figures into docs/
	$(BIN)/python scripts/fhir_evidence.py

docs: $(VENV)/.stamp-dev ## renew the generated parts of README.md and docs/
	$(BIN)/python scripts/make_docs.py

site: $(VENV)/.stamp-dev ## build the documentation as a site in site/
	$(BIN)/python scripts/make_site.py

container: $(VENV)/.stamp ## build the container image and try it, with podman
	$(BIN)/python scripts/check_container.py

clean: ## remove what was made here, the virtual environment included
	rm -rf $(VENV) out build dist site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "trialconv needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name a newer one: make PYTHON=python3.12 $(firstword $(MAKECMDGOALS))"; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) -m venv failed; on Debian and Ubuntu the package python3-venv is needed."; exit 1; }

# The stamps say that what pyproject.toml asks for is installed.
$(VENV)/.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing trialconv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml | $(BIN)/python
	@echo "Installing trialconv and its development tools ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $(VENV)/.stamp $@

$(VENV)/.stamp-spark: $(VENV)/.stamp-dev
	@echo "Installing Apache Spark ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,spark]'
	@touch $@
