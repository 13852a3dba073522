# The commands of the project. `make run`, `make test`, `make check` work on a fresh clone.
# `make run PORT=3001`: the Dagster UI on another port than 3000.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run rehearse test long faults soak bench check lock clean

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -m venv $(VENV)
	@$(PYTHON) install.py $(BIN)/python
	@touch $(STAMP)

run: $(STAMP)
	$(BIN)/swarm up $(if $(PORT),--port $(PORT))

rehearse: $(STAMP)
	$(BIN)/swarm rehearse

# Files side by side, each process with a Postgres of its own: four keep two cores busy, because
# much of a test is waiting.
TEST_PROCESSES ?= 4
test: $(STAMP)
	$(BIN)/python -m pytest -m "not long" -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

# Long by nature: thousands of odd answers, planted breaches, every button, disks that fill.
long: $(STAMP)
	$(BIN)/python -m pytest -m long -v

# Every fault of docs/faults.md: processes are killed for real and small disks filled (skipped
# without the right to mount). `make faults RESULTS=results.json` keeps what it came to.
faults: $(STAMP)
	$(BIN)/python -m pytest -m faults -v $(if $(RESULTS),--fault-results $(RESULTS))

# Random faults over normal mail: `make soak MINUTES=30 SEED=7`; the same seed, the same weather.
MINUTES ?= 30
soak: $(STAMP)
	PYTHONPATH=tests:tests/support $(BIN)/python -m weather --minutes $(MINUTES) \
		$(if $(SEED),--seed $(SEED)) $(if $(RESULTS),--json $(RESULTS))

# Speeds and sizes, side by side in one run of some twenty minutes; docs/performance.md reads them.
bench: $(STAMP)
	$(BIN)/python bench/side_by_side.py $(if $(RESULTS),--json $(RESULTS)) $(if $(PLOT),--plot $(PLOT))

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/deptry .

lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-emit-index-url --no-header --quiet -o requirements.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
