"""How commands other than ``up`` find the installation they talk to.

From the environment, or else from the description a running ``swarm up`` leaves in its home. What
the environment says wins, variable by variable.
"""

import json
import os
from pathlib import Path

from pydantic import TypeAdapter

from swarm.errors import ConfigurationError
from swarm.installation.environment import KNOWLEDGE_DIR, home_of
from swarm.installation.home import Home
from swarm.installation.urls import libpq_url
from swarm.settings import Settings, load_settings


def description(home: Home) -> dict[str, str]:
    """Return the environment a running ``swarm up`` left in its home; empty when none runs."""
    if not home.description.exists():
        return {}
    return {str(k): str(v) for k, v in json.loads(home.description.read_text("utf-8")).items()}


def knowledge_folder() -> Path:
    """Return the folder of approved answers, of a running installation or of one that is not."""
    home = home_of(os.environ)
    named = os.environ.get(KNOWLEDGE_DIR) or description(home).get(KNOWLEDGE_DIR)
    return Path(named).absolute() if named else home.knowledge


def database_url(*variables: str) -> str:
    """Return the URL the first of these variables names, without a whole installation.

    Raises ``ConfigurationError`` when none of them is set and no installation runs.
    """
    home = home_of(os.environ)
    described = description(home)
    for name in variables:
        if url := os.environ.get(name) or described.get(name):
            return libpq_url(url)
    raise ConfigurationError(
        f"no installation runs in {home.root}", hint=f"start it, or set {variables[-1]}"
    )


def acknowledges() -> bool:
    """Whether the house wants a draft for what nothing can answer, without a whole installation."""
    named = os.environ.get("ACKNOWLEDGE_UNANSWERED") or "false"
    return TypeAdapter(bool).validate_python(named)


def enter() -> Settings:
    """Load the settings of the installation the environment names, with what its ``up`` described.

    Raises ``ConfigurationError`` that says how to start one when neither is there.
    """
    home = home_of(os.environ)
    described = description(home)
    if not described and not os.environ.get("DATABASE_URL"):
        raise ConfigurationError(
            f"no installation runs in {home.root}",
            hint="start one with `swarm up`, or set SWARM_HOME or DATABASE_URL",
        )
    for name, value in described.items():
        os.environ.setdefault(name, value)
    return load_settings()
