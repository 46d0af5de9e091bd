# The one door: `make demo` and `make test` work on a fresh clone.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint types docs bench clean

demo: $(READY)                  ## run the main job on the checkpoint that ships with the project
	$(BIN)/weightscope ls demo:gpt
	$(BIN)/weightscope fit demo:gpt

test: $(READY)                  ## the tests
	$(BIN)/python -m pytest -n 2

lint: $(READY)
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

docs: $(READY)                  ## generated pages, then the site; broken links are errors
	$(BIN)/python -m docs.generate
	$(BIN)/zensical build --clean --strict

bench: $(READY)                 ## ratios to the peers, printed as a table
	$(BIN)/python -m tests.bench

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[plot,dev]'
	@touch $@

clean:
	rm -rf .venv site .cache .pytest_cache .mypy_cache .ruff_cache
