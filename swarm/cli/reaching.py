"""Whether each service answers, asked by the very clients that will ask it later.

So a proxy, a certificate or a refused token shows here as it would at work. Only reading: a page of
new mail, the boards, the list of models. The hook is connected to and not asked, because even a GET
of a Catch Hook would start the Zap. What lives elsewhere: everything else ``swarm doctor`` looks at
(``diagnosis``).
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from swarm.cli.findings import Finding, Health
from swarm.clients.monday import MondayClient
from swarm.clients.outlook import GraphOutlook
from swarm.clients.patience import Patience
from swarm.errors import SwarmError
from swarm.settings import GraphSettings, ModelSettings, MondaySettings, ZapierSettings

_CONNECT_SECONDS = 3.0
_ONCE = Patience(attempts=1)
_DENIED = frozenset({401, 403})


def mailbox(settings: GraphSettings) -> Finding:
    """Ask Graph for what is new from now on: token, permission and way are proven by it."""
    with closing(GraphOutlook(settings, patience=_ONCE)) as outlook:
        try:
            outlook.delta(None, since=datetime.now(UTC))
        except SwarmError as error:
            return _bad("graph", str(error))
    return _good("graph", f"the mailbox can be read at {_host(settings.base_url)}")


def crm(settings: MondaySettings) -> Iterator[Finding]:
    """Ask monday who we are there, and whether boards and columns are the configured ones."""
    with closing(MondayClient(settings, patience=_ONCE)) as monday:
        try:
            known = monday.health()
            yield _good("monday", f"{_host(settings.api_url)} answers")
        except SwarmError as error:
            yield _bad("monday", str(error))
            return
        try:
            monday.check_boards()
        except SwarmError as error:
            yield _bad("monday boards", str(error))
            return
    yield _good(
        "monday boards",
        f"account {known.account}, API {known.version} ({known.version_kind}),"
        " boards and columns are as configured",
    )


def hook(settings: ZapierSettings) -> Finding:
    """Connect as the client does: never by proxy, and with its trust in certificates."""
    parts = urlsplit(settings.hook_url.get_secret_value())
    secure, host = parts.scheme == "https", parts.hostname or ""
    try:
        port = parts.port or (443 if secure else 80)
        with closing(socket.create_connection((host, port), _CONNECT_SECONDS)) as connection:
            if secure:
                trusted = ssl.create_default_context()
                trusted.wrap_socket(connection, server_hostname=host).close()
    except (OSError, ValueError) as error:
        return _bad("zapier", f"{host} cannot be connected to ({type(error).__name__})")
    return _good("zapier", f"{host} answers")


def model(settings: ModelSettings) -> Iterator[Finding]:
    """Ask for the list of models: it costs nothing and shows whether the key is taken."""
    if not (settings.configured and settings.base_url):
        return
    key = settings.api_key.get_secret_value()
    try:
        answer = httpx.get(
            f"{settings.base_url.rstrip('/')}/models",
            headers={"Authorization": f"Bearer {key}"},
            timeout=_CONNECT_SECONDS,
        )
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        detail = f"{_host(settings.base_url)} does not answer ({type(error).__name__})"
        yield _bad("model", detail)
        return
    if answer.status_code in _DENIED:
        yield _bad("model", f"{_host(settings.base_url)} refuses the key ({answer.status_code})")
        return
    yield _good("model", f"{_host(settings.base_url)} answers")


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _good(name: str, detail: str) -> Finding:
    return Finding(area="services", name=name, health=Health.GOOD, detail=detail)


def _bad(name: str, detail: str) -> Finding:
    return Finding(area="services", name=name, health=Health.BAD, detail=detail)
