"""Whether each service answers, asked by the very clients that will ask it later.

So a proxy, a certificate or a refused token shows here as it would at work. Only reading: the
boards; and one question of a few tokens to the chat model. The hook is connected to and not asked,
because even a GET of a Catch Hook would start the Zap. What lives elsewhere: the mailbox
(``reaching_graph``), everything else ``swarm doctor`` looks at (``diagnosis``).
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

from swarm.cli.findings import Finding, Health
from swarm.clients.monday import MondayClient
from swarm.clients.patience import Patience
from swarm.errors import SwarmError
from swarm.settings import ModelSettings, MondaySettings, ZapierSettings
from swarm.specialists.chat.ladder import Rung, TokenLimit
from swarm.specialists.probe import Probed, models_of, probe

_CONNECT_SECONDS = 3.0
_ONCE = Patience(attempts=1)


def crm(settings: MondaySettings) -> Iterator[Finding]:
    """Ask monday who we are there, and whether boards and columns are the configured ones."""
    with closing(MondayClient(settings, patience=_ONCE)) as monday:
        try:
            known = monday.health()
            yield _good("monday", f"{_host(settings.api_url)} answers")
        except SwarmError as error:
            yield _bad("monday", str(error), "is MONDAY_TOKEN that of a user who may read both?")
            return
        try:
            monday.check_boards()
        except SwarmError as error:
            yield _bad("monday boards", str(error), "compare the ids with the board's address")
            return
    yield _good(
        "monday boards",
        f"account {known.account}, API {known.version} ({known.version_kind}),"
        " boards and columns are as configured",
    )


def hook(settings: ZapierSettings) -> Iterator[Finding]:
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
        why, helps = _no_connection(error)
        yield _bad("zapier", f"{host}: {why}", helps)
        return
    yield _good("zapier", f"{host} answers; the hook itself is not asked")


def _no_connection(error: OSError | ValueError) -> tuple[str, str]:
    """Tell an unknown name from a closed port from distrust from silence."""
    if isinstance(error, socket.gaierror):
        return "the name is unknown", "correct ZAPIER_HOOK_URL, or the resolver"
    if isinstance(error, ssl.SSLError):
        return "its certificate is not trusted", "does a proxy in between open TLS?"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there", "correct ZAPIER_HOOK_URL"
    if isinstance(error, TimeoutError):
        return "no answer", "may this machine go out on port 443?"
    return f"no connection ({type(error).__name__})", "correct ZAPIER_HOOK_URL"


def model(settings: ModelSettings) -> Iterator[Finding]:
    """Ask each configured model one small real question, as a work order would be asked."""
    if not settings.configured:
        return
    for name in models_of(settings):
        try:
            found = probe(settings, name)
        except SwarmError as error:
            yield _bad("model", str(error))
            continue
        yield Finding(
            area="services",
            name="model",
            health=Health.NOTE if found.way.rung is Rung.WORDS else Health.GOOD,
            detail=_answered(found),
        )


_WAYS = {
    Rung.SCHEMA: "its answers follow a JSON schema",
    Rung.TOOL: "its answers are tool calls; it takes no JSON schema",
    Rung.JSON: "its answers are JSON objects; it takes no JSON schema and no tool",
    Rung.WORDS: "it has no structured output: answers are read from its words",
}


def _answered(found: Probed) -> str:
    left_out = [] if found.way.temperature else ["takes no temperature"]
    if found.way.token_limit is TokenLimit.NONE:
        left_out.append("takes no limit of tokens")
    more = f"; it {' and '.join(left_out)}" if left_out else ""
    tries = f" in {found.calls} answers" if found.calls > 1 else ""
    return (
        f"{found.model} answers: {_WAYS[found.way.rung]}{more}; {found.input_tokens} tokens read,"
        f" {found.output_tokens} written{tries}, {found.latency_ms} ms"
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _good(name: str, detail: str) -> Finding:
    return Finding(area="services", name=name, health=Health.GOOD, detail=detail)


def _bad(name: str, detail: str, helps: str = "") -> Finding:
    return Finding(area="services", name=name, health=Health.BAD, detail=detail, helps=helps)
