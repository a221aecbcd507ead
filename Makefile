# The two commands of this repository; everything they need is installed by tools/set_up.py.
PYTHON ?= python3
VENV_PYTHON := build/venv/bin/python

.PHONY: help setup demo test lint benchmark accuracy speed

help:
	@echo "make demo   install what is missing, then train on and classify a simulated town; results in build/demo"
	@echo "make test   install what is missing, then run the whole test suite"

setup:
	@$(PYTHON) tools/set_up.py

demo: setup
	@$(VENV_PYTHON) -m bdgf.tools.demo

test: setup
	@$(VENV_PYTHON) -m pytest $(ARGS)

lint: setup
	@$(VENV_PYTHON) -m pytest tests/test_style.py tests/test_walls.py

benchmark: setup
	@$(VENV_PYTHON) -m pytest -m benchmark -s tests/benchmarks

accuracy: setup
	@$(VENV_PYTHON) -m tests.benchmarks.accuracy $(ARGS)

speed: setup
	@$(VENV_PYTHON) -m tests.benchmarks.speed $(ARGS)
