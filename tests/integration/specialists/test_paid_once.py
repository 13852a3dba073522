"""A model call that was answered is never paid again, even when the process died right after it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from chat_model_server import schema_name, serving
from psycopg.types.json import Jsonb
from pydantic import SecretStr
from replying import KEY, context, order, received, routine, services

from swarm.settings import ModelSettings
from swarm.specialists.llm import LlmSpecialist
from swarm.stages.reply.draft import write_draft
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore

pytestmark = pytest.mark.integration

SUPPORT = Path(__file__).parents[2] / "support"

# Dies as soon as the proposal was paid for and before anybody used it; there is no checkpointer.
DYING_WRITER = """
import os, sys
from replying import context, received, routine, services
from swarm.settings import ModelSettings
from swarm.specialists.llm import LlmSpecialist
from swarm.stages.reply.draft import write_draft
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore

class Dying(LlmSpecialist):
    def propose(self, brief, previous, findings):
        super().propose(brief, previous, findings)
        os._exit(9)

store = PostgresStore(Database(sys.argv[1]))
who = Dying(ModelSettings(base_url=sys.argv[2], name="test-model"), store)
write_draft(received(), context(), routine(), services(store=store, specialist=who))
"""

ACCEPT = "INSERT INTO work_orders (key, original_id, body) VALUES (%s, %s, %s)"


@pytest.mark.fault("T10")
def test_a_proposal_paid_by_a_killed_process_is_used_by_the_next_one(
    database: Database, database_url: str
) -> None:
    with database.transaction() as connection:
        connection.execute(ACCEPT, (KEY, "line-1", Jsonb(order().model_dump(mode="json"))))
    with serving() as model:
        inherited = os.environ.get("PYTHONPATH")
        path = os.pathsep.join([str(SUPPORT), *([inherited] if inherited else [])])
        died = subprocess.run(
            [sys.executable, "-c", DYING_WRITER, database_url, model.url],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert died.returncode == 9, died.stderr
        store = PostgresStore(database)
        settings = ModelSettings(
            base_url=model.url, name="test-model", api_key=SecretStr("not-needed")
        )
        who = LlmSpecialist(settings, store)
        draft = write_draft(received(), context(), routine(), services(store=store, specialist=who))
        asked = [schema_name(request) for request in model.requests]
    assert draft.offered
    assert sorted(asked) == ["ProposeAnswer", "ReviewAnswer", "ReviewAnswer", "ReviewAnswer"]
