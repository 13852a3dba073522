"""Prometheus text of what an operator must be woken by. Numbers only, no work order is named.

Gauges are read from the tables, so every exporter on every host says the same and a restart resets
nothing. Nobody serves the text yet; alert rules live elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from swarm.store.database import Connection, Database


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its query gives ``value`` and, when labelled, ``label`` per row."""

    name: str
    help: str
    sql: str
    kind: str = "gauge"
    label: str | None = None


_AGE = "coalesce(extract(epoch FROM now() - min({column})), 0)::float AS value"

METRICS = (
    Metric(
        "swarm_work_orders",
        "Work orders by state.",
        "SELECT state AS label, count(*) AS value FROM work_orders GROUP BY 1 ORDER BY 1",
        label="state",
    ),
    Metric(
        "swarm_jobs",
        "Jobs by state.",
        "SELECT state AS label, count(*) AS value FROM swarm_jobs GROUP BY 1 ORDER BY 1",
        label="state",
    ),
    Metric(
        "swarm_queue_depth",
        "Jobs waiting for a run.",
        "SELECT count(*) AS value FROM swarm_jobs WHERE state IN ('queued', 'requested')",
    ),
    Metric(
        "swarm_queue_oldest_seconds",
        "Age of the oldest job that is neither done nor dead.",
        f"SELECT {_AGE.format(column='queued_at')} FROM swarm_jobs"
        " WHERE state IN ('queued', 'requested', 'running')",
    ),
    Metric(
        "swarm_heartbeat_oldest_seconds",
        "Age of the oldest heartbeat among running jobs.",
        f"SELECT {_AGE.format(column='heartbeat_at')} FROM swarm_jobs WHERE state = 'running'",
    ),
    Metric(
        "swarm_dead_letters",
        "Jobs that gave up and wait for a person.",
        "SELECT count(*) AS value FROM swarm_jobs WHERE state = 'dead'",
    ),
    Metric(
        "swarm_runs_total",
        "Ended runs by outcome; 'fenced' were reaped or overtaken.",
        "SELECT outcome AS label, count(*) AS value FROM workflow_runs"
        " WHERE outcome IS NOT NULL GROUP BY 1 ORDER BY 1",
        kind="counter",
        label="outcome",
    ),
    Metric(
        "swarm_job_failures_total",
        "Runs that started and failed.",
        "SELECT count(*) AS value FROM workflow_events WHERE kind = 'run.failed'",
        kind="counter",
    ),
    Metric(
        "swarm_jobs_reaped_total",
        "Jobs taken back because a lease or a request ran out.",
        "SELECT count(*) AS value FROM workflow_events WHERE kind = 'run.reaped'",
        kind="counter",
    ),
    Metric(
        "swarm_publications",
        "Publications by ledger state.",
        "SELECT state AS label, count(*) AS value FROM publication_ledger GROUP BY 1 ORDER BY 1",
        label="state",
    ),
    Metric(
        "swarm_publications_unconfirmed_oldest_seconds",
        "Age of the oldest publication that was posted and not yet seen in the mailbox.",
        f"SELECT {_AGE.format(column='intent_at')} FROM publication_ledger"
        " WHERE state IN ('SENDING', 'ACCEPTED', 'UNKNOWN')",
    ),
    Metric(
        "swarm_escalations_open",
        "Escalations nobody has acknowledged.",
        "SELECT count(*) AS value FROM escalations WHERE acknowledged_at IS NULL",
    ),
    Metric(
        "swarm_escalations_overdue",
        "Escalations past their time without acknowledgement (ES-22).",
        "SELECT count(*) AS value FROM escalations"
        " WHERE acknowledged_at IS NULL AND acknowledge_by < now()",
    ),
    Metric(
        "swarm_intake_lines_total",
        "Complete intake lines by what became of them.",
        "SELECT status AS label, count(*) AS value FROM intake_line"
        " WHERE stream <> 'outbox' GROUP BY 1 ORDER BY 1",
        kind="counter",
        label="status",
    ),
    Metric(
        "swarm_intake_last_read_seconds",
        "Time since each stream's bookmark last moved.",
        "SELECT stream AS label, extract(epoch FROM now() - max(updated_at))::float AS value"
        " FROM intake_offset GROUP BY 1 ORDER BY 1",
        label="stream",
    ),
    Metric(
        "swarm_alerts_open",
        "Unresolved alerts by kind.",
        "SELECT kind AS label, count(*) AS value FROM alerts WHERE resolved_at IS NULL"
        " GROUP BY 1 ORDER BY 1",
        label="kind",
    ),
    Metric(
        "swarm_alerts_undelivered",
        "Alerts still in the outbox.",
        "SELECT count(*) AS value FROM alerts WHERE delivered_at IS NULL",
    ),
    Metric(
        "swarm_model_cost_total",
        "What model calls have cost, in the currency of the configured prices.",
        "SELECT coalesce(sum(cost), 0) AS value FROM model_calls",
        kind="counter",
    ),
    Metric(
        "swarm_publisher_active",
        "Who may publish: 1 for the one appointed.",
        "SELECT name AS label, (name = active)::int AS value"
        " FROM publisher_control, unnest(ARRAY['legacy', 'none', 'swarm']) AS name ORDER BY 1",
        label="publisher",
    ),
)


def metrics(database: Database) -> str:
    """Return every metric in the Prometheus text format 0.0.4, read in one snapshot."""
    with database.transaction() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return "".join(f"{line}\n" for metric in METRICS for line in _lines(connection, metric))


def _lines(connection: Connection, metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for row in connection.execute(metric.sql):
        label = f'{{{metric.label}="{_escaped(row["label"])}"}}' if metric.label else ""
        yield f"{metric.name}{label} {float(row['value']):g}"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
