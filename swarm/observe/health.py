"""Is the installation well? A few numbers of one moment, and what they say, each with its reason.

The same reading as ``/metrics`` (``swarm.observe.metrics``) and the same limits as the rules that
page (``deploy/prometheus-rules.yml``), for those who look into the Dagster UI or have no
Prometheus. Pure but for the reading; nothing is alerted here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client.core import Metric

from swarm.errors import DatabaseUnavailableError
from swarm.models import Noun
from swarm.observe.dagster_health import tick_limit
from swarm.observe.dagster_names import SENSORS
from swarm.observe.metrics.reading import read
from swarm.observe.metrics.streams import HomeFiles
from swarm.store.database import Database

OLDEST_JOB: Final = 900.0
UNREAD: Final = 300.0
UNDELIVERED: Final = 600.0
LEGACY: Final = 90.0
DAEMON: Final = 150.0  # its threads beat every 30 s, the one of the schedules every 60
FREE: Final = 0.1
"""Limits: seconds, and the last a share of the disk."""


class HealthCheck(Noun):
    """One thing that should be so; ``why`` says what is not."""

    name: str
    ok: bool
    why: str = ""


class SystemHealth(Noun):
    """Numbers of one moment, and what they say."""

    numbers: Mapping[str, float]
    checks: tuple[HealthCheck, ...]


Sample = tuple[str, Mapping[str, str], float]


class Numbers:
    """The samples of one reading, asked for by name."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._samples: list[Sample] = [
            (s.name, s.labels, s.value) for f in families for s in f.samples
        ]

    def of(self, name: str, **labels: str) -> list[tuple[Mapping[str, str], float]]:
        """Return the samples that carry these labels."""
        return [
            (found, value)
            for each, found, value in self._samples
            if each == name and labels.items() <= found.items()
        ]

    def total(self, name: str, **labels: str) -> float:
        """Return their sum; 0 when there is none."""
        return sum(value for _, value in self.of(name, **labels))

    def worst(self, name: str, **labels: str) -> float:
        """Return the largest; 0 when there is none."""
        return max((value for _, value in self.of(name, **labels)), default=0.0)


def health(database: Database, files: HomeFiles) -> SystemHealth:
    """Read everything once and judge it.

    Raises ``DatabaseUnavailableError`` when not all of it could be read: an unknown is not well.
    """
    return judged(Numbers(read(database, files)))


def judged(numbers: Numbers) -> SystemHealth:
    """Return what the numbers say."""
    if numbers.total("swarm_up") != 1:
        raise DatabaseUnavailableError("the database did not answer to all of it in time")
    checks = (
        HealthCheck(name=name, ok=not (why := "; ".join(look(numbers))), why=why)
        for name, look in LOOKS.items()
    )
    return SystemHealth(numbers=dict(_shown(numbers)), checks=tuple(checks))


def _shown(numbers: Numbers) -> Iterator[tuple[str, float]]:
    """Yield what is plotted: short names, plain numbers."""
    yield "waiting", numbers.total("swarm_queue_depth")
    yield "in flight", numbers.total("swarm_jobs_in_flight")
    yield "oldest job, seconds", numbers.total("swarm_queue_oldest_seconds")
    yield "waiting for the model", numbers.total("swarm_queue_waiting_for_model")
    yield "dead", numbers.total("swarm_dead_letters")
    yield "held", _held(numbers)
    yield "publications unsettled", _unsettled(numbers)
    yield "escalations unacknowledged", numbers.total("swarm_escalations_unacknowledged")
    yield "escalations overdue", numbers.total("swarm_escalations_overdue")
    yield "declined, waiting", numbers.total("swarm_declined_waiting")
    yield "unread, bytes", numbers.total("swarm_stream_unread_bytes")
    yield "unread, seconds", numbers.worst("swarm_stream_lag_seconds")
    yield "quarantined", numbers.total("swarm_quarantined_lines")
    yield "alerts open", numbers.total("swarm_alerts_open")
    yield "alerts undelivered", numbers.total("swarm_alerts_undelivered")
    yield "lines so far", numbers.total("swarm_intake_lines_total", stream="work_orders")
    yield "drafts so far", numbers.total("swarm_publications_ended_total", state="CONFIRMED")
    yield "failed runs so far", numbers.total("swarm_runs_total", event="failed")
    yield "model cost so far", numbers.total("swarm_model_cost_total")
    for _, share in numbers.of("swarm_drafts_sent_unchanged_ratio"):
        yield "share sent unchanged", share
    for _, share in numbers.of("swarm_home_free_ratio"):
        yield "disk free, share", share


def _queue_moves(numbers: Numbers) -> Iterator[str]:
    oldest = numbers.total("swarm_queue_oldest_seconds")
    if oldest > OLDEST_JOB and not numbers.total("swarm_queue_waiting_for_model"):
        yield f"the oldest job has waited for {oldest:.0f} s"


def _nothing_dead(numbers: Numbers) -> Iterator[str]:
    if dead := numbers.total("swarm_dead_letters"):
        yield f"{dead:.0f} work orders gave up: `swarm dead list`"


def _nothing_held(numbers: Numbers) -> Iterator[str]:
    if held := _held(numbers):
        yield f"{held:.0f} work orders are held for a person"


def _streams_read(numbers: Numbers) -> Iterator[str]:
    legacy = bool(numbers.total("swarm_legacy_expected"))
    for labels, seconds in numbers.of("swarm_stream_lag_seconds"):
        todays = labels["reader"] in ("pipeline_daemon", "publish_sender")
        if seconds > UNREAD and (legacy or not todays):
            yield f"{labels['reader']} is {seconds:.0f} s behind {labels['stream']}"


def _alerts_delivered(numbers: Numbers) -> Iterator[str]:
    oldest = numbers.total("swarm_alert_undelivered_oldest_seconds")
    if oldest > UNDELIVERED:
        waiting = numbers.total("swarm_alerts_undelivered")
        yield f"{waiting:.0f} alerts are undelivered, one for {oldest:.0f} s"


def _dagster_alive(numbers: Numbers) -> Iterator[str]:
    yield from _old(numbers, "swarm_dagster_heartbeat_seconds", "daemon", DAEMON)
    for labels, seconds in numbers.of("swarm_sensor_tick_seconds"):
        due = SENSORS.get(labels["sensor"])
        if due is not None and seconds > tick_limit(due):
            yield f"sensor {labels['sensor']} last ticked {seconds:.0f} s ago"
    for labels, on in numbers.of("swarm_sensor_on"):
        if not on:
            yield f"sensor {labels['sensor']} is switched off"


def _legacy_alive(numbers: Numbers) -> Iterator[str]:
    if not numbers.total("swarm_legacy_expected"):
        return
    beats = numbers.of("swarm_legacy_heartbeat_seconds")
    if not beats:
        yield "today's path must run and has never run on this home"
    yield from _old(numbers, "swarm_legacy_heartbeat_seconds", "program", LEGACY)


def _disk_has_room(numbers: Numbers) -> Iterator[str]:
    for _, share in numbers.of("swarm_home_free_ratio"):
        if share < FREE:
            yield f"{share:.0%} of the disk of SWARM_HOME is free"


def _old(numbers: Numbers, name: str, label: str, limit: float) -> Iterator[str]:
    for labels, seconds in numbers.of(name):
        if seconds > limit:
            yield f"{labels[label]} last beat its heart {seconds:.0f} s ago"


def _held(numbers: Numbers) -> float:
    """Of today's sender there may be no work order of ours, but the alert.

    Not the ledger's HELD: what the new path escalates while today's path drafts it ends there, too.
    """
    alerted = numbers.total("swarm_alerts_open", kind="work_order.held")
    return max(numbers.total("swarm_work_orders", state="held"), alerted)


def _unsettled(numbers: Numbers) -> float:
    ended = sum(numbers.total("swarm_publications", state=state) for state in ("HELD", "DEAD"))
    return numbers.total("swarm_publications") - ended


LOOKS: Final[Mapping[str, Callable[[Numbers], Iterator[str]]]] = {
    "queue_moves": _queue_moves,
    "nothing_dead": _nothing_dead,
    "nothing_held": _nothing_held,
    "streams_read": _streams_read,
    "alerts_delivered": _alerts_delivered,
    "dagster_alive": _dagster_alive,
    "legacy_alive": _legacy_alive,
    "disk_has_room": _disk_has_room,
}
"""Name of a check -> what is wrong, sentence by sentence."""

MEANING: Final[Mapping[str, str]] = {
    "queue_moves": "No job waits longer than a quarter of an hour, unless for the model.",
    "nothing_dead": "No work order gave up.",
    "nothing_held": "No publication and no work order waits for a person to look.",
    "streams_read": "No stream has unread bytes older than five minutes.",
    "alerts_delivered": "No alert has waited for ten minutes to be told.",
    "dagster_alive": "The daemon's threads beat, the sensors tick, none is switched off.",
    "legacy_alive": "Today's programs beat, where they must run.",
    "disk_has_room": "A tenth of the disk of SWARM_HOME is free.",
}
