# The commands of the project. `make run`, `make test`, `make check` work on a fresh clone.
# `make run PORT=3001`: the Dagster UI on another port than 3000.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run rehearse test soak faults check lock clean

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -m venv $(VENV)
	@$(PYTHON) install.py $(BIN)/python
	@touch $(STAMP)

run: $(STAMP)
	$(BIN)/swarm up $(if $(PORT),--port $(PORT))

rehearse: $(STAMP)
	$(BIN)/swarm rehearse

test: $(STAMP)
	$(BIN)/python -m pytest -m "not soak"

# Long by nature: thousands of odd answers, planted breaches, every button, disks that fill.
soak: $(STAMP)
	$(BIN)/python -m pytest -m soak -v

# Processes are killed for real and small disks filled (skipped without the right to mount): minutes.
faults: $(STAMP)
	$(BIN)/python -m pytest -m faults -v

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
