"""An intake program whose turns fail, one after the other, is told as an alert.

What lives elsewhere: counting them (``swarm.legacy.turns``), by programs that know no database.
"""

from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import read_state
from swarm.store.alerts import raise_growing, resolve
from swarm.store.database import Database

PATIENCE = 5  # failed turns in a row; with the pauses between them about a minute
FAILING = "intake.turns_fail"


def tell_failing_turns(database: Database, files: IntakeFiles) -> None:
    """Raise, or settle, the alert of each intake program by what its file says.

    It counts the failed turns, so that it is told again as long as they go on.
    """
    for program, path in files.turns.items():
        state = read_state(path)
        failed = state.get("failed")
        with database.transaction() as connection:
            if isinstance(failed, int) and failed >= PATIENCE:
                detail = f"every turn has failed since {state.get('since')}: {state.get('error')}"
                raise_growing(connection, FAILING, program, detail, total=failed)
            elif failed is not None:
                resolve(connection, FAILING, program)
