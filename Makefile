.DEFAULT_GOAL := help
.PHONY: help run test check lint types contracts pytest faults reference bench lock clean

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name) 2>/dev/null)))
BIN := .venv/bin
INSTALLED := .venv/installed
TOOLS := .venv/tools
FUZZER := .venv/fuzzer

help: ## list what can be done here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED) ## convert data/input to data/output, with sample images where there are none
	@$(BIN)/python -m pixmill.testing.sample_images data/input
	$(BIN)/pixmill run data/input data/output
	@echo
	@echo 'Look at data/output. Then try:'
	@echo '  $(BIN)/pixmill run data/input data/small --size 400x400 --fit cover --format webp'
	@echo '  $(BIN)/pixmill explain resize'
	@echo '  $(BIN)/pixmill run --help'

test: lint types contracts pytest ## lint, types, import contracts and every test: what CI runs

check: test ## the same as test

lint: $(TOOLS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(TOOLS)
	$(BIN)/mypy

contracts: $(TOOLS)
	$(BIN)/lint-imports

pytest: $(TOOLS)
	$(BIN)/pytest --numprocesses auto --dist worksteal --durations=40

faults: $(FUZZER) ## inject every fault into the real command: kill loops, power cuts, fuzzing (up to 40 minutes; Linux, best as root)
	FAULT_FIGURES=.pytest_cache/faults.json $(BIN)/pytest tests/faults tests/fuzz -m '' --numprocesses auto --dist worksteal
	$(BIN)/python docs/reliability.py .pytest_cache/faults.json

reference: $(INSTALLED) ## write docs/reference anew from the declarations
	$(BIN)/pixmill explain --write docs/reference

bench: $(TOOLS) ## measure this machine, and print the ratios that the documents quote
	$(BIN)/python benchmarks/run.py

lock: ## pin the newest versions that fit pyproject.toml in requirements*.txt
	sh requirements.sh

clean: ## remove everything that make made, outputs excepted
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'pixmill needs Python 3.11 or newer: make PYTHON=/path/to/python3.11'; exit 1; }
	@$(PYTHON) -m venv .venv || { echo 'venv is missing; on Debian: apt install python3-venv'; rm -rf .venv; exit 1; }

$(INSTALLED): .venv/bin/pip requirements.txt pyproject.toml
	@echo 'Installing into .venv'
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(TOOLS): $(INSTALLED) requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(FUZZER): $(TOOLS) requirements-faults.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-faults.txt
	@touch $@
