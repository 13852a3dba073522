"""What happened, counted for ever: counters and histograms out of the tallies of migration 0062.

A trigger leaves a delta in the transaction in which something happens; a reader sums totals and
deltas in one snapshot, so a value never falls and misses nothing that is committed. Erased rows
take nothing away. What lives elsewhere: the triggers (the migration), who folds
(``swarm.watchman``, at each reading).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from swarm.observe.metrics.metric import Histogram, Tally, Unit
from swarm.store.database import Connection, Database

Labels: TypeAlias = tuple[str, ...]
Sums: TypeAlias = Mapping[str, Mapping[Labels, float]]
"""Name of a tally -> its labels -> the sum."""

TALLIES: Final = (
    Tally(
        "swarm_runs_total",
        "Runs by what happened: opened, failed, reaped (taken back: its lease or request ran out),"
        " put_off (the model gave no answer), left.",
        "events",
        ("event",),
        prefix="run.",
    ),
    Tally(
        "swarm_work_orders_moved_total",
        "Moves of work orders into a state; into accepted: a replay or a person's release.",
        "events",
        ("state",),
        prefix="work_order.",
    ),
    Tally(
        "swarm_intake_lines_total",
        "Complete lines read of the work orders and of today's outbox, by what became of them.",
        "lines",
        ("stream", "status"),
    ),
    Tally(
        "swarm_sorted_out_total",
        "Mails that need no answer, by reason.",
        "sorted_out",
        ("reason",),
    ),
    Tally("swarm_alerts_total", "Alerts raised, by kind.", "alerts", ("kind",)),
    Tally(
        "swarm_publications_ended_total",
        "Publications that came to CONFIRMED, HELD or DEAD, by publisher.",
        "publications",
        ("publisher", "state"),
    ),
    Tally(
        "swarm_model_tokens_total",
        "Tokens of model calls; part: input (read), cached (of these, from a cache), output.",
        "model_tokens",
        ("model", "part"),
        Unit.TOKENS,
    ),
    Tally(
        "swarm_model_cost_total",
        "What model calls cost.",
        "model_cost",
        ("model",),
        Unit.CURRENCY,
    ),
    Tally(
        "swarm_model_answers_total",
        "Answers by whom they were fetched: ahead (of the run), run; of the runs', missed (a"
        " prefetch was done, and what was asked had changed); twice: paid although one was on"
        " record.",
        "model_answers",
        ("model", "by"),
    ),
    Tally(
        "swarm_prefetches_total",
        "Work orders thought about ahead of their runs: done, or left with a reason.",
        "prefetches",
        ("outcome",),
    ),
)

HISTOGRAMS: Final = (
    Histogram(
        "swarm_line_to_draft_seconds",
        "From the moment the intake read a line to the moment its draft was found in the mailbox.",
        "line_to_draft",
        ("publisher",),
        (5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400),
    ),
    Histogram(
        "swarm_model_latency_seconds",
        "How long a model took to answer, by model and what it was asked for.",
        "model_latency",
        ("model", "purpose"),
        (0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60),
    ),
)

SUMS = """
SELECT name, labels, sum(value) AS value
  FROM (SELECT name, labels, value FROM tallies
         UNION ALL SELECT name, labels, value FROM tally_deltas) AS each
 GROUP BY name, labels
"""

_LOCK = 7062  # one folder at a time; whoever comes second leaves it to the first

# What came meanwhile is left for the next time: nothing is deleted that was not summed.
_FOLD = """
WITH folded AS (
    DELETE FROM tally_deltas
     WHERE ctid = ANY (ARRAY(SELECT ctid FROM tally_deltas LIMIT %(limit)s))
 RETURNING name, labels, value
), summed AS (
    INSERT INTO tallies AS t (name, labels, value)
    SELECT name, labels, sum(value) FROM folded GROUP BY name, labels
    ON CONFLICT (name, labels) DO UPDATE SET value = t.value + excluded.value
 RETURNING 1)
SELECT count(*)::int AS deltas FROM folded
"""


def fold(database: Database, *, limit: int = 20_000) -> int:
    """Add waiting deltas to the totals; returns how many, 0 while another process does it.

    Raises a ``DatabaseError``; nothing is lost then, deltas wait.
    """
    with database.transaction() as connection:
        connection.execute("SET LOCAL statement_timeout = 2000")
        row = connection.execute("SELECT pg_try_advisory_xact_lock(%s) AS got", (_LOCK,)).fetchone()
        if not (row and row["got"]):
            return 0
        done = connection.execute(_FOLD, {"limit": limit}).fetchone()
        return int(done["deltas"]) if done else 0


def sums(connection: Connection) -> Sums:
    """Return every tally as it stands in the snapshot of the caller's transaction."""
    found: defaultdict[str, dict[Labels, float]] = defaultdict(dict)
    for row in connection.execute(SUMS):
        found[row["name"]][tuple(row["labels"])] = float(row["value"])
    return found


def families(found: Sums) -> Iterator[Metric]:
    """Yield the counters and histograms."""
    yield from (_counter(tally, found.get(tally.key, {})) for tally in TALLIES)
    for histogram in HISTOGRAMS:
        total = found.get(f"{histogram.key}_sum", {})
        yield _histogram(histogram, found.get(histogram.key, {}), total)


def _counter(tally: Tally, values: Mapping[Labels, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(tally.name, tally.help, labels=tally.labels)
    for labels, value in sorted(values.items()):
        if labels[-1].startswith(tally.prefix):
            family.add_metric([*labels[:-1], labels[-1].removeprefix(tally.prefix)], value)
    return family


def _histogram(
    histogram: Histogram, counts: Mapping[Labels, float], total: Mapping[Labels, float]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(histogram.name, histogram.help, labels=histogram.labels)
    for labels in sorted({each[:-1] for each in counts}):
        buckets = [*cumulated(histogram.bounds, labels, counts)]
        family.add_metric(labels, buckets, total.get(labels, 0.0))
    return family


def cumulated(
    bounds: Iterable[float], labels: Labels, counts: Mapping[Labels, float]
) -> Iterator[tuple[str, float]]:
    """Yield (bound, how many took no longer) with +Inf as the last, as Prometheus wants it."""
    so_far = 0.0
    for bound in (*(f"{each:g}" for each in bounds), "+Inf"):
        so_far += counts.get((*labels, bound), 0.0)
        yield bound, so_far
