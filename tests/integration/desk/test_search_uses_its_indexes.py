"""A search over a hundred thousand mails asks indexes, whatever is typed."""

import json
from collections.abc import Iterator

import pytest

from swarm.observe.review.asked import terms_of
from swarm.observe.review.search import statement, values
from swarm.store import embedded
from swarm.store.database import Database

pytestmark = [pytest.mark.integration, pytest.mark.long]

_FILL = """
INSERT INTO work_orders (key, original_id, body)
SELECT 'wo_' || translate(lpad(to_hex(n * 2654435761 % 4294967296), 24, 'a'), '0189', 'wxyz'),
       'mail-' || n,
       jsonb_build_object('subject', 'Order ' || n, 'sender',
           jsonb_build_object('name', 'Ada ' || n % 1000, 'address', 'ada' || n || '@example.org'))
  FROM generate_series(1, 100000) AS n
"""
_FILL_SEARCH = """
INSERT INTO mail_search (work_order_key, received_at, addresses, ids, numbers, words)
SELECT key, timestamptz '2026-01-01' + substr(original_id, 6)::int * interval '4 minutes',
       ARRAY[body->'sender'->>'address'], ARRAY[original_id], ARRAY[substr(original_id, 6)],
       ARRAY['ada', 'example', 'order', 'n' || substr(original_id, 6)]
  FROM work_orders
"""


@pytest.fixture(scope="module")
def large(postgres_server: str) -> Iterator[Database]:
    url = embedded.create_database(postgres_server, "large_desk", template="template_swarm")
    database = Database(url, statement_seconds=300)
    with database.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(_FILL)
        connection.execute(_FILL_SEARCH)
        connection.execute("ANALYZE mail_search")
        connection.execute("ANALYZE work_orders")
    yield database
    database.close()


@pytest.mark.parametrize(
    "typed",
    ["ada77777@example.org", "77777", "n77777", "2026-03-03", "<mail-77777>", "ada 77777",
     "mail-77777@example.org", "ada", "n777 2026-03"],
)  # fmt: skip
def test_no_search_reads_the_whole_table(large: Database, typed: str) -> None:
    terms = terms_of(typed, "UTC")
    with large.transaction() as connection:
        question = statement(terms).as_string(connection)
        plan = connection.execute(
            ("EXPLAIN (FORMAT JSON) " + question).encode(), values(terms)
        ).fetchone()
        assert plan is not None
        said = json.dumps(plan)
    assert "Seq Scan" not in said, said


def test_a_beginning_of_a_key_is_looked_up(large: Database) -> None:
    with large.transaction() as connection:
        row = connection.execute("SELECT min(work_order_key) AS key FROM mail_search").fetchone()
        assert row
        terms = terms_of(str(row["key"])[:26], "UTC")
        question = statement(terms).as_string(connection)
        plan = connection.execute(
            ("EXPLAIN (FORMAT JSON) " + question).encode(), values(terms)
        ).fetchone()
    assert "Seq Scan" not in json.dumps(plan)
