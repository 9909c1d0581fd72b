# Every verb does its own set-up: a virtual environment, what the tests need from Debian when root.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000
PYTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_INPUTS ?= 10000000
FUZZ_ARGS ?=
SOAK_MINUTES ?= 20

.PHONY: setup run test check bench bench-path bench-probes bench-seeing bench-static docs fuzz coverage fresh guards compat slow soak faults compiled compiled-test wheels debian clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml tools/venv.sh
	PYTHON=$(PYTHON) tools/venv.sh $(VENV)
	touch $@

run: setup
	$(BIN)/penstock --chdir examples hello:application --bind 127.0.0.1:$(PORT)

test: setup debian
	tools/test.sh $(BIN)/python $(PYTEST_ARGS)

# nginx for the tests behind it; installed when root, named otherwise (those tests then say that they skip).
debian:
	tools/debian.sh nginx

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py tests/test_house.py

bench:
	PYTHON=$(PYTHON) tools/peers.sh
	$(PYTHON) -m benchmarks $(BENCH_ARGS)

# Files over keep-alive beside uWSGI, nginx and WhiteNoise.
bench-static:
	PYTHON=$(PYTHON) tools/peers.sh
	$(PYTHON) -m benchmarks.statics $(BENCH_ARGS)

# Health probes while all threads are held, beside gunicorn and uWSGI.
bench-probes:
	PYTHON=$(PYTHON) tools/peers.sh
	$(PYTHON) -m benchmarks.probes $(BENCH_ARGS)

# What log, metrics and phases cost a request, and whether reading them disturbs; under eight minutes.
bench-seeing:
	PYTHON=$(PYTHON) tools/peers.sh
	$(PYTHON) -m benchmarks.seeing $(BENCH_ARGS)

bench-path: setup
	tools/debian.sh valgrind
	$(BIN)/python -m benchmarks.path --check

docs: setup
	$(BIN)/python -m penstock.config.show > docs/options.md

fuzz: setup
	$(BIN)/python -m tests.fuzz --inputs $(FUZZ_INPUTS) --jobs 2 $(FUZZ_ARGS)
	$(BIN)/python -m tests.fuzz --cuts
	$(BIN)/python -m pytest -q -m "not compat" tests/codecs -k hypothesis --hypothesis-profile=long --timeout 900 -n 2

# Branch coverage of the codecs: what reads bytes of strangers is tried whole.
coverage: setup
	$(BIN)/python -m coverage run --branch --source=src/penstock/codecs -m pytest -q tests/codecs tests/fuzz/test_fuzz.py --timeout 120
	$(BIN)/python -m coverage report -m --fail-under=100

guards: setup
	$(BIN)/python -m tests.guards.run

compat: setup debian
	PYTHON=$(PYTHON) tools/uwsgi.sh .venv-uwsgi
	$(BIN)/python -m pytest -q -m compat tests/compat $(PYTEST_ARGS)

# Mixed real traffic with faults, each reply verified; then clients that leave while others come.
soak: setup
	$(BIN)/python -m tests.soak --minutes $(SOAK_MINUTES)
	$(BIN)/python -m tests.soak.leavers --clients 100000

# Reloads, broken deploys, deaths, deadlines and memory under a load that counts every request; each scenario
# is a script too (python -m tests.supervision.reloads --help).
faults: setup
	tools/debian.sh nginx wrk
	$(BIN)/python -m pytest -q -s -m supervision tests/supervision $(PYTEST_ARGS)

# A wheel whose request path mypyc has compiled: dist/penstock-*-cp*.whl.
compiled: setup
	tools/compiled.sh $(BIN)/python

# What a release is made of: the sources, the plain wheel, and compiled ones for the PYTHONS of this machine.
PYTHONS ?= $(BIN)/python
wheels: setup
	tools/wheels.sh $(VENV)-wheels dist $(PYTHONS)

# It is installed in an environment of its own, and the tests run against it.
compiled-test: setup debian
	tools/compiled-test.sh $(BIN)/python $(VENV)-compiled $(PYTEST_ARGS)

slow: setup debian
	tools/debian.sh chromium
	$(BIN)/python -m pytest -q -m slow tests $(PYTEST_ARGS)

fresh:
	tools/fresh.sh

clean:
	rm -rf .venv .venv-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
