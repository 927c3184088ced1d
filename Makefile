# Everything that is needed is installed into this checkout (.tools, .venv); Python 3.11 or newer and make are enough.
PYTHON ?= python3
UV := $(shell uv --version 2>/dev/null | grep -qE '^uv (0\.(9|[1-9][0-9]+)|[1-9][0-9]*)\.' && echo uv || echo .tools/bin/uv)
READY := .venv/.ready
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test proof lint types format check docs bench load clean

help: ## List these targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(READY) ## Make a lake out of generated traffic in ./demo and ask it three questions
	@$(BIN)/tollhouse demo $(ARGS)

test: $(READY) ## Run the tests; make test ARGS="tests/lake -x" runs some
	@$(BIN)/pytest -m "not proof" $(ARGS)

proof: $(READY) ## Run the tests and the long form of every check
	@$(BIN)/pytest $(ARGS)

lint: $(READY) ## Lint, formatting and import rules
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache

types: $(READY) ## Strict types of src
	@$(BIN)/basedpyright

format: $(READY) ## Format the code and mend what the linter can mend
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format .

check: lint types test ## All that continuous integration checks

docs: $(READY) ## Write the generated sections of README.md and docs/
	@$(BIN)/python -m tollhouse.documentation

bench: $(READY) ## Measure the pipeline, as benchmarks/README.md says
	@$(BIN)/python benchmarks/pipeline.py $(ARGS)

load: $(READY) ## Measure the gateway beside going direct and a peer, as benchmarks/README.md says
	@$(BIN)/python benchmarks/gateway.py $(ARGS)

clean: ## Remove all that was made here, the demo too
	rm -rf .venv .tools demo dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml uv.lock | $(filter .tools/%,$(UV))
	$(UV) sync --locked --quiet
	@touch $@

.tools/bin/uv:
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
