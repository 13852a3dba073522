"""``swarm status``, ``show`` and ``audit``: reading the installation. Nothing here changes it."""

import time
from typing import Annotated

import typer
from pydantic import JsonValue

from swarm.cli import ignored
from swarm.cli.dossier_view import print_dossier
from swarm.cli.output import NO, complain, console, installation, keeping, leave, print_json, say
from swarm.cli.status_view import print_status
from swarm.errors import MalformedInputError
from swarm.installation.home import Home
from swarm.intake.stream.sorted_out import SortedOutMail
from swarm.legacy.home import LegacyFiles
from swarm.observe.audit.advice import advice
from swarm.observe.audit.installation import audit_installation
from swarm.observe.audit.recompute import Progress
from swarm.observe.audit.report import AuditReport, Scope, sentences
from swarm.observe.dossier.dossier import dossier
from swarm.observe.dossier.ui_links import partition_page
from swarm.observe.status import status as read_status
from swarm.observe.watched import watched
from swarm.store.home_world import require_home
from swarm.store.world import Service

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def status(
    *,
    recent: Annotated[int, typer.Option(min=0, help="How many recent work orders.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Say how many work orders are where, what waits and what is late."""
    settings, database = installation()
    legacy = LegacyFiles(settings.core.swarm_home)
    streams = [legacy.work_orders, *([legacy.outbox] if legacy.outbox.exists() else [])]
    watch = watched(database, Home(settings.core.swarm_home), settings.core.ui_url)
    now = read_status(database, streams=streams, recent=recent, legacy=legacy, watched=watch)
    if as_json:
        print_json(now)
    else:
        print_status(console(), now)


def show(
    name: Annotated[
        str, typer.Argument(metavar="KEY_OR_ID", help="Key, its beginning, or original id.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one work order: every stage, verdict, piece of evidence, cost, and why.

    A mail that was sorted out is shown with its reason.
    """
    settings, database = installation()
    secret = settings.core.swarm_key_secret.get_secret_value()
    try:
        found = dossier(database, name, secret=secret, ui_url=settings.core.ui_url)
    except MalformedInputError:
        mail = ignored.left_out(settings, database, name)
        if mail is None:
            raise
        _show_left_out(mail, as_json=as_json)
        return
    link = partition_page(settings.core.ui_url, found.key)
    if as_json:
        print_json({**found.model_dump(mode="json"), "ui": link})
    else:
        print_dossier(console(), found, link)


def _show_left_out(mail: SortedOutMail, *, as_json: bool) -> None:
    if as_json:
        print_json(mail)
    else:
        ignored.say_mail(mail)


def audit(
    *,
    full: Annotated[
        bool, typer.Option("--full", help="All work orders, not only what is new and open.")
    ] = False,
    accept: Annotated[
        str,
        typer.Option(
            metavar="REASON", help="Take schema and counts as they are now as the measure."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Check the promises: what is new since the last clean audit, what is open, and the mailbox.

    Exit code 1 names each breach.
    """
    settings, database = keeping()
    require_home(settings, Service.MAILBOX)
    report = audit_installation(
        settings,
        database,
        scope=Scope.FULL if full or accept else Scope.NEW,
        accepted=accept,
        progress=_every_seconds(),
    )
    if as_json:
        print_json(_as_json(report))
    else:
        for sentence in sentences(report):
            say(sentence)
    if not report.holds:
        leave(NO)


def _as_json(report: AuditReport) -> JsonValue:
    shown = report.model_dump(mode="json")
    for breach in shown["breaches"]:
        breach["helps"] = advice(breach["check"])
    return {**shown, "holds": report.holds}


def _every_seconds(seconds: float = 5.0) -> Progress:
    """Say on stderr how far a long audit is, now and then."""
    said = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= seconds:
            said = time.monotonic()
            complain(f"audit: {done} of {total} work orders")

    return progress
