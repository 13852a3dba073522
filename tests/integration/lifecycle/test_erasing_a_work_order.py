"""After an erasure nothing of ours names the work order or says what the mail said (T60)."""

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from psycopg import sql

from swarm.errors import MalformedInputError, RefusedError
from swarm.lifecycle.erasure import erase
from swarm.observe.audit.promises import audit
from swarm.stages.checkpointer import postgres_checkpointer

pytestmark = pytest.mark.integration

_TABLES = """
SELECT schemaname AS schema, tablename AS name FROM pg_tables
 WHERE schemaname IN ('swarm', 'langgraph')
"""


def residues(world, text: str) -> list[str]:
    """Name every table of which any row, read as text, holds ``text``."""
    with world.database.transaction() as connection:
        tables = connection.execute(_TABLES).fetchall()
        return [
            table["name"]
            for table in tables
            if connection.execute(
                sql.SQL("SELECT 1 FROM {} AS t WHERE position(%s IN t::text) > 0 LIMIT 1").format(
                    sql.Identifier(table["schema"], table["name"])
                ),
                (text,),
            ).fetchone()
        ]


@pytest.mark.parametrize("name", ["published", "escalated"])
def test_no_table_names_an_erased_work_order(world, name: str) -> None:
    key = getattr(world, name)
    with postgres_checkpointer(world.database.url) as saver:
        config = {"configurable": {"thread_id": f"{key}:reply:x", "checkpoint_ns": ""}}
        saver.put(config, empty_checkpoint(), {}, {})
    assert len(residues(world, key)) > 5
    erased = erase(world.database, key)
    assert residues(world, key) == []
    assert residues(world, f"WO-{key[3]}") == []
    assert erased.dagster_runs == (f"run-{key[3]}",)
    assert [segment.length for segment in erased.intake_segments] == [99]


def test_the_others_stay_and_every_promise_still_holds(world) -> None:
    erase(world.database, world.published)
    assert len(world.store.events(world.escalated)) > 0
    assert audit(world.database, None, [], required_rules=world.rules).breaches == ()


def test_a_live_work_order_is_not_erased(world) -> None:
    with pytest.raises(RefusedError, match="running cannot be erased"):
        erase(world.database, world.live)
    assert len(world.store.events(world.live)) > 0


def test_an_unknown_work_order_cannot_be_erased(world) -> None:
    with pytest.raises(MalformedInputError):
        erase(world.database, "wo_" + "z" * 24)
