# Every target creates the environment it needs: `make run` and `make test` work in a clean clone.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# `make lint type test` runs the three in that order, also under -j.
.NOTPARALLEL:

PYTHON ?= python3
GRID ?= grids/clinical_pairs.yaml
CORPORA ?= ../shared/corpora/prepared
BENCHES := bench-scheduling bench-report bench-verdicts bench-gpu bench-step bench-workers bench-parity

BIN := .venv/bin
READY := .venv/.ready
INSTALL := $(BIN)/python -m pip install --progress-bar off -c constraints.txt

.PHONY: help setup run test test-all lint type docs audit faults bench $(BENCHES) bench-planted clean

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with everything that the project needs

# The stamp is older than its prerequisites after a change to either, and the install runs again.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "transfer needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + "; try make PYTHON=python3.11 setup")'
	@rm -f $@
	@echo "setup 1/3: .venv with $$($(PYTHON) --version)"
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv
	@echo "setup 2/3: torch, the largest part (details in .venv/pip.log)"
	@$(INSTALL) torch > .venv/pip.log 2>&1 || { tail -n 20 .venv/pip.log; exit 1; }
	@echo "setup 3/3: everything else, a minute or two"
	@$(INSTALL) -e '.[dev]' >> .venv/pip.log 2>&1 || { tail -n 20 .venv/pip.log; exit 1; }
	@touch $@
	@echo "setup done: $$($(BIN)/python -m pip list 2>/dev/null | tail -n +3 | wc -l) packages"

run: setup ## run the whole pipeline on synthetic corpora and write reports/ (GRID=...)
	$(BIN)/transfer run-grid $(GRID)

# Two files at a time: what the tests of a file share is made once.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: setup ## run the tests and docstring examples, without those marked slow
	$(PYTEST)

test-all: setup ## run every test, including slow ones
	$(PYTEST) -m ''

lint: setup ## run ruff (rules and format) and import-linter (import rules)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

# The wrapper would ask the network whether there is a newer pyright; constraints.txt decides that.
type: export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
type: setup ## run pyright
	$(BIN)/python -m pyright

# One question each; the last three need real corpora.
bench: setup $(BENCHES) ## run all benchmarks at a reasonable size

bench-scheduling: setup ## overhead of a job: 2,000 trivial ones, 200 that wait for others
	$(BIN)/python bench/scheduling.py

bench-report: setup ## time and memory of a report of 30 corpora x 10 seeds (4,660 simulated jobs)
	$(BIN)/python bench/report.py

GRIDS ?= 20
GRAPHS ?= 2
REPETITIONS ?= 100
METRICS ?= accuracy micro_f1
bench-verdicts: setup ## simulate intervals, verdicts, advice and adaptive seeds (GRIDS=... GRAPHS=... REPETITIONS=... METRICS=...)
	$(BIN)/python bench/intervals.py --repetitions $(REPETITIONS) --metrics $(METRICS)
	$(BIN)/python bench/verdicts.py --grids $(GRIDS)
	$(BIN)/python bench/advice.py --grids $(GRIDS)
	$(BIN)/python bench/adaptive.py --graphs $(GRAPHS) --nulls $(GRIDS)

bench-planted: setup ## find planted effects in 20 studies with fresh seeds, an hour or two (STUDIES=...)
	$(BIN)/python bench/planted.py --studies $(or $(STUDIES),20)

docs: setup ## generate docs/reference.md from the code
	$(BIN)/python docs/build.py

bench-step: setup ## compare training and evaluation with the Trainer, a padded loop and the matrix peak (CORPORA=...)
	$(BIN)/python bench/step.py --corpora $(CORPORA)

bench-gpu: setup ## compare BERT-base in bf16 on a GPU with the Trainer, with one, two and four jobs at a time
	$(BIN)/python bench/gpu.py

bench-workers: setup ## compare two one-thread workers with one two-thread worker; memory of a worker (CORPORA=...)
	$(BIN)/python bench/workers.py --corpora $(CORPORA)

bench-parity: setup ## compare single-task scores with those of the Hugging Face Trainer (CORPORA=...)
	$(BIN)/python bench/parity.py --corpora $(CORPORA)

audit: setup ## check installed packages for known vulnerabilities (asks PyPI's advisories over the network)
	$(BIN)/python .ci/audit.py

KILLS ?= 100
faults: setup ## kill driver, workers and raylets at random; nothing may be lost (KILLS=..., ADAPTIVE=1 for adaptive seeds)
	$(BIN)/python bench/faults.py --kills $(KILLS) $(if $(ADAPTIVE),--adaptive)

clean: ## remove .venv and caches; runs/ and reports/ stay
	rm -rf .venv build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
