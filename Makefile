.DEFAULT_GOAL := help
.PHONY: help run test check lint types contracts pytest oracles outcomes faults reference site bench lock clean

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name) 2>/dev/null)))
BIN := .venv/bin
# A third of a test's time is waiting for servers, locks and clocks, so there is work for one process more than there are cores.
TEST_PROCESSES ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PINNED := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation
INSTALLED := .venv/installed
TOOLS := .venv/tools
FUZZER := .venv/fuzzer
ZENSICAL := .venv-docs/bin/zensical

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED) ## convert data/input to data/output, creating sample images if there are none
	@$(BIN)/python -m pixmill.testing.sample_images data/input
	$(BIN)/pixmill run data/input data/output
	@echo
	@echo 'The outputs are in data/output. Next, try:'
	@echo '  $(BIN)/pixmill run data/input data/small --size 400x400 --fit cover --format webp'
	@echo '  $(BIN)/pixmill explain resize'
	@echo '  $(BIN)/pixmill run --help'

test: lint types contracts pytest ## run lint, type checks, import contracts and every test, as CI does

check: test ## the same as test

lint: $(TOOLS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(TOOLS)
	$(BIN)/mypy

contracts: $(TOOLS)
	$(BIN)/lint-imports

pytest: $(TOOLS) $(ZENSICAL)
	$(BIN)/pytest --numprocesses $(TEST_PROCESSES) --dist worksteal --durations=40

oracles: $(TOOLS) ## compare outputs with what other programs say of them, every combination; make test does a part of it
	ORACLES=all $(BIN)/pytest tests/oracles --numprocesses auto --dist worksteal

outcomes: $(TOOLS) ## take over how the files of the corpus end, and their colours, into tests/corpus/outcomes.tsv and docs/inputs.md
	ACCEPT_OUTCOMES=1 ORACLES=all $(BIN)/pytest tests/corpus/test_whole_corpus.py tests/oracles/test_corpus_colours.py
	$(BIN)/python docs/inputs.py

faults: $(FUZZER) ## run the fault-injection tests on the real command: kill loops, power cuts, fuzzing (up to 40 minutes; Linux, preferably as root)
	FAULT_FIGURES=.pytest_cache/faults.json $(BIN)/pytest tests/faults tests/fuzz -m '' --numprocesses auto --dist worksteal
	$(BIN)/python docs/reliability.py .pytest_cache/faults.json

reference: $(INSTALLED) ## regenerate docs/reference from the declarations
	$(BIN)/pixmill explain --write docs/reference

site: $(INSTALLED) $(ZENSICAL) ## build the documentation site into site/
	@$(BIN)/python docs/website.py site $(ZENSICAL)
	@echo 'Read it: python3 -m http.server --directory site'

bench: $(TOOLS) ## run the benchmarks and print the ratios that the documentation quotes
	$(BIN)/python benchmarks/run.py

lock: ## pin the latest versions allowed by pyproject.toml in requirements*.txt
	sh requirements.sh

clean: ## remove everything that make created, except outputs
	rm -rf .venv .venv-docs site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'pixmill needs Python 3.11 or newer: make PYTHON=/path/to/python3.11'; exit 1; }
	@$(PYTHON) -m venv .venv || { echo 'venv is missing; on Debian: apt install python3-venv'; rm -rf .venv; exit 1; }

# A file that pip downloads must have a digest that the requirements list, also the tools that build what comes as source.
$(INSTALLED): .venv/bin/pip requirements.txt docker/requirements-build.txt pyproject.toml
	@echo 'Installing into .venv'
	@$(PINNED) -r docker/requirements-build.txt
	@$(PINNED) -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(TOOLS): $(INSTALLED) requirements-dev.txt
	@$(PINNED) -r requirements-dev.txt
	@touch $@

$(FUZZER): $(TOOLS) requirements-faults.txt
	@$(PINNED) -r requirements-faults.txt
	@touch $@

# An environment of its own: the tests pin other versions of the same packages.
$(ZENSICAL): requirements-docs.txt
	@$(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-docs.txt
	@touch $@
