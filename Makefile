.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 4# more than cores: most tests wait for a process of theirs most of the time
ABUSE := tests/integration/services/webhook_receiver tests/integration/services/portal/frame tests/integration/services/portal/my_calendar/test_grants.py \
	tests/integration/services/portal/sign_in/test_wrong_words.py tests/integration/services/portal/sign_in/test_ways_back.py \
	tests/integration/services/portal/interface tests/integration/services/portal/admin/test_hostile_administrator.py tests/integration/shared/providers/test_hostile_links.py \
	tests/unit/cli/registry/test_altered_archives.py tests/unit/services/webhook_receiver/protocols/test_altered_proofs.py \
	tests/e2e/test_guides.py
# Compiled modules are kept whatever the environment says: a run of the tests starts hundreds of processes that import the same ones.
export PYTHONDONTWRITEBYTECODE :=
SOURCES := services shared simulator cli deploy docs tests benchmarks

.PHONY: help setup demo quick test scenarios check lint types contracts docs bench chaos pictures contents abuse plants fmt capabilities kafka missing clean

help: ## each task and its sentence
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: .venv/.ready ## a virtual environment with everything locked, and the roomsync command

.venv/.ready: requirements.lock pyproject.toml
	@echo "installing what requirements.lock names into .venv: a minute or two, without further output"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## a meeting is booked, its room says no, it is rebooked: on this machine (ENGINE=kafka for real servers)
	@$(BIN)/roomsync demo --engine $(or $(ENGINE),embedded) $(ARGS)

quick: setup lint types ## what to run after each change: style, types, unit and property tests; under two minutes
	$(BIN)/python -m pytest -n $(WORKERS) tests/unit tests/property $(ARGS)

test: setup missing ## every test that this machine can run, WORKERS (4) at a time
	@if command -v java >/dev/null && command -v mvn >/dev/null; then $(BIN)/python -m deploy.local.kafka --prepare >/dev/null || true; fi
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

scenarios: setup ## what is told of each recorded series of a provider's answers
	$(BIN)/roomsync scenario tests/scenarios/*.yaml

check: setup lint types contracts test ## what CI runs, in its order

lint: setup ## style, by the policy in pyproject.toml
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/codespell $(SOURCES) README.md CHANGELOG.md

types: setup ## mypy, strict
	$(BIN)/mypy

contracts: setup ## who may import whom, and whether the generated documents are fresh
	$(BIN)/lint-imports
	PYTHONPATH=. $(BIN)/python docs/generate.py --check

docs: setup ## write the generated documents
	PYTHONPATH=. $(BIN)/python docs/generate.py

fmt: setup ## format and mend what can be mended by itself
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix --quiet $(SOURCES)

bench: setup ## the figures of docs/figures.md, measured here
	$(BIN)/python -m benchmarks

chaos: setup ## the long campaign: kills at random instants, each guard left out once, 20,000 histories, journeys on every pair of provider and engine; seeds printed (ROUNDS=200)
	ROOMSYNC_TRUTH_SEED=$${ROOMSYNC_CHAOS_SEED:-$$(shuf -i 1-999999 -n 1)} ROOMSYNC_HISTORIES=20000 $(BIN)/python -m pytest tests/property/services/room_status/test_truth.py
	ROOMSYNC_CHAOS_SEED=$${ROOMSYNC_CHAOS_SEED:-$$(shuf -i 1-999999 -n 1)} ROOMSYNC_CHAOS_ROUNDS=$(or $(ROUNDS),200) $(BIN)/python -m pytest tests/chaos/test_*.py tests/chaos/guards.py $(ARGS)
	ROOMSYNC_NOTIFIER_SEED=$${ROOMSYNC_CHAOS_SEED:-$$(shuf -i 1-999999 -n 1)} ROOMSYNC_NOTIFIER_KILLS=$(or $(ROUNDS),200) $(BIN)/python -m pytest -s tests/integration/services/notifier/test_seeded_kills.py $(ARGS)
	ROOMSYNC_JOURNEYS=whole $(BIN)/python -m pytest tests/e2e/test_nothing_is_kept.py tests/e2e/test_own_calendar.py tests/e2e/test_whole_journey.py $(ARGS)

pictures: setup ## every state of the portal's pages in Chromium, in seven looks, into build/pictures, for somebody to look at (LOOKS="de-narrow-light fr-wide-dark")
	ROOMSYNC_PICTURES=build/pictures ROOMSYNC_LOOKS="$(LOOKS)" $(BIN)/python -m pytest tests/integration/services/portal/test_walk.py tests/integration/services/portal/admin/test_walk.py $(ARGS)

contents: setup ## lists what Python installs in each image (SBOM, CycloneDX) into build/contents
	$(BIN)/python -m deploy.images.contents build/contents

abuse: setup ## hostile clients of the doors, and guides with a step left out, at the size of a release; figures printed
	ROOMSYNC_ABUSE=release $(BIN)/python -m pytest $(ABUSE) -m "not kafka" -s $(ARGS)

plants: setup ## plant known faults one by one, let the campaign look for them, print what it found (SEED=1, long)
	$(BIN)/python -m tests.chaos.planted_faults --seed $(or $(SEED),1) $(ARGS)

capabilities: setup ## the table of promises and the tests that prove them
	$(BIN)/python -m tests.capabilities

kafka: setup ## fetch the Kafka broker's artefacts for the tests on real servers, and make its starts quick
	$(BIN)/python -m deploy.local.kafka --prepare

missing: ## name what the system lacks for the tests on real servers and in the browser
	@lacking=""; \
	command -v java >/dev/null || lacking="$$lacking openjdk-17-jre-headless"; \
	command -v mvn >/dev/null || lacking="$$lacking maven"; \
	command -v redis-server >/dev/null || lacking="$$lacking redis-server"; \
	command -v chromium >/dev/null || lacking="$$lacking chromium"; \
	command -v promtool >/dev/null || lacking="$$lacking prometheus"; \
	if [ -n "$$lacking" ]; then set -- $$lacking; echo "missing: $$# ($$lacking ); tests that need them are skipped. Install: apt-get install -y$$lacking"; fi

clean: ## forget the environment and every cache
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
