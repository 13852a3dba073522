"""How commands other than ``up`` find the installation they talk to.

From the environment, or else from the description a running ``swarm up`` leaves in its home. What the
environment says wins, variable by variable.
"""

import json
import os

from swarm.errors import ConfigurationError
from swarm.settings import Settings, load_settings
from swarm.up.environment import home_of


def enter() -> Settings:
    """Load the settings of the installation the environment names, adding what its ``up`` described.

    Raises ``ConfigurationError`` that says how to start one when neither is there.
    """
    home = home_of(os.environ)
    if home.description.exists():
        for name, value in json.loads(home.description.read_text("utf-8")).items():
            os.environ.setdefault(name, value)
    elif not os.environ.get("DATABASE_URL"):
        raise ConfigurationError(
            f"no installation runs in {home.root}",
            hint="start one with `swarm up`, or set SWARM_HOME or DATABASE_URL",
        )
    return load_settings()
