"""Tables as they are after many work orders: most ended, a few open. Rows only, no meaning in them.

Triggers sleep while it is filled, so the tallies are made by the part of the migration that looks
back.
"""

import time

import psycopg

from swarm.store.migrate import scripts

GROWING = frozenset(
    {
        "work_orders", "swarm_jobs", "workflow_runs", "workflow_events", "artifacts", "verdicts",
        "model_calls", "intake_line", "sorted_out", "publication_ledger", "publication_log",
        "publication_payload", "escalations", "reply_outcomes",
    }
)  # fmt: skip
"""Tables that have a row for each work order that ever was."""

_FILL = """
SET session_replication_role = replica;
SET search_path = swarm;
CREATE TEMP TABLE keys AS
SELECT n, 'wo_' || translate(lpad(to_hex(n), 24, '0'), '0189', 'qrst') AS key
  FROM generate_series(1, {orders}) n;
INSERT INTO work_orders (key, original_id, body, state, accepted_at, final_at)
SELECT key, n::text, jsonb_build_object('body_text', repeat(md5(n::text), 30)),
       CASE WHEN n % 3 = 0 THEN 'escalated' ELSE 'published' END,
       {ended} - interval '1 minute', {ended} FROM keys;
INSERT INTO swarm_jobs (work_order_key, state) SELECT key, 'done' FROM keys;
INSERT INTO workflow_runs (run_id, work_order_key, attempt, token, outcome, finished_at)
SELECT n::text, key, 1, 1, 'published', {ended} FROM keys;
INSERT INTO intake_line (stream, generation, byte_offset, length, line_sha256, work_order_key,
                         status)
SELECT 'work_orders', 1, n, 1, 'x', key, 'accepted' FROM keys;
INSERT INTO sorted_out (key, original_id, reason) SELECT key, n::text, 'auto-reply' FROM keys;
INSERT INTO publication_ledger (work_order_key, publisher, state, epoch, changed_at)
SELECT key, 'swarm', 'CONFIRMED', 1, {ended} FROM keys WHERE n % 3 > 0;
INSERT INTO escalations (work_order_key, classes, reasons, owner, received_at, acknowledge_by,
                         acknowledged_at)
SELECT key, '[]', '[]', 'lead', now(), now(), CASE WHEN n > 60 THEN now() END
  FROM keys WHERE n % 3 = 0;
INSERT INTO reply_outcomes (work_order_key, origin, publisher, act, sent_text, opened_at)
SELECT key, 'live', 'swarm', CASE WHEN n % 4 = 0 THEN 'sent_edited' ELSE 'sent_unchanged' END,
       repeat(md5(n::text), 20), {ended} FROM keys WHERE n % 3 > 0;
INSERT INTO workflow_events (work_order_key, seq, attempt, run_id, kind, actor, detail, at,
                             previous_hash, hash)
SELECT key, seq, 1, 'r', CASE seq WHEN 1 THEN 'run.opened' WHEN 18 THEN 'work_order.published'
       ELSE 'stage.finished' END, 'rules', '{{}}', now(), md5(n::text), md5(key)
  FROM keys, generate_series(1, {events}) seq;
INSERT INTO model_calls (work_order_key, purpose, request_sha256, model, prompt_sha256, answer,
                         input_tokens, output_tokens, cost, latency_ms)
SELECT key, 'propose', 'r', 'm', 'p', to_jsonb(repeat(md5(n::text), 20)), 900, 200, 0.01, n % 9000
  FROM keys;
SET session_replication_role = DEFAULT;
DELETE FROM tallies;
"""


_ALL_SEEN = """
SELECT relallvisible >= relpages FROM pg_class WHERE oid = 'swarm.reply_outcomes'::regclass
"""

_WHO_HOLDS_BACK = """
SELECT application_name, state, now() - xact_start, left(query, 200) FROM pg_stat_activity
 WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() ORDER BY age(backend_xmin) DESC LIMIT 3
"""
_PATIENCE = 180.0  # seconds; the limit only ends a test that has failed


def fill(url: str, orders: int, *, events: int = 18, ended: str = "now()") -> None:
    """Fill the database at ``url`` with so many work orders, and let Postgres look at them. They
    ``ended`` at a moment of SQL: what has just ended, a running installation looks at.
    """
    migration = dict(scripts())["0062_tallies.sql"]
    looks_back = migration[
        migration.index("INSERT INTO tallies\n") : migration.index("-- What is asked")
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_FILL.format(orders=orders, events=events, ended=ended).encode())
        connection.execute(looks_back.encode())
        _looked_at(connection)


def _looked_at(connection: psycopg.Connection) -> None:
    """Vacuum until Postgres knows that every row is seen by all, as of tables some hours old.

    A snapshot that is still open while the rows are written hides that from the first one, and the
    plans would be those of a table that has just been filled.
    """
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        connection.execute("VACUUM ANALYZE")
        if connection.execute(_ALL_SEEN).fetchone() == (True,):
            return
        time.sleep(0.5)
    holders = connection.execute(_WHO_HOLDS_BACK).fetchall()
    raise TimeoutError(f"not all rows are seen by all; the oldest transactions: {holders}")
