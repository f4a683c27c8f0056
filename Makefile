# Every target makes .venv by itself and installs what it needs, once.
# PYTHON=python3.12 chooses the interpreter, ARGS='-k zoo' is handed on to pytest,
# ROUNDS=9 makes `make bench` longer and steadier, PARALLEL=1 has `make reports` train one at a time.

PYTHON ?= python3
ARGS ?=
ROUNDS ?= 5
PARALLEL ?= 2
PY := .venv/bin/python
PIP_FLAGS := --disable-pip-version-check --no-input
VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])'

# A stamp is touched only after its install has succeeded, so an interrupted one is done again.
RUN := .venv/installed-run
LITE := .venv/installed-lite
DETECTION := .venv/installed-detection
DEV := .venv/installed-dev
PEERS := .venv/installed-peers
TORCHVISION := .venv/torchvision
SERVING := .venv-serving/installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-folder demo-detect test lint data reports reports-again reports-detection bench bench-quick bench-growth clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

demo: $(LITE)  ## train on handwritten digits, evaluate, export: a few minutes
	$(PY) -m trainers.classify --run_dir=runs/demo
	$(PY) -m trainers.evaluate --run_dir=runs/demo
	$(PY) -m export.saved_model --run_dir=runs/demo --output_dir=artifacts/demo
	$(PY) -m export.tflite --run_dir=runs/demo --output_dir=artifacts/demo-int8 --quantize=int8
	@echo
	@echo "The run is in runs/demo; a SavedModel is in artifacts/demo, a TFLite file of 8-bit integers"
	@echo "in artifacts/demo-int8, each with its MODEL_CARD.md. Next:"
	@echo "  curves     $(PY) -m tensorboard.main --logdir=runs"
	@echo "  resume     $(PY) -m trainers.classify --run_dir=runs/demo"
	@echo "  classify   $(PY) -m trainers.predict --run_dir=runs/demo artifacts/demo/1/samples/000.png"
	@echo "  verify     $(PY) -m export.verify artifacts/demo/1 --run"

demo-folder: $(RUN)  ## train on a folder of pictures as people have them: two minutes
	$(PY) -m trainers.data.example_folder --output_dir=data/example-folder
	$(PY) -m trainers.classify --model=resnet20 --data_dir=data/example-folder \
	  --run_dir=runs/demo-folder --max_skipped=0.01
	$(PY) -m trainers.evaluate --run_dir=runs/demo-folder
	$(PY) -m trainers.explain --run_dir=runs/demo-folder
	$(PY) -m export.saved_model --run_dir=runs/demo-folder --output_dir=artifacts/demo-folder

demo-detect: $(LITE) $(DETECTION)  ## train a detector on scenes of digits, evaluate, export: ten minutes
	$(PY) -m trainers.detect --run_dir=runs/demo-detect
	$(PY) -m trainers.evaluate_detections --run_dir=runs/demo-detect
	$(PY) -m export.saved_model --run_dir=runs/demo-detect --output_dir=artifacts/demo-detect
	$(PY) -m export.verify artifacts/demo-detect/1 --run
	@echo
	@echo "The run is in runs/demo-detect, pictures of what it finds and misses are beside it; the SavedModel"
	@echo "in artifacts/demo-detect. Next:"
	@echo "  curves     $(PY) -m tensorboard.main --logdir=runs"
	@echo "  resume     $(PY) -m trainers.detect --run_dir=runs/demo-detect"
	@echo "  detect     $(PY) -m trainers.predict --run_dir=runs/demo-detect artifacts/demo-detect/1/samples"

test: $(PEERS) $(if $(MLSERVER_PYTHON),,$(SERVING))  ## every test, in two processes
	$(PY) -m pytest -n 2 $(ARGS)

lint: $(DEV)  ## ruff: rules and format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

data: $(RUN)  ## download and prepare Fashion-MNIST
	$(PY) -m trainers.data.prepare --data=fashion_mnist

STUDY := --seeds=0,1 --parallel=$(PARALLEL)

reports: $(RUN)  ## the studies of classification at demo scale: reports/, forty minutes
	$(PY) -m trainers.studies.table1
	$(PY) -m trainers.studies.degradation $(STUDY)
	$(PY) -m trainers.studies.shortcuts $(STUDY)
	$(PY) -m trainers.studies.depth $(STUDY)
	$(PY) -m trainers.studies.convergence $(STUDY)
	$(PY) -m trainers.studies.multiscale $(STUDY)
	$(PY) -m trainers.studies.ensemble $(STUDY)
	$(PY) -m trainers.studies.responses $(STUDY)
	$(PY) -m trainers.studies.construction $(STUDY)
	$(PY) -m trainers.studies.index

OTHER_SEEDS := --seeds=7,8 --parallel=$(PARALLEL) --output_dir=reports/other_seeds
FOUR_TIMES := --seeds=0 --parallel=$(PARALLEL) --output_dir=reports/four_times

reports-again: $(RUN)  ## those studies with other seeds, then with four times the steps: an hour
	$(PY) -m trainers.studies.degradation $(OTHER_SEEDS)
	$(PY) -m trainers.studies.shortcuts $(OTHER_SEEDS)
	$(PY) -m trainers.studies.depth $(OTHER_SEEDS)
	$(PY) -m trainers.studies.convergence $(OTHER_SEEDS)
	$(PY) -m trainers.studies.multiscale $(OTHER_SEEDS)
	$(PY) -m trainers.studies.ensemble $(OTHER_SEEDS)
	$(PY) -m trainers.studies.responses $(OTHER_SEEDS)
	$(PY) -m trainers.studies.construction $(OTHER_SEEDS)
	$(PY) -m trainers.studies.shortcuts $(FOUR_TIMES) --steps=2400
	$(PY) -m trainers.studies.depth $(FOUR_TIMES) --steps=2400
	$(PY) -m trainers.studies.convergence $(FOUR_TIMES) --steps=2400
	$(PY) -m trainers.studies.multiscale $(FOUR_TIMES) --steps=1200
	$(PY) -m trainers.studies.ensemble $(FOUR_TIMES) --steps=1200
	$(PY) -m trainers.studies.responses $(FOUR_TIMES) --steps=2400
	$(PY) -m trainers.studies.index

reports-detection: $(DETECTION)  ## those of detection and localisation: half an hour more
	$(PY) -m trainers.studies.detection
	$(PY) -m trainers.studies.localisation --seeds=0
	$(PY) -m trainers.studies.index

# torchvision stays out of .venv, where it does not import (benchmarks/detection/torchvision_cpu.py).
BENCH := PYTHONPATH=$(TORCHVISION) $(PY) -m benchmarks

bench: $(PEERS)  ## speed and memory beside named peers: reports/speed.md, half an hour
	$(PY) -m pip install $(PIP_FLAGS) --quiet --no-deps --target=$(TORCHVISION) torchvision==0.28.0
	$(BENCH) --rounds=$(ROUNDS) $(if $(MACHINE),--machine=$(MACHINE))

bench-quick: $(PEERS)  ## small networks, one round: to see that the benchmarks work
	$(BENCH) --quick

bench-growth: $(PEERS)  ## how cost grows with the networks: ten minutes more
	$(PY) -m benchmarks.growth
	$(PY) -m benchmarks.report

clean:  ## remove caches and build files; keeps .venv, runs, artifacts and data
	rm -rf build dist residual_zoo.egg-info .pytest_cache .ruff_cache
	find zoo trainers export benchmarks tests -name __pycache__ -prune -exec rm -rf {} +

# -- the environment

.venv/made:
	@came=$$("$(PYTHON)" $(VERSION) 2>/dev/null) || came="not found, or does not run"; \
	case "$$came" in 3.11|3.12|3.13) ;; *) \
	  echo "Python 3.11, 3.12 or 3.13 is needed ($(PYTHON): $$came)." \
	       "Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1;; esac
	@$(PY) -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear .venv
	@touch $@

$(RUN): requirements.txt | .venv/made
	$(PY) -m pip install $(PIP_FLAGS) -r requirements.txt
	@touch $@

$(LITE): pyproject.toml $(RUN)
	$(PY) -m pip install $(PIP_FLAGS) --quiet --editable '.[lite]'
	@touch $@

$(DETECTION): $(LITE)
	$(PY) -m pip install $(PIP_FLAGS) --quiet --editable '.[detection]'
	@touch $@

$(PEERS): $(DEV)
	$(PY) -m pip install $(PIP_FLAGS) --editable '.[dev,peers]'
	@touch $@

# MLServer pins packages that are not ours.
$(SERVING): requirements.txt | .venv/made
	$(PY) -m venv --without-pip --clear $(@D)
	$(PY) -m pip --python $(@D)/bin/python install $(PIP_FLAGS) --quiet --no-compile \
	  mlserver==1.7.1 "$$(grep '^tensorflow==' $<)"
	@touch $@

$(DEV): pyproject.toml $(RUN)
	$(PY) -m pip install $(PIP_FLAGS) --quiet --editable '.[dev]'
	@touch $@

# A PYTHON that someone chose is never silently replaced by the one .venv already has.
ifneq ($(origin PYTHON),file)
HAVE := $(shell $(PY) $(VERSION) 2>/dev/null)
WANT := $(shell "$(PYTHON)" $(VERSION) 2>/dev/null)
ifneq ($(HAVE),)
ifneq ($(HAVE),$(WANT))
$(error .venv has Python $(HAVE), but $(PYTHON) is $(or $(WANT),unusable): remove .venv to change)
endif
endif
endif
