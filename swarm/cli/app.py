"""Puts the commands together: the table of contents of ``swarm``."""

import typer

from swarm.cli import (
    alerts,
    backup,
    database,
    dead,
    digest,
    doctor,
    erase,
    escalations,
    gates,
    history,
    home,
    ignored,
    knowledge,
    legacy,
    look,
    publisher,
    quarantine,
    rehearse,
    release,
    report,
    review,
    run_once,
    service,
    shadow,
    submit,
    up,
    worker,
)
from swarm.cli.output import guarded

app = typer.Typer(
    name="swarm",
    help="E-mail work orders become reviewed Outlook drafts. It never sends.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.command("up")(up.up)
app.command("worker")(worker.worker)
app.command("submit")(submit.submit)
app.command("status")(look.status)
app.command("show")(look.show)
app.command("audit")(look.audit)
app.command("digest")(digest.digest)
app.command("release")(release.release)
app.command("erase")(erase.erase)
app.command("run-once")(run_once.run_once)
app.command("rehearse")(rehearse.rehearse_command)
app.command("report")(report.report)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("reconcile")(backup.reconcile)
app.command("doctor")(doctor.doctor)
app.add_typer(alerts.app, name="alerts")
app.add_typer(database.app, name="database")
app.add_typer(dead.app, name="dead")
app.add_typer(escalations.app, name="escalations")
app.add_typer(gates.app, name="gates")
app.add_typer(review.app, name="review")
app.add_typer(ignored.app, name="ignored")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(publisher.app, name="publisher")
app.add_typer(legacy.app, name="legacy")
app.add_typer(home.app, name="home")
app.add_typer(service.app, name="service")
app.add_typer(history.app, name="history")
app.add_typer(shadow.app, name="shadow")


def main() -> None:
    """Entry point of the ``swarm`` command."""
    guarded(app)
