"""The logins of one installation's database: their passwords, and the URLs made of them.

The embedded server's are made once and lie in the home, readable by its owner alone. With a
``DATABASE_URL`` of one's own each role's URL is a setting, and what is not set is that one login.
Which program is handed which URL is decided where it is started (``swarm.up``). What lives
elsewhere: what each role may do (``swarm.store.roles``).
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from swarm.errors import ConfigurationError
from swarm.installation.home import write_private
from swarm.installation.urls import libpq_url
from swarm.store.embedded import SUPERUSER
from swarm.store.roles import Role, url_as

VARIABLES: Final[Mapping[Role, str]] = {
    Role.OWNER: "OWNER_DATABASE_URL",
    Role.REPLAY: "REPLAY_DATABASE_URL",
    Role.GATES: "GATES_DATABASE_URL",
    Role.KEEPER: "KEEPER_DATABASE_URL",
    Role.DESK: "DESK_DATABASE_URL",
}
"""Role -> the variable with its URL; the services' own is ``DATABASE_URL``."""


@dataclass(frozen=True, slots=True)
class Logins:
    """The database once for each role; where the roles are not parted, all are one."""

    urls: Mapping[Role, str]

    def url(self, role: Role) -> str:
        """Return the URL that logs in as ``role``, or as the one login there is."""
        return self.urls.get(role) or self.urls[Role.WORKER]

    def variables(self, *roles: Role) -> dict[str, str]:
        """Return the variables with the URLs of these roles, as far as they are known."""
        return {VARIABLES[role]: self.urls[role] for role in roles if role in self.urls}


def passwords(file: Path) -> dict[str, str]:
    """Return the password of every login of the embedded server; those not there yet are made.

    Raises ``ConfigurationError`` when the file cannot be read as what it is.
    """
    known = _read(file)
    wanted = (SUPERUSER, *(role.value for role in Role))
    made = {name: secrets.token_urlsafe(32) for name in wanted if name not in known}
    if made:
        write_private(file, json.dumps({**known, **made}, indent=1))
    return {**known, **made}


def of_embedded(url: str, file: Path) -> Logins:
    """Return the logins of the embedded server that answers at ``url``, whoever that logs in as."""
    known = passwords(file)
    return Logins({role: url_as(url, role, known[role]) for role in Role})


def of_user(user: Mapping[str, str]) -> Logins:
    """Return the logins the user's environment names; ``DATABASE_URL`` is there."""
    named = {role: user[name] for role, name in VARIABLES.items() if user.get(name)}
    return Logins(
        {role: libpq_url(url) for role, url in {Role.WORKER: user["DATABASE_URL"], **named}.items()}
    )


def _read(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{file} cannot be read",
            hint="remove it: new passwords are made at the next `swarm up`",
        ) from error
    return {str(name): str(password) for name, password in found.items()}
