"""Which engine decides: rules, who thinks, the house's own settings, and the code itself.

A proof about one engine says nothing about another (ES-25). Knowledge, mails and CRM are what an
engine is asked about, not what it is. The code is hashed as it lies on the disk when this is first
asked, so a process must ask at its start: an upgrade under its feet does not change what it runs.
"""

import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from swarm.models import Noun
from swarm.ourselves import Ourselves
from swarm.safety import ruleset
from swarm.stages.services import Services

_PACKAGES = ("swarm", "swarm_assets")
_LEFT_OUT = frozenset({"__pycache__"})


class Engine(Noun):
    """Everything a judgement depends on beside the mail and what is known of the customer."""

    ruleset: str
    specialist: str = ""
    house: str
    code: str

    @property
    def version(self) -> str:
        """The engine's short name; another one is another engine."""
        return self.digest()[:16]


def engine_of(services: Services) -> Engine:
    """Return the engine that these services make."""
    return Engine(
        ruleset=ruleset.VERSION,
        specialist=services.thinker,
        house=_house(services),
        code=code_version(),
    )


class _House(Noun):
    """The settings a judgement depends on."""

    ourselves: Ourselves
    approved_columns: tuple[str, ...]
    link_allow_list: tuple[str, ...]
    own_contacts: tuple[str, ...]
    approved_recipients: tuple[str, ...]
    signature: str
    max_revisions: int
    attachment_bytes: int
    attachments_read: int


def _house(services: Services) -> str:
    return _House(
        ourselves=services.ourselves,
        approved_columns=tuple(sorted(services.approved_columns)),
        link_allow_list=tuple(sorted(services.link_allow_list)),
        own_contacts=tuple(sorted(services.own_contacts)),
        approved_recipients=tuple(sorted(services.approved_recipients)),
        signature=services.signature,
        max_revisions=services.max_revisions,
        attachment_bytes=services.attachment_bytes,
        attachments_read=services.attachments_read,
    ).digest()[:16]


@cache
def code_version() -> str:
    """Return a hash over every file of the two packages, in the order of their names."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        _add(digest, resources.files(package), package)
    return digest.hexdigest()[:16]


def _add(digest: "hashlib._Hash", place: Traversable, name: str) -> None:
    if place.is_dir():
        for each in sorted(place.iterdir(), key=lambda found: found.name):
            if each.name not in _LEFT_OUT:
                _add(digest, each, f"{name}/{each.name}")
    else:
        digest.update(f"{name}\0".encode())
        digest.update(hashlib.sha256(place.read_bytes()).digest())
