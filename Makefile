# Each target sets up what it needs. The first `make` of a clone builds .venv (a few minutes); later ones reuse it.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test wheel lowest clients ray check bench clean

setup: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

demo: setup
	$(BIN)/python -m examples.demo

test: setup
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

wheel: setup
	$(BIN)/python -m tests.bare.install

lowest: setup
	$(BIN)/python -m tests.bare.install --lowest

clients: setup
	$(BIN)/python -m tests.clients.install

ray: setup
	$(BIN)/python -m pytest tests/cluster/nodes.py

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist runs
	find . -name __pycache__ -prune -exec rm -rf {} +
