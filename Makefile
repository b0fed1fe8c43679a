# Everything a developer types. Python 3.11 with pip is all that has to be there.
SHELL := /bin/bash
export REGIE_PORT ?= 8000
# Images of Python often set it; then each process compiles every module again, which is half of a start.
unexport PYTHONDONTWRITEBYTECODE
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --no-sync

.PHONY: demo test check bench networks vendor setup messages clean

demo: setup ## everything, with sandbox networks and two demo brands
	@REGIE_DATA="$${REGIE_DATA:-$(CURDIR)/.regie/demo}" exec $(RUN) --no-dev regie demo

test: setup ## the whole suite, browser tests included; two workers a core, as many tests wait for networks
	@$(RUN) python scripts/browser.py
	@$(RUN) pytest -n "$${REGIE_TEST_WORKERS:-$$((2 * $$(nproc)))}" $(ARGS)

check: setup ## style, types, layers, licences, migrations, translations, vendored files
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) djlint --lint --quiet src/regie
	$(RUN) lint-imports --no-cache
	$(RUN) python scripts/licences.py
	$(RUN) python scripts/vendor.py --check
	$(RUN) python scripts/messages.py check
	$(RUN) python scripts/docs.py check
	REGIE_DATA=$(CURDIR)/.regie/check $(RUN) regie manage makemigrations --check --dry-run

bench: setup ## the budgets of this installation, measured
	$(RUN) regie bench $(ARGS)

networks: setup ## docs/networks.md, from a run of the contract suite
	$(RUN) python scripts/capabilities.py
	$(RUN) python scripts/docs.py write

vendor: setup ## fetch the pinned front-end files again
	$(RUN) python scripts/vendor.py

messages: setup ## collect what people read into the translation files
	$(RUN) python scripts/messages.py update

setup: .venv/.ready
	@$(RUN) python scripts/messages.py compile

# Without uv: one of our own. Debian's python3 has no ensurepip unless python3-venv is there, but pip can fill the venv.
.venv/.ready: pyproject.toml uv.lock
	@command -v $(UV) >/dev/null 2>&1 || { echo "Installing uv ..." && python3 -m venv --without-pip .uv \
		&& python3 -m pip --python .uv/bin/python install --quiet --disable-pip-version-check --no-input uv; }
	@$(UV) sync --frozen --quiet
	@touch $@

clean: ## what can be made again
	rm -rf .venv .uv dist build .mypy_cache .ruff_cache .hypothesis
