"""Microsoft Graph, asked step by step by the very clients that will ask it later. Reads only.

Token, what the token may do, the mailbox, new mail, the clock; and, where a second mailbox is
named, that it is refused. Each step is a line of its own, so that the first bad one says what to
mend. What a token may do is read from its ``roles``: permissions consented to in Entra hold for
every mailbox of the tenant, whatever Exchange's RBAC says beside them.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from swarm.cli.findings import Finding, Health
from swarm.cli.ground import skew
from swarm.clients.bounded_http import BoundedHttp, Bounds
from swarm.clients.graph_auth import ClientCredentials
from swarm.clients.outlook import GraphOutlook
from swarm.clients.patience import Patience
from swarm.errors import RemoteRefusedError, SwarmError
from swarm.settings import GraphSettings

_ONCE: Final = Patience(attempts=1)
_SECONDS: Final = 10.0
_REFUSED: Final = frozenset({403, 404})
_BOUNDS: Final = Bounds(seconds=_SECONDS, most_bytes=1 << 20)

_SECRET = (
    "the secret's *value* (not its id) belongs in GRAPH_CLIENT_SECRET; it may have expired;"  # noqa: S105 - words
    " GRAPH_TENANT_ID and GRAPH_CLIENT_ID are those of the app registration"
)
_SCOPE = (
    "give the app `Application Mail.ReadWrite` on this mailbox, see docs/connect-a-tenant.md; a new"
    " assignment needs up to two hours"
)


def graph(settings: GraphSettings, other_mailbox: str = "") -> Iterator[Finding]:
    """Ask for a token, look at its rights, read the mailbox and what is new, compare the clocks.

    The last line, ``graph``, is bad when one of them is.
    """
    found = []
    for finding in _steps(settings, other_mailbox):
        found.append(finding)
        yield finding
    if any(each.health is Health.BAD for each in found):
        yield _bad("graph", "cannot be worked with", "mend what is wrong above")
    else:
        yield _good("graph", "works")


def _steps(settings: GraphSettings, other_mailbox: str) -> Iterator[Finding]:
    yield from _clock(settings)
    with closing(_tokens(settings)) as tokens:
        try:
            token = tokens.get()
        except SwarmError as error:
            yield _bad("graph token", error.message, _SECRET)
            return
        yield _good("graph token", f"given by {httpx.URL(settings.authority).host}")
        yield from rights(token)
        with closing(GraphOutlook(settings, tokens=tokens, patience=_ONCE)) as outlook:
            yield from _mailbox(outlook, settings)
        if other_mailbox:
            yield _other(settings, tokens, other_mailbox)


def _tokens(settings: GraphSettings) -> ClientCredentials:
    return ClientCredentials(
        authority=settings.authority,
        tenant_id=settings.tenant_id,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        patience=_ONCE,
    )


def roles_of(token: str) -> tuple[str, ...]:
    """Return the application permissions a token carries; none for one that is no JWT."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        roles = claims.get("roles", [])
    except (IndexError, ValueError, AttributeError, binascii.Error):
        return ()
    return tuple(str(role) for role in roles) if isinstance(roles, list) else ()


def rights(token: str) -> Iterator[Finding]:
    """Say what an application token may do on the whole tenant: nothing, if all is well."""
    roles = roles_of(token)
    if "Mail.Send" in roles:
        yield _bad(
            "graph rights",
            "the app may send as anybody of the tenant (Mail.Send)",
            "take Mail.Send away from the app registration; nothing here needs it (ES-06)",
        )
        return
    wide = [role for role in roles if role.startswith(("Mail.", "full_access"))]
    if wide:
        yield Finding(
            area="services",
            name="graph rights",
            health=Health.NOTE,
            detail=f"Entra gives {', '.join(wide)} on every mailbox of the tenant",
            helps="remove this consent in Entra: it defeats the scope of RBAC for Applications",
        )
        return
    yield _good("graph rights", "nothing on the whole tenant; the scope is Exchange's")


def _mailbox(outlook: GraphOutlook, settings: GraphSettings) -> Iterator[Finding]:
    now = datetime.now(UTC)
    try:
        outlook.inbox(now - timedelta(minutes=1), now)
        yield _good("graph mailbox", f"{settings.mailbox} can be read")
        outlook.delta(None, since=now)
        yield _good("graph new mail", "the list of what is new answers")
    except SwarmError as error:
        yield _bad("graph mailbox", error.message, _SCOPE if _is_refusal(error) else "")


def _other(settings: GraphSettings, tokens: ClientCredentials, other: str) -> Finding:
    """Read a mailbox that is none of ours; only a refusal is good."""
    elsewhere, now = settings.model_copy(update={"mailbox": other}), datetime.now(UTC)
    with closing(GraphOutlook(elsewhere, tokens=tokens, patience=_ONCE)) as outlook:
        try:
            outlook.inbox(now - timedelta(minutes=1), now)
        except SwarmError as error:
            if _is_refusal(error):
                return _good("graph scope", "the other mailbox is refused, as it must be")
            return _bad("graph scope", error.message, "ask again")
    return _bad(
        "graph scope",
        "the app can read the other mailbox too: it is not limited to one",
        "see `Limit it to one mailbox` in docs/connect-a-tenant.md",
    )


def _is_refusal(error: SwarmError) -> bool:
    return isinstance(error, RemoteRefusedError) and error.http_status in _REFUSED


def _clock(settings: GraphSettings) -> Iterator[Finding]:
    """Every answer carries a date, the refusal of a question without a token too."""
    http = BoundedHttp(bounds=_BOUNDS, timeout=httpx.Timeout(_SECONDS, connect=5.0), connections=1)
    with closing(http):
        try:
            answer = http.exchange("GET", settings.base_url, doing="asking Graph for the time")
            yield skew("graph clock", parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC))
        except SwarmError as error:
            helps = "is the name resolved, and does a proxy or firewall let this machine out?"
            yield _bad("graph host", error.message, helps)
        except (KeyError, ValueError):
            return  # it says no time


def _good(name: str, detail: str) -> Finding:
    return Finding(area="services", name=name, health=Health.GOOD, detail=detail)


def _bad(name: str, detail: str, helps: str) -> Finding:
    return Finding(area="services", name=name, health=Health.BAD, detail=detail, helps=helps)
