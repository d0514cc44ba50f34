# What users and developers run; `make help` lists it.

# The first of these that runs; the oldest is what the checks are run with.
SUPPORTED := 3.11 3.12 3.13
PYTHON ?= $(shell for version in $(SUPPORTED); do \
  python$$version -c 'import venv' 2>/dev/null && echo python$$version && break; done)
CORES ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
WORKERS ?= 2
BENCH ?=

VENV := .venv
BIN := $(VENV)/bin
REPORT := results/demo/report.zip
# What the demo is made for: the run, what coincides in its detectors, its limits and statuses, and
# what is known of its data; and the record of how all of it was made.
DEMO := all timeslides calibrate events provenance
# Scripts that workflow rules start find the environment's programs first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help env env-dev env-crate same-python audit run report test test-workflow test-portable test-slurm test-htcondor \
  profiles soak lint types docs docs-links bench bench-scale mutants fuzz faults \
  explorer-library lock lock-check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(VENV)/.base ## make .venv with all that a run needs
env-dev: $(VENV)/.dev ## add what DINOv2, tests and checks need

VERSION_OF = -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
$(BIN)/python: | same-python
	@python='$(PYTHON)'; version=$$($${python:-false} $(VERSION_OF)); \
	case " $(SUPPORTED) " in *" $${version:-none} "*) ;; *) \
	  echo "One of Python $(SUPPORTED) is needed, and '$${python:-python}' is $${version:-not there}. Install one, or name it:"; \
	  echo "    make PYTHON=/path/to/python3.11 $(or $(MAKECMDGOALS),help)"; exit 1;; esac >&2; \
	$$python -m venv $(VENV)

# An environment of another Python is not made anew in silence, nor used in silence instead.
same-python:
ifeq ($(origin PYTHON),command line)
	@test ! -e $(BIN)/python || { named=$$($(PYTHON) $(VERSION_OF)); made=$$($(BIN)/python $(VERSION_OF)); \
	  test "$$named" = "$$made" || { \
	  echo "$(VENV) was made with Python $$made, and PYTHON=$(PYTHON) is $${named:-not there}. Remove $(VENV), or leave PYTHON out."; \
	  exit 1; } >&2; }
endif

$(VENV)/.base: locks/base.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --requirement locks/base.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.dev: locks/dev.txt $(VENV)/.base
	$(BIN)/python -m pip install --quiet --requirement locks/dev.txt
	@touch $@

# roc-validator wants an older rich than gwmorph does.
env-crate: $(VENV)/crate/.made ## make .venv/crate, with what checks a run's RO-Crate in the tests

$(VENV)/crate/.made: locks/crate.txt | $(BIN)/python
	$(BIN)/python -m venv $(VENV)/crate
	$(VENV)/crate/bin/python -m pip install --quiet --requirement locks/crate.txt
	@touch $@

$(VENV)/audit/.made: locks/audit.txt | $(BIN)/python
	$(BIN)/python -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --requirement locks/audit.txt
	@touch $@

audit: $(VENV)/audit/.made ## report known vulnerabilities of the locked packages
	$(BIN)/python tests/audit.py $(VENV)/audit/bin/pip-audit locks/dev.txt

run: env ## the whole workflow on simulated strain, then its report and a summary
	$(BIN)/snakemake --cores $(CORES) $(DEMO)
	$(MAKE) --no-print-directory report
	$(BIN)/gwmorph summary results/demo
	@echo "Explorer: results/demo/explorer/index.html"

report: env ## the report of the finished run, as a zip
	$(BIN)/snakemake --cores 1 $(DEMO) --configfile results/demo/config.yaml --report $(REPORT)

# A worker that dies is not replaced: pytest-xdist would wait for ever for what it had done.
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --max-worker-restart 0

test: env-dev env-crate ## the library's tests: a quarter of an hour on two cores
	$(PYTEST) --no-loadscope-reorder -m "not workflow"

test-workflow: env-dev env-crate ## those that run Snakemake: as long again
	$(PYTEST) --no-loadscope-reorder -m workflow

# As a processor with AVX2 and nothing newer computes. What the processor itself lacks is ignored.
# numba would take the features of the processor that is there, whatever its name.
OLDER := NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR" OPENBLAS_CORETYPE=Haswell \
  NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx2 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2
NUMERICAL := tests/morphology tests/spectra tests/simulation/test_noise.py \
  tests/simulation/test_simulation_reference.py \
  tests/encoders/test_dct.py tests/encoders/test_indomain.py tests/encoders/test_folded.py \
  tests/evidence/test_agreement.py tests/evidence/test_labelled.py tests/evidence/test_quality.py

test-portable: env-dev ## the numerical tests again, without the processor's newer instructions
	$(OLDER) $(PYTEST) $(NUMERICAL)

# Snakemake's plugins for batch systems, in folders of their own: it loads all that it finds.
$(VENV)/slurm/.made: locks/slurm.txt $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --no-deps --target $(@D) --upgrade --requirement $<
	@touch $@

$(VENV)/htcondor/.made: locks/htcondor.txt $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --no-deps --target $(@D) --upgrade --requirement $<
	@touch $@

test-slurm: env-dev $(VENV)/slurm/.made ## run through a real SLURM, started for it: needs slurm-wlm and munge
	PYTHONPATH=$(CURDIR)/$(VENV)/slurm $(BIN)/python -m pytest tests/slurm/through_slurm.py

test-htcondor: env-dev $(VENV)/htcondor/.made ## what the profile for HTCondor would submit, without HTCondor
	PYTHONPATH=$(CURDIR)/$(VENV)/htcondor $(BIN)/python -m pytest tests/htcondor/profile_for_htcondor.py

# By the demo and whatever else has run; the two finished runs that the project's own are by are not kept.
RUNS ?= results/demo
profiles: env ## what jobs ask a batch system for, by the runs RUNS
	$(BIN)/gwmorph requests $(RUNS) --write

soak: env-dev ## watch 500 blocks with every fault mixed in: a quarter of an hour
	$(BIN)/python tests/scanner/soak.py --blocks 500

lint: env-dev ## formats and lints, nothing is changed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

types: env-dev ## check types
	$(BIN)/mypy

# A page that was built with a warning would pass the next time if it were not read anew.
DOCS := -W --keep-going --fresh-env --quiet docs
docs: env-dev ## the documentation, into docs/_build/html; links inside of it are checked
	$(BIN)/python -m sphinx -b html $(DOCS) docs/_build/html

docs-links: env-dev ## ask other servers whether what the documentation links to is there
	$(BIN)/python -m sphinx -b linkcheck $(DOCS) docs/_build/links

bench: env-dev ## measure against peers: make bench, or make bench BENCH=name
	$(BIN)/python benchmarks/run.py $(BENCH)

SCALE := pipeline pipeline_int8 pipeline_shipped pipeline_vs_incumbent pipeline_vs_incumbent_bf16 \
  pipeline_cores pipeline_blocks_8 pipeline_blocks_32 dag_o1 dag_o4a dag_o4a_memory dag_growth \
  job_start
bench-scale: env-dev ## three days of two detectors, and all of O4a laid out: an hour, 12 GB of disk
	$(BIN)/python benchmarks/run.py $(SCALE)

# cosmic-ray's own dependencies are for its runner, and are others than Snakemake's.
MUTATION := $(VENV)/mutation
mutants: env-dev ## change the code at random places and count what the tests notice: hours
	$(BIN)/python -m pip install -q --no-deps --target $(MUTATION) --upgrade \
	  cosmic-ray==8.7.0 parso==0.8.7 stevedore==5.10.0
	PYTHONPATH=$(MUTATION) $(BIN)/python benchmarks/mutants.py

# Atheris is in no lock: nothing else needs it, and it has no wheel for macOS.
FUZZ := $(VENV)/fuzz
INPUTS ?= 10000
fuzz: env-dev ## read damaged and odd files with every reader, so many each: an hour
	$(BIN)/python -m pip install -q --no-deps --target $(FUZZ) --upgrade atheris==3.0.0
	PYTHONPATH=$(FUZZ) $(BIN)/python tests/fuzz/fuzz.py --inputs $(INPUTS)

# What is in its way is a disk of its own, which takes root; others skip what needs it.
RULES ?=
faults: env-dev ## kill, fill and harm every rule of the workflow, or RULES: an hour
	$(BIN)/python tests/faults/faults.py $(RULES)

# torch is pinned exactly and alone: its CUDA packages and local versions (+cpu) depend on the
# machine that resolves.
COMPILE = CUSTOM_COMPILE_COMMAND="make lock" $(LOCKER) --quiet --strip-extras \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --annotation-style=line \
  --unsafe-package gwmorph
LOCKER ?= $(BIN)/pip-compile

$(BIN)/pip-compile: | $(BIN)/python
	$(BIN)/python -m pip install --quiet pip-tools==7.6.2

explorer-library: ## bundle the explorer's map library anew: needs npm
	folder=$$(mktemp -d) && cd $$folder && npm install --silent --save-exact \
	  regl-scatterplot@1.16.0 regl@2.1.1 pub-sub-es@3.0.0 esbuild@0.28.2 && \
	  echo 'export { default, createRenderer } from "regl-scatterplot";' > entry.js && node node_modules/esbuild/install.js && \
	  npx esbuild entry.js --bundle --minify --format=iife --global-name=reglScatterplot \
	  --legal-comments=none --outfile=$(CURDIR)/src/gwmorph/report/explorer/page/regl-scatterplot.min.js

lock: | $(LOCKER) ## resolve the locks anew
	$(COMPILE) --output-file locks/base.txt pyproject.toml
	$(COMPILE) --constraint locks/base.txt --extra dinov2 --extra dev \
	  --output-file locks/dev.txt pyproject.toml
	sed -E -i.old '/^(nvidia|cuda|triton)/d; /^# (gwmorph|The following packages)/d; s/\+cpu//' \
	  locks/base.txt locks/dev.txt
	rm locks/base.txt.old locks/dev.txt.old

# connection-pool has no wheel; its one source file is for every Python.
lock-check: | $(BIN)/python ## ask the package index for every locked package, for each Python
	for version in $(SUPPORTED); do echo "Python $$version"; \
	  $(BIN)/python -m pip install --quiet --dry-run --ignore-installed --no-deps --target lock-check \
	    --only-binary :all: --no-binary connection-pool --python-version $$version \
	    --requirement locks/dev.txt || exit 1; done

clean: ## remove the demo run and the tools' caches; strain and weights stay
	rm -rf results/demo docs/_build docs/generated .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis
