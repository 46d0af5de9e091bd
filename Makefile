# The one door: `make demo` and `make test` work on a fresh clone.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests start many processes, and each would compile the package again.
unexport PYTHONDONTWRITEBYTECODE
PYTHONS := 3.11 3.12 3.13 3.14

.PHONY: demo test truth lint types docs bench device fuzz matrix lowest clean

demo: $(READY)                  ## run the main job on the checkpoint that ships with the project
	$(BIN)/weightscope ls demo:gpt
	$(BIN)/weightscope fit demo:gpt

# Half of the work. Two processes collect half of the tests each, and none of them reports to
# another one, which takes 40 s of CPU for 11,000 tests.
HALF := tests/analyses tests/cli tests/docs tests/engine tests/reports

test: $(READY)                  ## the tests, in two processes
	@TEST_CORE=0 $(BIN)/python -m pytest $(HALF) & half=$$!; \
	TEST_CORE=1 $(BIN)/python -m pytest $(HALF:%=--ignore=%); rest=$$?; \
	wait $$half && exit $$rest

truth: $(READY)                 ## each column against a second computation, then its page
	$(BIN)/python -m tests.truth
	$(BIN)/python -m docs.generate

lint: $(READY)                  ## rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

docs: $(READY)                  ## generated pages, then the site; broken links are errors
	$(BIN)/python -m docs.generate
	$(BIN)/zensical build --clean --strict

bench: $(READY)                 ## ratios to the peers, printed as a table
	$(BIN)/python -m tests.bench

device: $(READY)                ## the checks of a GPU and its figures, in device.json; skipped without one
	$(BIN)/python -m tests.device

fuzz: $(READY)                  ## changed bytes in every parser, for FUZZ_SECONDS (600)
	$(BIN)/python -m tests.fuzz

matrix:                         ## the tests under each of PYTHONS that is installed, an environment each
	@for version in $(PYTHONS); do \
		if command -v python$$version > /dev/null; then \
			$(MAKE) test PYTHON=python$$version VENV=.venv-$$version || exit 1; \
		else \
			echo "python$$version is not installed: left out"; \
		fi; \
	done

# The lower bounds of pyproject.toml as exact versions: `    "scipy>=1.13",` becomes `scipy==1.13`.
LOWEST := sed -n 's/^    "\([a-z]*\)>=\([0-9.]*\)",$$/\1==\2/p; s/^plot = \["matplotlib>=\([0-9.]*\)"\]$$/matplotlib==\1/p'

lowest:                         ## every command of the documents with the lowest versions of the dependencies
	$(PYTHON) -m venv .venv-lowest
	$(LOWEST) pyproject.toml > .venv-lowest/lowest.txt
	.venv-lowest/bin/pip install -q -c .venv-lowest/lowest.txt '.[plot,test]'
	.venv-lowest/bin/python -m pytest -n 2 -o filterwarnings=default tests/docs/test_commands.py -k "test_commands_run or test_python_runs"

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -e '.[plot,dev]'
	@touch $@

clean:
	rm -rf .venv .venv-* site .cache .pytest_cache .mypy_cache .ruff_cache
