"""The environment of a home of a test's own: a sandbox's services, a database, a secret."""

from collections.abc import Mapping
from pathlib import Path

import pytest


def set_home(
    monkeypatch: pytest.MonkeyPatch,
    services: Mapping[str, str],
    home: Path,
    database_url: str,
    secret: str,
) -> None:
    """Let everything that reads settings from now on live there."""
    told = {"SWARM_HOME": str(home), "DATABASE_URL": database_url, "SWARM_KEY_SECRET": secret}
    for name, value in {**services, **told}.items():
        monkeypatch.setenv(name, value)
