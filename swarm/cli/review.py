"""``swarm review``: what waits for people, in the terminal. The same questions as the desk's pages.

Shows senders and subjects: for the person who asks. What lives elsewhere: the questions
(``swarm.observe.review``), how they look (``review_view``), one work order (``swarm show``).
"""

from typing import Annotated

import typer

from swarm.cli import review_view as view
from swarm.cli.output import NO, console, installation, leave, print_json
from swarm.observe.review.drafts import waiting_drafts
from swarm.observe.review.escalations import escalations as waiting_escalations
from swarm.observe.review.reading import day_of, reading
from swarm.observe.review.search import search as search_mails
from swarm.observe.review.today import day, waiting

app = typer.Typer(help="What waits for people: drafts, escalations; finding a mail.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many to show.")]


@app.callback(invoke_without_command=True)
def review(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Today in numbers, the drafts that wait, and the escalations, most pressing first."""
    if context.invoked_subcommand is not None:
        return
    settings, database = installation()
    with reading(database) as connection:
        now = waiting(connection)
        today = day(connection, *day_of(now.at, settings.core.house_time_zone))
        drafts = waiting_drafts(connection, limit=20)
        items = waiting_escalations(connection, texts=False, limit=20)
    if as_json:
        print_json(
            {
                "now": now.model_dump(mode="json"),
                "today": today.model_dump(mode="json"),
                "drafts": [each.model_dump(mode="json") for each in drafts],
                "escalations": [each.model_dump(mode="json") for each in items],
            }
        )
        return
    view.print_today(console(), today, now)
    view.print_escalations(console(), items)
    view.print_drafts(console(), drafts)


@app.command()
def drafts(*, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the drafts that wait for a person, oldest first, and why each was offered."""
    _, database = installation()
    with reading(database) as connection:
        found = waiting_drafts(connection, limit=limit)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    else:
        view.print_drafts(console(), found)


@app.command()
def escalations(*, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List what nobody has taken yet, most pressing first, with its mail."""
    _, database = installation()
    with reading(database) as connection:
        found = waiting_escalations(connection, limit=limit)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    else:
        view.print_escalations(console(), found)


@app.command()
def search(
    terms: Annotated[
        list[str], typer.Argument(help="Sender, order number, subject, date, key, message id.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Find mails; all terms must fit. Exit code 1: none does."""
    settings, database = installation()
    with reading(database) as connection:
        found = search_mails(connection, " ".join(terms), settings.core.house_time_zone)
    if as_json:
        print_json(found)
    else:
        view.print_found(console(), found)
    if not found.mails:
        leave(NO)
