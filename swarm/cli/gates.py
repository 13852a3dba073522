"""``swarm gates``: what the readiness gates say, when they are asked, and the certificate.

What lives elsewhere: the gates themselves (``swarm.cutover``), the switch (``publisher``).
"""

import getpass
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from pydantic import JsonValue
from rich.table import Column, Table
from rich.text import Text

from swarm.cli.output import NO, console, installation, leave, print_json, say
from swarm.cutover import asking, certificate, drill, looks
from swarm.cutover.certificate import CertificateState
from swarm.cutover.drill import Drill
from swarm.cutover.evaluated import Evaluation, JudgeRequest
from swarm.cutover.kept import Kept, newest
from swarm.cutover.looks import Look
from swarm.cutover.models import GateResult, GateVerdict
from swarm.errors import MalformedInputError
from swarm.settings import Settings
from swarm.store.database import Database

app = typer.Typer(help="Is it proven that the swarm may take over?")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Actor = Annotated[str, typer.Option("--actor", help="Who asks; kept. Your login name if left out.")]

_STYLE: Final = {
    GateVerdict.PASS: "green",
    GateVerdict.FAIL: "bold red",
    GateVerdict.INCONCLUSIVE: "yellow",
}


@app.callback(invoke_without_command=True)
def gates(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show what each gate said when it was last asked, and whether a certificate holds."""
    if context.invoked_subcommand is not None:
        return
    _, database = installation()
    with database.transaction() as connection:
        kept, standing = newest(connection), certificate.standing(connection)
        drilled = drill.newest(connection)
    if as_json:
        print_json(_as_json(kept, standing, drilled))
    elif kept is None:
        say("the gates were never asked: `swarm gates now` asks them")
    else:
        say(f"report {kept.id} of {kept.taken_at:%Y-%m-%d %H:%M:%S} UTC, engine {kept.engine}")
        _print(kept.gates)
    if not as_json:
        _tell(standing)
        if drilled is not None:
            say(f"drill of the rollback on {drilled.day}: {drill.sentence(drilled)}")
    if kept is None or any(each.verdict is not GateVerdict.PASS for each in kept.gates):
        leave(NO)


@app.command("now")
def now(*, as_json: AsJson = False) -> None:
    """Ask every gate now, in between the looks: no certificate comes of it."""
    settings, database = installation()
    _evaluate(settings, database, None, as_json=as_json)


@app.command("look")
def look(*, as_json: AsJson = False) -> None:
    """Take the planned look that is due now; Dagster's schedule does the same by itself."""
    settings, database = installation()
    with database.transaction() as connection:
        at = looks.due(connection)
    if at is None:
        if as_json:
            print_json({"report_id": None, "due": False})
        else:
            say("no planned look is due")
        leave(NO)
    _evaluate(settings, database, at, as_json=as_json)


@app.command("looks")
def show_looks(
    *,
    plan: Annotated[
        list[str] | None, typer.Option("--plan", help="A time ahead, ISO 8601; may be repeated.")
    ] = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Show the planned looks, or plan some: only they can earn a certificate."""
    settings, database = installation()
    if plan:
        found = _plan(settings, [_time(each) for each in plan], actor or _me())
    else:
        with database.transaction() as connection:
            found = looks.planned(connection)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    for each in reversed(found):
        say(f"{each.at:%Y-%m-%d %H:%M:%S} UTC  {_became(each)}  (planned by {each.actor})")
    if not found:
        say("no look is planned: `swarm gates looks --plan TIME` plans one")


@app.command("void")
def void(
    reason: Annotated[str, typer.Option("--reason", help="Why; kept.")],
    *,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """End the certificate: nobody cuts over with it any more."""
    _, database = installation()
    ended = certificate.void(database, actor=actor or _me(), reason=reason)
    if as_json:
        print_json({"ended": ended})
    else:
        say("the certificate is void" if ended else "there was none to end")
    if not ended:
        leave(NO)


def _evaluate(
    settings: Settings, database: Database, at: datetime | None, *, as_json: bool
) -> None:
    home = str(settings.core.swarm_home.absolute())
    evaluation = asking.evaluation(settings, JudgeRequest(home=home, look=at))
    with database.transaction() as connection:
        standing = certificate.standing(connection)
    if as_json:
        print_json(_of(evaluation))
    else:
        _print(evaluation.gates)
        if evaluation.refused:
            say(f"all gates pass, but the database issues no certificate: {evaluation.refused}")
        _tell(standing)
    if not evaluation.passed:
        leave(NO)


def _of(evaluation: Evaluation) -> JsonValue:
    plain: JsonValue = evaluation.model_dump(mode="json", exclude={"pictures"})
    return plain


def _as_json(kept: Kept | None, standing: CertificateState, drilled: Drill | None) -> JsonValue:
    return {
        "report": None if kept is None else kept.model_dump(mode="json"),
        "certificate": standing.model_dump(mode="json"),
        "drill": None if drilled is None else drilled.model_dump(mode="json"),
    }


def _print(results: tuple[GateResult, ...]) -> None:
    gate, verdict = Column("gate", no_wrap=True), Column("verdict", no_wrap=True)
    table = Table(gate, verdict, "seen", "needed")
    for each in results:
        seen = "\n".join((each.figure, *(f"- {reason}" for reason in each.reasons[:5])))
        sign = Text(each.verdict.value, _STYLE[each.verdict])
        table.add_row(each.gate, sign, Text(seen), Text(each.needed))
    console().print(table)


def _tell(standing: CertificateState) -> None:
    if standing.refusal is not None:
        say(f"a cutover would be refused: {standing.refusal}")
    elif standing.certificate is not None:
        number, until = standing.certificate.number, standing.certificate.valid_until
        say(f"certificate {number} holds until {until:%Y-%m-%d %H:%M} UTC: a cutover may go ahead")


def _plan(settings: Settings, times: list[datetime], actor: str) -> tuple[Look, ...]:
    """As the role of the gates: no other may plan a look."""
    url = settings.core.gates_database_url or settings.core.database_url
    with closing(Database(url.get_secret_value(), max_connections=1)) as database:
        return looks.plan(database, times, actor=actor)


def _became(look: Look) -> str:
    if look.report_id is not None:
        return f"taken: report {look.report_id}, engine {look.engine}"
    return "missed" if look.missed else "planned"


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedInputError(f"{text!r} is no time", hint="e.g. 2026-12-01T09:00Z") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _me() -> str:
    return getpass.getuser()
