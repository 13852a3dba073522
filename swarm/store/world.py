"""The world an installation lives in: per service a double or the real one, and which address.

Nouns and comparisons, pure. Why it matters: what was made of a double's mails must never reach a
real hook, nor a real customer's reply a double. What lives elsewhere: how the database remembers
it (``world_rows``), how the home does (``home_world``), changing it on purpose
(``swarm.installation.adoption``).
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import urlsplit

from swarm.models import Noun
from swarm.settings import Settings


class Service(StrEnum):
    """What an installation talks to."""

    MAILBOX = "graph"
    CRM = "monday"
    HOOK = "zapier"
    MODEL = "model"


class Kind(StrEnum):
    """Whether anybody outside this machine notices."""

    DOUBLE = "double"
    REAL = "real"
    NONE = "none"


class ServicePlace(Noun):
    """Where one service is. ``label`` is for people; ``sha256`` (keyed) tells addresses apart.

    ``sha256`` None: its address was never seen, only its kind is known.
    """

    service: Service
    kind: Kind
    label: str
    sha256: str | None = None

    def is_at(self, other: "ServicePlace") -> bool:
        """Whether both are the same place, as far as both are known."""
        unknown = self.sha256 is None or other.sha256 is None
        return self.kind is other.kind and (unknown or self.sha256 == other.sha256)

    def __str__(self) -> str:
        """Name it as people know it."""
        return f"{_NAMES[self.service]} {self.label}"


class Change(Noun):
    """A service that is not where it was."""

    before: ServicePlace
    after: ServicePlace

    @property
    def refused(self) -> bool:
        """Whether work must not just go on: another mailbox or hook, or a double became real."""
        if self.before.service is Service.MODEL:
            return False  # it is asked and never acts; certificates are bound to it
        acts = self.before.service in ACTED_ON
        return acts or self.before.kind is not self.after.kind

    @property
    def closes(self) -> bool:
        """Whether what was begun cannot be finished there: another mailbox, or a kind changed."""
        moved = self.before.kind is not self.after.kind
        return moved or self.before.service is Service.MAILBOX

    @property
    def into_the_sandbox(self) -> bool:
        """Whether real customers' work would go to a double."""
        return self.before.kind is Kind.REAL and self.after.kind is Kind.DOUBLE

    def __str__(self) -> str:
        """Say what it was and what it is."""
        return f"{_NAMES[self.before.service]} was {self.before.label}, is {self.after.label}"


Places: TypeAlias = Mapping[Service, ServicePlace]

REMEDY = (
    "give the other services a home of their own (`swarm home new DIR`, then SWARM_HOME=DIR, and a"
    " database of its own), or unset their variables to go on as before"
)
"""What a person may do about another world."""

ACTED_ON = (Service.MAILBOX, Service.HOOK)
"""Where drafts are made and found: every claim asks that these two are the remembered ones."""

_NAMES = {
    Service.MAILBOX: "mailbox",
    Service.CRM: "monday.com",
    Service.HOOK: "hook",
    Service.MODEL: "model",
}


def places(settings: Settings) -> dict[Service, ServicePlace]:
    """Return where these settings lead. A double is what ``SWARM_DOUBLES_URL`` serves."""
    graph, monday, model = settings.graph, settings.monday, settings.model
    hook, mailbox = settings.zapier.hook_url.get_secret_value(), graph.mailbox.strip().lower()
    crm = f"{_host(monday.api_url)} (boards {monday.contacts_board}, {monday.deals_board})"
    thinks = f"{_host(model.base_url or model.provider)} {model.name}" if model.configured else ""
    tell = _Teller(settings)
    return {
        Service.MAILBOX: tell.where(
            Service.MAILBOX,
            graph.base_url,
            f"{_host(graph.base_url)} {mailbox}",
            f"{mailbox} at {_host(graph.base_url)}",
        ),
        Service.CRM: tell.where(Service.CRM, monday.api_url, crm, crm),
        Service.HOOK: tell.where(Service.HOOK, hook, hook, _host(hook)),
        Service.MODEL: tell.model(thinks),
    }


def changes(remembered: Places, present: Places) -> tuple[Change, ...]:
    """Return what is not where it was, in the order of the services."""
    return tuple(
        Change(before=remembered[service], after=present[service])
        for service in Service
        if service in remembered
        and service in present
        and not remembered[service].is_at(present[service])
    )


def sentence(found: Iterable[Change | str]) -> str:
    """Say everything that differs."""
    return "; ".join(str(each) for each in found)


def key_sha256(secret: str) -> str:
    """Name the secret of the keys without telling it."""
    return hmac.new(secret.encode(), b"swarm key secret", hashlib.sha256).hexdigest()


class _Teller:
    """Tells double from real by what ``SWARM_DOUBLES_URL`` serves, and keys the addresses.

    Keyed, because a hook's URL has few random letters: a bare hash of it could be guessed back.
    """

    def __init__(self, settings: Settings) -> None:
        doubles = settings.core.swarm_doubles_url.rstrip("/")
        self._doubles = f"{doubles}/" if doubles else ""
        self._secret = settings.core.swarm_key_secret.get_secret_value().encode()

    def where(self, service: Service, url: str, address: str, label: str) -> ServicePlace:
        if self._doubles and url.startswith(self._doubles):
            return ServicePlace(
                service=service, kind=Kind.DOUBLE, label="the double", sha256="double"
            )
        return ServicePlace(
            service=service, kind=Kind.REAL, label=label, sha256=self._keyed(address)
        )

    def model(self, thinks: str) -> ServicePlace:
        if not thinks:
            return ServicePlace(service=Service.MODEL, kind=Kind.NONE, label="the offline rules")
        sha256 = self._keyed(thinks)
        return ServicePlace(service=Service.MODEL, kind=Kind.REAL, label=thinks, sha256=sha256)

    def _keyed(self, address: str) -> str:
        return hmac.new(self._secret, f"place {address}".encode(), hashlib.sha256).hexdigest()


def _host(url: str) -> str:
    return (urlsplit(url).netloc.rpartition("@")[2] or url).lower()
