"""``swarm release``: a person's named decision that a final work order may be drafted after all."""

from typing import Annotated

import typer

from swarm.cli.output import installation, print_json, say
from swarm.intake.stream.names import find_key
from swarm.publishing.release import ReleaseRequest, describe
from swarm.publishing.release import release as release_work_order


def release(
    key: Annotated[str, typer.Argument(help="Work-order key, its beginning, or original id.")],
    *,
    actor: Annotated[str, typer.Option("--actor", help="Who you are; kept for ever.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept, shown at the draft.")],
    revision: Annotated[
        int | None,
        typer.Option("--revision", help="Which text of the mail; 0 as accepted. Default: newest."),
    ] = None,
    waive: Annotated[
        list[str] | None,
        typer.Option("--waive", help="A rule you take on, e.g. ES-01; may be repeated."),
    ] = None,
    no_draft: Annotated[
        bool,
        typer.Option(
            "--no-draft-in-mailbox",
            help="You have looked, in Sent and Deleted too: no draft of it is in the mailbox.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Open a final, unpublished work order again, for a new attempt under all rules.

    Nobody can take on ES-06, 09, 10, 11, 14, 16 and 17. What is published is never released.
    """
    settings, database = installation()
    with database.transaction() as connection:
        found = find_key(connection, key, settings.core.swarm_key_secret.get_secret_value())
    request = ReleaseRequest(
        key=found,
        actor=actor,
        reason=reason,
        waive=tuple(waive or ()),
        revision=revision,
        no_draft_in_mailbox=no_draft,
    )
    done = release_work_order(database, request, settle_seconds=settings.publishing.settle_seconds)
    if as_json:
        print_json(done)
        return
    say(describe(done))
