"""``swarm escalations``: what waits for a human, and saying that one has taken it."""

import getpass
from typing import Annotated

import typer

from swarm.cli.output import NO, installation, leave, print_json, say
from swarm.intake.stream.names import find_key
from swarm.store.alerts import acknowledge_escalation
from swarm.store.database import Row

app = typer.Typer(
    help="Work orders that wait for a human: escalated (ES-22) or declined.", no_args_is_help=True
)

_LIST = """
SELECT e.work_order_key AS key, w.state, e.classes, e.owner, e.received_at, e.acknowledge_by,
       e.acknowledged_at, e.acknowledged_by,
       e.acknowledged_at IS NULL AND e.acknowledge_by < now() AS overdue
  FROM escalations e JOIN work_orders w ON w.key = e.work_order_key
 WHERE %(everything)s OR e.acknowledged_at IS NULL
 ORDER BY e.acknowledge_by, e.work_order_key
"""


@app.command("list")
def list_(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Acknowledged ones as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what nobody has acknowledged, most pressing first."""
    _, database = installation()
    with database.transaction() as connection:
        rows = connection.execute(_LIST, {"everything": everything}).fetchall()
    if as_json:
        print_json([_plain(row) for row in rows])
        return
    for row in rows:
        late = "  OVERDUE" if row["overdue"] else ""
        say(
            f"{row['key']}  {', '.join(row['classes']) or row['state']}  {row['owner']}"
            f"  by {row['acknowledge_by']:%Y-%m-%d %H:%M} UTC{late}"
        )
    if not rows:
        say("no open escalations")


@app.command()
def ack(
    key: Annotated[str, typer.Argument(help="Work-order key or original id.")],
    *,
    who: Annotated[str | None, typer.Option("--actor", help="Who took it; default: you.")] = None,
) -> None:
    """Say that a human has taken an escalation. Exit code 1: taken before, or there is none."""
    settings, database = installation()
    secret = settings.core.swarm_key_secret.get_secret_value()
    with database.transaction() as connection:
        resolved = find_key(connection, key, secret)
        taken = acknowledge_escalation(connection, resolved, who or getpass.getuser())
    say(f"{resolved}  {'acknowledged' if taken else 'no open escalation'}")
    if not taken:
        leave(NO)


def _plain(row: Row) -> Row:
    return {
        name: value.isoformat()
        if name.endswith(("_at", "_by")) and hasattr(value, "isoformat")
        else value
        for name, value in row.items()
    }
