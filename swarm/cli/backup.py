"""``swarm backup``, ``restore`` and ``reconcile``: an installation leaves the house and comes back.

What a backup is and why a restored ledger may not publish: ``swarm.lifecycle.backup``.
"""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from swarm.cli.output import installation, keeping, print_json, say
from swarm.installation.environment import KNOWLEDGE_DIR, home_of
from swarm.lifecycle.backup.reconciling import reconcile as compare
from swarm.lifecycle.backup.restoring import restore as bring_back
from swarm.lifecycle.backup.taking import back_up
from swarm.store.home_world import require_home
from swarm.store.world import Service

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write the whole installation into a new folder; it may run meanwhile.

    In it: the database, the key secret, the intake's files and positions, tolerances, approved
    answers. Not in it: the secrets of services and the passwords of the database.
    """
    manifest = back_up(home_of(os.environ), dict(os.environ), folder.absolute())
    if as_json:
        print_json({**manifest.model_dump(mode="json"), "folder": str(folder.absolute())})
        return
    say(f"backed up to {folder.absolute()}: {len(manifest.files)} files, the database included")
    say("It holds customers' mail and the key secret: keep it as closed as the home itself.")
    if os.environ.get(KNOWLEDGE_DIR):
        say(f"{KNOWLEDGE_DIR} lies outside the home and is not in it.")


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `swarm backup` has made.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Fill the empty SWARM_HOME from a backup. Nobody publishes until `swarm reconcile`."""
    home = home_of(os.environ)
    manifest = bring_back(
        folder.absolute(), home, dict(os.environ), actor=f"swarm restore ({getpass.getuser()})"
    )
    if as_json:
        print_json({**manifest.model_dump(mode="json"), "home": str(home.root)})
        return
    say(f"restored the backup of {manifest.at:%F %H:%M:%S} UTC into {home.root}")
    say("Nobody publishes now: what was drafted after the backup is not known here yet.")
    say("Next: see that the old installation never runs again; `swarm up`; `swarm reconcile`.")


def reconcile(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be settled, settle nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare a restored ledger with the mailbox; then publishing may be given to somebody.

    Every mail from before the restore is confirmed by its draft or held for a person.
    """
    settings, database = installation()
    _, keeper = keeping()
    require_home(settings, Service.MAILBOX)
    done = compare(settings, database, keeper, actor=getpass.getuser(), dry_run=dry_run)
    if as_json:
        print_json(done)
        return
    say(f"{'would be: ' if dry_run else 'reconciled: '}{done}")
    if not dry_run:
        say("Now `swarm publisher rollback --reason ...` gives publishing to today's path.")
