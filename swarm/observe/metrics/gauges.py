"""What is now, read from our tables: work, publications, people, alerts, gates.

Each query touches what is open and not what ever was, by an index: none walks the event log, the
artifacts, or the ended work orders (``tests/integration/observe/test_a_scrape_stays_cheap.py``).
"""

from typing import Final

from swarm.observe.metrics.metric import Gauge, Unit

_UNDER_WAY = "('queued', 'requested', 'running')"

_UNSETTLED = ("PENDING_PAYLOAD", "READY", "SENDING", "ACCEPTED", "UNKNOWN")

_AGE = "coalesce(extract(epoch FROM now() - min({column})), 0)::float AS value"

WORK: Final = (
    Gauge(
        "swarm_work_orders",
        "Work orders that are not settled, by state; held and dead ones wait for a person.",
        "SELECT state, count(*) AS value FROM work_orders WHERE state = ANY(%(always)s)"
        " GROUP BY state",
        ("state",),
        always=("accepted", "running", "publishing", "held", "dead"),
    ),
    Gauge(
        "swarm_queue_depth",
        "Jobs waiting for a run.",
        "SELECT count(*) AS value FROM swarm_jobs WHERE state IN ('queued', 'requested')",
    ),
    Gauge(
        "swarm_queue_backing_off",
        "Of these, jobs that failed or were put off and wait for their time.",
        "SELECT count(*) AS value FROM swarm_jobs WHERE state = 'queued' AND not_before > now()",
    ),
    Gauge(
        "swarm_queue_waiting_for_model",
        "Jobs that the model gave no answer for.",
        "SELECT count(*) AS value FROM swarm_jobs"
        f" WHERE waiting_since IS NOT NULL AND state IN {_UNDER_WAY}",
    ),
    Gauge(
        "swarm_queue_oldest_seconds",
        "Age of the oldest job that is neither done nor dead.",
        f"SELECT {_AGE.format(column='queued_at')} FROM swarm_jobs WHERE state IN {_UNDER_WAY}",
        unit=Unit.SECONDS,
    ),
    Gauge(
        "swarm_jobs_in_flight",
        "Jobs that a run holds.",
        "SELECT count(*) AS value FROM swarm_jobs WHERE state = 'running'",
    ),
    Gauge(
        "swarm_dead_letters",
        "Jobs that gave up and wait for a person.",
        "SELECT count(*) AS value FROM swarm_jobs WHERE state = 'dead'",
    ),
    Gauge(
        "swarm_run_heartbeat_oldest_seconds",
        "Age of the oldest heartbeat among running jobs.",
        f"SELECT {_AGE.format(column='heartbeat_at')} FROM swarm_jobs WHERE state = 'running'",
        unit=Unit.SECONDS,
    ),
    Gauge(
        "swarm_quarantined_lines",
        "Lines nobody could read, that wait for a person, by reason.",
        "SELECT reason, count(*) AS value FROM quarantine WHERE discarded_at IS NULL"
        " GROUP BY reason",
        ("reason",),
    ),
)

PEOPLE: Final = (
    Gauge(
        "swarm_escalations_unacknowledged",
        "Escalations nobody has acknowledged.",
        "SELECT count(*) AS value FROM escalations e JOIN work_orders w ON w.key = e.work_order_key"
        " WHERE e.acknowledged_at IS NULL AND w.state <> 'declined'",
    ),
    Gauge(
        "swarm_declined_waiting",
        "Mails nothing here could answer and nobody has taken.",
        "SELECT count(*) AS value FROM escalations e JOIN work_orders w ON w.key = e.work_order_key"
        " WHERE e.acknowledged_at IS NULL AND w.state = 'declined'",
    ),
    Gauge(
        "swarm_escalations_overdue",
        "Of both, those past their time (ES-22).",
        "SELECT count(*) AS value FROM escalations"
        " WHERE acknowledged_at IS NULL AND acknowledge_by < now()",
    ),
    Gauge(
        "swarm_escalation_overdue_seconds",
        "How long the one that is most overdue is past its time.",
        f"SELECT {_AGE.format(column='acknowledge_by')} FROM escalations"
        " WHERE acknowledged_at IS NULL AND acknowledge_by < now()",
        unit=Unit.SECONDS,
    ),
    Gauge(
        "swarm_drafts",
        "Drafts that were offered, by what a person did; open: nothing yet.",
        "SELECT act, count(*) AS value FROM reply_outcomes"
        " WHERE origin = 'live' AND publisher IS NOT NULL GROUP BY act",
        ("act",),
    ),
    Gauge(
        "swarm_drafts_sent_unchanged_ratio",
        "Of the drafts whose end is known, the share that was sent as it was; none known: no"
        " sample.",
        "SELECT coalesce(sum(n) FILTER (WHERE act = 'sent_unchanged'), 0)::float / sum(n) AS value"
        "  FROM (SELECT act, count(*) AS n FROM reply_outcomes"
        "         WHERE origin = 'live' AND publisher IS NOT NULL GROUP BY act) AS each"
        " WHERE act NOT IN ('open', 'unknown') HAVING sum(n) > 0",
        unit=Unit.RATIO,
    ),
)

PUBLISHING: Final = (
    Gauge(
        "swarm_publications",
        "Publications that are not confirmed, by state of the ledger.",
        "SELECT state, count(*) AS value FROM publication_ledger WHERE state = ANY(%(always)s)"
        " GROUP BY state",
        ("state",),
        always=(*_UNSETTLED, "HELD", "DEAD"),
    ),
    Gauge(
        "swarm_publication_oldest_seconds",
        "For how long the oldest publication has been in its state.",
        "SELECT state, extract(epoch FROM now() - min(changed_at))::float AS value"
        "  FROM publication_ledger WHERE state = ANY(%(always)s) GROUP BY state",
        ("state",),
        Unit.SECONDS,
        always=_UNSETTLED,
    ),
    Gauge(
        "swarm_publisher_active",
        "Who may publish: 1 for the one in office.",
        "SELECT publisher, (publisher = active)::int AS value"
        "  FROM publisher_control, unnest(ARRAY['legacy', 'none', 'swarm']) AS publisher",
        ("publisher",),
        Unit.FLAG,
    ),
    Gauge(
        "swarm_gate",
        "What each gate said in the newest report: 1 for its verdict.",
        "SELECT gate, each AS verdict, (verdict = each)::int AS value"
        "  FROM gate_results, unnest(ARRAY['PASS', 'FAIL', 'INCONCLUSIVE']) AS each"
        " WHERE report_id = (SELECT max(id) FROM readiness_reports)",
        ("gate", "verdict"),
        Unit.FLAG,
    ),
    Gauge(
        "swarm_cutover_allowed",
        "Whether a certificate holds, so that the swarm may be appointed.",
        "SELECT (cutover_refusal() IS NULL)::int AS value",
        unit=Unit.FLAG,
    ),
)

ALERTS: Final = (
    Gauge(
        "swarm_alerts_open",
        "Unresolved alerts by kind.",
        "SELECT kind, count(*) AS value FROM alerts WHERE resolved_at IS NULL GROUP BY kind",
        ("kind",),
    ),
    Gauge(
        "swarm_alerts_undelivered",
        "Alerts that wait to be told to somebody.",
        "SELECT count(*) AS value FROM alerts WHERE delivered_at IS NULL AND resolved_at IS NULL",
    ),
    Gauge(
        "swarm_alert_undelivered_oldest_seconds",
        "How long the oldest of them has waited.",
        f"SELECT {_AGE.format(column='at')} FROM alerts"
        " WHERE delivered_at IS NULL AND resolved_at IS NULL",
        unit=Unit.SECONDS,
    ),
)

HEARTBEATS: Final = (
    Gauge(
        "swarm_workers",
        "Processes of each worker program that said within a minute that they live.",
        "SELECT role, count(*) FILTER (WHERE at > clock_timestamp() - interval '60 seconds')"
        " AS value FROM engine_heartbeats GROUP BY role",
        ("role",),
    ),
    Gauge(
        "swarm_worker_heartbeat_seconds",
        "Age of the newest heartbeat of each worker program.",
        "SELECT role, extract(epoch FROM clock_timestamp() - max(at))::float AS value"
        "  FROM engine_heartbeats GROUP BY role",
        ("role",),
        Unit.SECONDS,
    ),
    Gauge(
        "swarm_dagster_heartbeat_seconds",
        "Age of the newest heartbeat of each of the Dagster daemon's threads.",
        "SELECT daemon_type AS daemon,"
        " extract(epoch FROM clock_timestamp() AT TIME ZONE 'UTC' - max(timestamp))::float AS value"
        "  FROM public.daemon_heartbeats GROUP BY daemon_type",
        ("daemon",),
        Unit.SECONDS,
        needs="public.daemon_heartbeats",
    ),
    Gauge(
        "swarm_sensor_tick_seconds",
        "Time since each sensor of Dagster was last evaluated.",
        "SELECT sensor, extract(epoch FROM clock_timestamp())"
        " - max((told->>'last_tick_timestamp')::float) AS value"
        "  FROM (SELECT instigator_body::jsonb->'origin'->>'job_name' AS sensor,"
        " instigator_body::jsonb->'job_specific_data' AS told"
        "          FROM public.instigators WHERE instigator_type = 'SENSOR') AS each"
        " WHERE told->>'last_tick_timestamp' IS NOT NULL GROUP BY sensor",
        ("sensor",),
        Unit.SECONDS,
        needs="public.instigators",
    ),
    Gauge(
        "swarm_sensor_on",
        "Whether each sensor of Dagster that ever ran is switched on.",
        "SELECT instigator_body::jsonb->'origin'->>'job_name' AS sensor,"
        " max((status IN ('RUNNING', 'DECLARED_IN_CODE'))::int) AS value"
        "  FROM public.instigators WHERE instigator_type = 'SENSOR' GROUP BY 1",
        ("sensor",),
        Unit.FLAG,
        needs="public.instigators",
    ),
)

GAUGES: Final = (*WORK, *PEOPLE, *PUBLISHING, *ALERTS, *HEARTBEATS)
