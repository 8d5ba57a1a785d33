# Saksi. Nothing but python3 (3.11 or later) and make is assumed; the rest is fetched from the package registries.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced

# Compiled modules are kept in the environment: every process that tests start would compile them anew.
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/pycache
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format stack stack-down bench bench-search bench-short docs client lock soak-nodes soak-kill soak-frames soak-clips soak-placement soak-hosts soak-sources soak-seal soak-packages soak-verify soak-zip soak-promises soak-install verifier wheel clean bench-clip soak-wall soak-times soak-skim soak-looks pictures guides soak-storm

help:  ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(STAMP)  ## Install everything at the locked versions into .venv

$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Saksi needs Python 3.11 or later; try: make setup PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock

$(STAMP): $(BIN)/uv requirements/dev.lock pyproject.toml package-lock.json
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m ops.pages --tools
	@touch $@

demo: setup  ## Record three cameras, cut one off, clip, seal, verify, tamper (SERVE=1 stays up)
	$(BIN)/python -m ops.demo $(if $(SERVE),--serve)

test: setup  ## Run the tests on all processors; real servers that are up (make stack) take part
	$(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

check: lint  ## Format, lint, types, import walls, dependencies, documents
	$(BIN)/python -m pytest -q tests/architecture

lint: setup  ## The same without the tests of the architecture, which `make test` runs too
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: setup  ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

stack: setup  ## Start the real MinIO, Elasticsearch and MediaMTX
	$(BIN)/saksi stack up

stack-down: setup  ## Stop them
	$(BIN)/saksi stack down

bench: setup  ## Measure beside the peers and write docs/benchmarks.md
	$(BIN)/python -m ops.bench

bench-search: setup  ## An hour: whatever is asked of 20 million segments and 10 million events while more come in
	$(BIN)/python -m ops.bench citywide

bench-short: setup  ## Every subject of the benchmarks in seconds, to see that each can still be measured
	$(BIN)/python -m ops.bench --short

bench-clip: setup  ## Clips of 10 s to 2 h for 1, 8 and 32 clients, beside MediaMTX, FFmpeg and plain GET
	$(BIN)/python -m ops.bench clips clip

client: setup  ## Write api/client from the API's description
	$(BIN)/python -m ops.client_code

wheel: setup  ## Write dist/: the wheel, run.lock with the hashes of every library, SHA256SUMS
	rm -f dist/saksi-*.whl
	$(BIN)/python -m hatchling build -t wheel -d dist
	cp requirements/run.lock dist/run.lock
	cd dist && sha256sum saksi-*.whl run.lock > SHA256SUMS && sha256sum SHA256SUMS

soak-install: setup  ## Long form: the commands of ops/deploy/install.md in an empty Debian (debootstrap, root)
	$(BIN)/python -m pytest -q --timeout 0 -m slow tests/e2e/test_install.py $(PYTEST_ARGS)

soak-nodes: setup  ## Long form: nodes of a cluster of three Elasticsearches are killed, six times
	SAKSI_TEST_NODE_KILLS=6 $(BIN)/python -m pytest -q -rA --timeout 0 -m slow tests/conformance/test_index_elastic_nodes.py $(PYTEST_ARGS)

soak-kill: setup  ## Long form: 20 kills of worker, FFmpeg and servers
	$(BIN)/python -m pytest -q --timeout 0 -m slow tests/e2e/test_crash.py $(PYTEST_ARGS)

soak-frames: setup  ## Long form: every frame once, in order, 3 minutes each
	$(BIN)/python -m pytest -q --timeout 0 -m slow tests/integration/recorder/test_recorder.py $(PYTEST_ARGS)

soak-sources: setup  ## Long form: every kind of source over a scripted camera
	$(BIN)/python -m pytest -q --timeout 0 -m slow tests/integration/recorder/test_sources.py $(PYTEST_ARGS)

soak-clips: setup  ## Long form: clips of every kind of stream at random ranges, over MinIO and in Chromium
	SAKSI_CLIPS_REPORT=$${SAKSI_CLIPS_REPORT:-$(CURDIR)/.venv/clips.md} $(BIN)/python -m pytest -q --timeout 0 -m slow tests/integration/footage/test_clip_matrix.py $(PYTEST_ARGS)

verifier: setup  ## Write dist/saksi-verify.pyz, the verifier in one file
	$(BIN)/saksi verify-build -o dist/saksi-verify.pyz

soak-placement: setup  ## Long form: 1,000 deaths and returns among 40 recorders of 10,000 cameras
	$(BIN)/python -m pytest -q -rA --timeout 0 -m slow tests/unit/recorder/placement/test_assignment.py $(PYTEST_ARGS)

soak-hosts: setup  ## Long form: six recorder hosts die, stand still, are cut off, drained and updated (root); figures in hosts.md
	SAKSI_HOSTS_REPEATS=$${SAKSI_HOSTS_REPEATS:-3} SAKSI_HOSTS_REPORT=$${SAKSI_HOSTS_REPORT:-hosts.md} $(BIN)/python -m pytest -q -s --timeout 0 -m slow tests/integration/recorder/test_hosts.py $(PYTEST_ARGS)

soak-seal: setup  ## Long form: the sealer killed at 20 random moments
	SAKSI_SEAL_KILLS=20 $(BIN)/python -m pytest -q --timeout 0 tests/integration/evidence/test_package_kills.py $(PYTEST_ARGS)

soak-packages: setup  ## Long form: 100 packages before every witness
	SAKSI_PACKAGES=100 $(BIN)/python -m pytest -q --timeout 0 tests/integration/evidence/test_package_hundred.py $(PYTEST_ARGS)

soak-verify: setup  ## Long form: 50,000 damaged packages; none escapes or passes
	SAKSI_FUZZ_CASES=50000 $(BIN)/python -m pytest -q --timeout 0 tests/unit/evidence/test_verifier_fuzz.py tests/unit/evidence/test_verifier_fuzz_golden.py $(PYTEST_ARGS)

soak-zip: setup  ## Long form: 100,000 mutated ZIPs; each refused, or unpacked to what was verified
	SAKSI_ZIP_CASES=100000 $(BIN)/python -m pytest -q --timeout 0 tests/unit/evidence/test_verifier_zip_soak.py $(PYTEST_ARGS)

soak-skim: setup  ## Long form: a day of a synthetic night is searched; every crossing is found
	SAKSI_SKIM_REPORT=$(CURDIR)/.venv/skim.txt $(BIN)/python -m pytest -q -s --timeout 0 -m slow tests/integration/footage/test_skim.py $(PYTEST_ARGS)

soak-looks: setup  ## Long form: every page of a furnished city in every look; SAKSI_LOOKS=FOLDER keeps pictures
	$(BIN)/python -m pytest -q --timeout 0 -m slow tests/integration/console/test_looks.py $(PYTEST_ARGS)

soak-promises: setup  ## Long form: the promises' state machine, and kills before every call
	$(BIN)/python -m pytest -q --timeout 0 -m slow tests/conformance/test_promises_machine.py tests/e2e/test_promises_kill.py $(PYTEST_ARGS)

soak-wall: setup  ## Long form: nine cameras at 2x for 30 minutes, the page stopped at random; figures in wall.json
	SAKSI_WALL_SECONDS=$${SAKSI_WALL_SECONDS:-1800} SAKSI_WALL_REPORT=$${SAKSI_WALL_REPORT:-wall.json} $(BIN)/python -m pytest -q -rA --timeout 0 -m slow tests/integration/api/test_wall_soak.py $(PYTEST_ARGS)

soak-times: setup  ## Long form: how soon a killed recorder, a frozen stream and a pulled plug are seen
	$(BIN)/python -m pytest -q --timeout 0 -m slow tests/integration/recorder/test_back_after_kill.py tests/integration/recorder/test_supervision.py tests/integration/recorder/test_pulled_plug.py $(PYTEST_ARGS)

soak-storm: setup  ## Long form (root): 30 minutes of failing cameras, servers, disks and kills; report in docs/reports
	SAKSI_STORM_REPORT=$${SAKSI_STORM_REPORT:-$(CURDIR)/docs/reports/$$(date +%F)-storm.md} $(BIN)/python -m pytest -q -rA --timeout 0 -m slow tests/e2e/test_storm.py $(PYTEST_ARGS)

docs: setup  ## Write the generated parts of docs/reference
	$(BIN)/python -m ops.reference

pictures: setup  ## Long form: the three stories in Chromium; pictures of their pages in docs/guide/pictures
	SAKSI_PICTURES=$(CURDIR)/docs/guide/pictures $(BIN)/python -m pytest -q --timeout 0 -m slow tests/integration/console/test_pictures.py $(PYTEST_ARGS)

guides: setup  ## Print the one-page guides to api/web/guides/panduan-*.pdf
	$(BIN)/python -m tests.support.guides

lock: $(BIN)/uv  ## Resolve the dependencies anew
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 pyproject.toml -o requirements/run.lock
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 pyproject.toml --group dev -o requirements/dev.lock

clean:  ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache demo-output
