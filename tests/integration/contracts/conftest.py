"""The vendors' contract files, read where a customer keeps them; the tests skip without them."""

import os
from pathlib import Path

import pytest


def contract_file(name: str) -> Path:
    """Return a file of ``contracts/`` under SWARM_SHARED (default: the sibling folder)."""
    root = Path(__file__).parents[3]
    shared = Path(os.environ.get("SWARM_SHARED", root.parent / "shared"))
    path = shared / "contracts" / name
    if not path.is_file():
        pytest.skip(f"no contract file {name}: set SWARM_SHARED to the folder that has contracts/")
    return path


@pytest.fixture(scope="module")
def graph_contract() -> Path:
    return contract_file("graph-mail-v1.0.subset.openapi.json")


@pytest.fixture(scope="module")
def monday_contract() -> Path:
    return contract_file("monday-2026-10.subset.graphql")
