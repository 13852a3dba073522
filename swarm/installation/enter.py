"""How commands other than ``up`` find the installation they talk to.

From the environment, or else from the description a running ``swarm up`` leaves in its home. What
the environment says wins, variable by variable.
"""

import json
import os

from swarm.errors import ConfigurationError
from swarm.installation.environment import home_of
from swarm.installation.home import Home
from swarm.settings import Settings, load_settings


def description(home: Home) -> dict[str, str]:
    """Return the environment a running ``swarm up`` left in its home; empty when none runs."""
    if not home.description.exists():
        return {}
    return {str(k): str(v) for k, v in json.loads(home.description.read_text("utf-8")).items()}


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
