"""The lanes of runs through Dagster's queue, and the tags every run carries, whoever started it.

``dagster.yaml`` counts runs by lane, so that neither work orders nor rounds can take the place of a
switch; publishing has a worker of its own, so that no draft and no switch waits behind a slow
model. Jobs declare these tags, and ``runtime.coordinator`` gives them to each run that is
submitted: a run of the hidden asset job, of a backfill or from a launchpad knows no tags of ours.
Light, because the webserver imports it. What lives elsewhere: the jobs themselves.
"""

from collections.abc import Mapping, Set
from typing import Final

from dagster._core.storage.tags import PARENT_RUN_ID_TAG, SENSOR_NAME_TAG
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG

from swarm.process_identity import Fate, ProcessIdentity, fate
from swarm_assets.partitions import (
    ATTEMPT_TAG,
    LANE_TAG,
    PUBLISHING_QUEUE,
    SHADOW_QUEUE,
    WORK_QUEUE,
    WORKER_TAG,
)

# One mechanism retries, and it is the queue: Dagster re-running a rejected draft would roll the
# model's dice again until it passes.
NO_RETRY: Final = {"dagster/retry_on_asset_or_op_failure": "false", "dagster/max_retries": "0"}

WORK_ORDER_LANE: Final = {**NO_RETRY, LANE_TAG: "work_order"}

_PUBLISHING: Final = {**NO_RETRY, DAGSTER_CELERY_QUEUE_TAG: PUBLISHING_QUEUE}

# No lease stands behind rounds and proofs. The reaper notices a worker of its own machine that
# died; one that vanished elsewhere holds its slot until this time limit.
ROUND_LANE: Final = {
    **_PUBLISHING,
    LANE_TAG: "round",
    "dagster/priority": "10",
    "dagster/max_runtime": "120",
}
PROOF_LANE: Final = {**ROUND_LANE, LANE_TAG: "proof"}

# Reads the mailbox for minutes at a time and hurries nobody: among the work orders' workers, never
# more than one, behind whatever else waits.
LOOK_LANE: Final = {
    **NO_RETRY,
    LANE_TAG: "look",
    "dagster/priority": "-10",
    "dagster/max_runtime": "300",
}

# A cutover waits up to 120 s for legacy's lease; nothing else here takes longer than a moment.
SWITCH_LANE: Final = {
    **_PUBLISHING,
    LANE_TAG: "switch",
    "dagster/priority": "100",
    "dagster/max_runtime": "300",
}

# Judged in a child process; its login is known to the worker of this queue alone.
GATES_LANE: Final = {
    **NO_RETRY,
    DAGSTER_CELERY_QUEUE_TAG: SHADOW_QUEUE,
    LANE_TAG: "gates",
    "dagster/priority": "5",
    "dagster/max_runtime": "600",
}

# Replays and comparisons of many work orders in one run, beside which nothing live may wait.
SHADOW_LANE: Final = {
    **NO_RETRY,
    DAGSTER_CELERY_QUEUE_TAG: SHADOW_QUEUE,
    LANE_TAG: "shadow",
    "dagster/priority": "-10",
}

SHADOW: Final = "shadow"
CUTOVER: Final = "cutover"
OPERATIONS: Final = "operations"
"""First parts of the keys of the assets that take these lanes, whoever launches them."""

_LANES: Final[Mapping[str, Mapping[str, str]]] = {
    "publications": ROUND_LANE,
    "reply_outcomes": LOOK_LANE,
    "health": LOOK_LANE,
    "legacy_proof": PROOF_LANE,
    "rollback_drill": PROOF_LANE,
    "readiness": GATES_LANE,
    "cutover_watch": GATES_LANE,
    "publisher_cutover": SWITCH_LANE,
    "publisher_rollback": SWITCH_LANE,
    "publisher_stop": SWITCH_LANE,
    "release_work_order": SWITCH_LANE,
    "shadow": SHADOW_LANE,
    "compare": SHADOW_LANE,
}
"""Every job that goes past the work orders; all others take their lane."""

_OF_GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    SHADOW: SHADOW_LANE,
    CUTOVER: GATES_LANE,
    OPERATIONS: LOOK_LANE,
}

_BY_PERSON: Final = "by a person"


def lane_of(job: str, groups: Set[str] = frozenset()) -> Mapping[str, str]:
    """Return the tags of a job's runs, also of a job that Dagster makes up (``__ASSET_JOB``).

    ``groups`` are the first parts of the keys of the assets a run is to make.
    """
    if job in _LANES:
        return _LANES[job]
    return next(
        (_OF_GROUPS[name] for name in sorted(groups) if name in _OF_GROUPS), WORK_ORDER_LANE
    )


def missing_tags(
    job: str, tags: Mapping[str, str], groups: Set[str] = frozenset()
) -> dict[str, str]:
    """Return what a submitted run's tags lack or say wrongly; empty when they are in order."""
    wanted = {**lane_of(job, groups)}
    if DAGSTER_CELERY_QUEUE_TAG in tags:  # nobody's run gets into the publishing queue by a tag
        wanted.setdefault(DAGSTER_CELERY_QUEUE_TAG, WORK_QUEUE)
    if WORKER_TAG in tags:  # of the run that is repeated
        wanted[WORKER_TAG] = ""
    if ATTEMPT_TAG in tags and not _by_the_queue(tags):
        wanted[ATTEMPT_TAG] = _BY_PERSON
    return {name: value for name, value in wanted.items() if tags.get(name) != value}


def requested_attempt(tags: Mapping[str, str]) -> int | None:
    """Return the queue's attempt a run was requested for; None: a person started it.

    *Re-execute* copies the tags of the run it repeats, the attempt among them.
    """
    attempt = tags.get(ATTEMPT_TAG, "")
    return int(attempt) if attempt.isdecimal() and PARENT_RUN_ID_TAG not in tags else None


def worker_is_gone(worker: str | None) -> bool:
    """Whether the process a run named as its own (``WORKER_TAG``), on this machine, is no more."""
    if not worker:
        return False
    return fate(ProcessIdentity.model_validate_json(worker)) is Fate.DEAD


def _by_the_queue(tags: Mapping[str, str]) -> bool:
    return SENSOR_NAME_TAG in tags and PARENT_RUN_ID_TAG not in tags
