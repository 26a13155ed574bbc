# Everything a user needs: make demo, make test, make lab. A second call is instant where nothing has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTERS ?= 4# test processes: half of their time they wait
STAMP := $(VENV)/.installed
BENCHES ?= start load extract faults pace sandbox dedupe forecast growth

.PHONY: help env demo test prove bench clients lab check clean

help:
	@echo "make demo   set up, start the sandbox, move the demo customer from Lever to Ashby, validate, show the report"
	@echo "make test   run the tests"
	@echo "make prove  run the whole of every proof (more than an hour; a stopped run goes on) and write docs/proof.md; PROOFS=\"P1 P23\" chooses"
	@echo "            WORKBOOK_SEEDS=10000 make prove PROOFS=P3 plays 10,000 mixes of faults (a night), 500 after 500; see docs/proof.md"
	@echo "make bench  measure on a quiet machine and write bench/README.md: two hours, then growth up to 1,000,000 (half a day or more);"
	@echo "            BENCHES=\"load faults\" chooses, and each runs alone, with options: python -m bench.growth --sizes 1000,10000"
	@echo "make clients  run other people's clients (Singer, Airbyte, dlt, MCP), unmodified, against the sandbox"
	@echo "make lab    open the six notebooks in JupyterLab"
	@echo "make env    only set up the environment in $(VENV)"
	@echo "make check  ruff, layout, docs"

env: $(STAMP)

# uv when it is there, else venv and pip. Bytecode is compiled once here: otherwise every kernel pays for it.
$(STAMP): requirements.lock pyproject.toml jupyter/overrides.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Say which: make PYTHON=python3.12"; exit 2; }
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" $(VENV) && \
		uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock && \
		uv pip install --quiet --python $(BIN)/python --no-deps -e . ; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . && \
		{ env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m compileall -q $(VENV)/lib || true; } ; \
	fi
	@mkdir -p $(VENV)/share/jupyter/lab/settings && cp jupyter/overrides.json $(VENV)/share/jupyter/lab/settings/
	@$(BIN)/workbook --help >/dev/null && touch $@

demo: $(STAMP)
	@$(BIN)/workbook run demo --fresh --execute

test: $(STAMP)
	@$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder

prove: $(STAMP)
	@$(BIN)/python tests/prove.py $(PROOFS)

# The quick ones come first; one that breaks off does not hold up the others.
bench: $(STAMP)
	@broken=; for one in $(BENCHES); do $(BIN)/python -m bench.$$one || broken="$$broken $$one"; done; \
		test -z "$$broken" || { echo "came to no end:$$broken"; exit 1; }

clients: $(STAMP)
	@PYTHONPATH="$(CURDIR):$(CURDIR)/tests" $(BIN)/python tests/third_party.py

lab: $(STAMP)
	@JUPYTER_PREFER_ENV_PATH=1 JUPYTER_CONFIG_PATH="$(CURDIR)/jupyter" $(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" \
		$$([ "$$(id -u)" = 0 ] && echo --allow-root) notebooks/01_audit.ipynb

check: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python -m pytest tests/test_layout.py tests/test_docs.py

clean:
	rm -rf $(VENV)
