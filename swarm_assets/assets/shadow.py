"""Today's path and the new one, side by side: what legacy decided, a replay, the comparison.

One run makes many partitions (``history``): keys go to processes that cannot publish, values come
back into our tables, and whatever fails is such a value. A run that was cut short is launched
again and does only what is missing. What Dagster shows of a work order is numbers and words of
ours, never mail text: that is for ``swarm shadow show``. What lives elsewhere: ``swarm.shadow``.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import dagster as dg

from swarm.errors import DatabaseError, RefusedError
from swarm.shadow.models import Comparison, Decision, OutcomePair
from swarm.shadow.settled import legacy_of, replayed_of
from swarm_assets.assets.owners import NUMBERS, PLATFORM
from swarm_assets.lanes import SHADOW_LANE
from swarm_assets.partitions import history
from swarm_assets.resources.shadow import Shadow

PARTITIONS_A_RUN: Final = 200  # a process takes seconds to start, a work order a tenth of one

_GROUP: Final = "shadow"


Body = Callable[[dg.AssetExecutionContext, Shadow], dg.MaterializeResult[None]]


def _key(name: str) -> dg.AssetKey:
    return dg.AssetKey([_GROUP, name])


def _asset(
    name: str, *, kind: str, after: Sequence[str] = ()
) -> Callable[[Body], dg.AssetsDefinition]:
    """Return the decorator of an asset of this page."""
    with warnings.catch_warnings():
        # Backfill policies are in beta; the version is pinned, this is the one place.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.asset(
            key=_key(name),
            partitions_def=history,
            backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=PARTITIONS_A_RUN),
            group_name=_GROUP,
            deps=[_key(each) for each in after],
            kinds={kind},
            owners=PLATFORM,
            tags=NUMBERS,
        )


@_asset("legacy_outcome", kind="postgres")
def legacy_outcome(
    context: dg.AssetExecutionContext, shadow: dg.ResourceParam[Shadow]
) -> dg.MaterializeResult[None]:
    """What today's path decided, as its outbox or the import tells."""
    keys = context.partition_keys
    try:
        found = legacy_of(shadow.database, keys)
    except DatabaseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    said = {key: found.get(key, "not known") for key in keys}
    for key, what in said.items():
        _show(context, key, {"legacy": what})
    counts = Counter(said.values())
    return dg.MaterializeResult(
        metadata={
            "drafted": counts["draft"],
            "escalated": counts["escalated"],
            "not_known": counts["not known"],
        }
    )


@_asset("replay", kind="python")
def replay(
    context: dg.AssetExecutionContext, shadow: dg.ResourceParam[Shadow]
) -> dg.MaterializeResult[None]:
    """What the new path decides over the same facts, in processes that cannot publish."""
    keys = context.partition_keys
    try:
        report = shadow.replay(keys)
        found = replayed_of(shadow.database, keys, shadow.engine)
    except (DatabaseError, RefusedError) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    if report.left:
        raise dg.Failure(
            f"{report.left} of {len(keys)} work orders were not reached in time;"
            " launch it again: only they are left",
            allow_retries=False,
        )
    for key, said in found.items():
        _show(
            context,
            key,
            {"decision": said.decision.value, "why": said.why, "engine": shadow.engine},
        )
    counts = Counter(said.decision for said in found.values())
    return dg.MaterializeResult(
        metadata={
            **{decision.value: counts[decision] for decision in Decision},
            "replayed_now": report.done,
            "known_before": report.known,
            "poisonous": len(report.poisonous),
            "seconds": round(report.seconds, 2),
            "per_second": round(report.per_second, 2),
            "paid": report.paid,
        }
    )


@_asset("comparison", kind="postgres", after=("legacy_outcome", "replay"))
def comparison(
    context: dg.AssetExecutionContext, shadow: dg.ResourceParam[Shadow]
) -> dg.MaterializeResult[None]:
    """Both, and what a person did, side by side."""
    keys = context.partition_keys
    try:
        made = shadow.compare(keys)
    except (DatabaseError, RefusedError) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    for told in made:
        _show(context, told.work_order_key, _summary(told))
    return dg.MaterializeResult(
        metadata={
            **counted(made),
            "not_compared": len(keys) - len(made),
        }
    )


def counted(made: Sequence[Comparison]) -> dict[str, int]:
    """Return numbers that Dagster plots from run to run."""
    pairs = Counter(told.pair for told in made)
    return {
        **{pair.value: pairs[pair] for pair in OutcomePair},
        "missed": sum(bool(told.missed) for told in made),
        "extra": sum(told.extra for told in made),
        "declined": sum(told.declined for told in made),
    }


def _summary(told: Comparison) -> dict[str, object]:
    shown: dict[str, object] = {
        "pair": told.pair.value,
        "missed": ", ".join(told.missed),
        "needed": ", ".join(told.needed),
        "look": f"swarm shadow show {told.work_order_key}",
    }
    alike = {
        name: value
        for name in ("new_legacy", "new_sent", "legacy_sent")
        if (value := getattr(told, name)) is not None
    }
    return {**shown, **alike}


def _show(context: dg.AssetExecutionContext, key: str, metadata: dict[str, object]) -> None:
    plain = {name: value for name, value in metadata.items() if value not in ("", None)}
    context.add_asset_metadata(plain, partition_key=key)


shadow_job = dg.define_asset_job(
    "shadow",
    selection=dg.AssetSelection.groups(_GROUP),
    description="Replays work orders of before and compares both paths. Publishes nothing.",
    executor_def=dg.in_process_executor,
    tags=SHADOW_LANE,
)


@dg.op(description="Compares live work orders that ended, and again what a later record changed.")
def compare_due(context: dg.OpExecutionContext, shadow: dg.ResourceParam[Shadow]) -> None:
    """Derive what is due."""
    try:
        derived = shadow.compare_due()
    except DatabaseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    numbers = {**counted(derived.made), "overtaken": derived.overtaken}
    context.add_output_metadata({**numbers, "unreadable": derived.unreadable})


@dg.job(
    name="compare",
    description="One round of the live comparison.",
    executor_def=dg.in_process_executor,
    tags=SHADOW_LANE,
)
def compare_job() -> None:
    """Run one round."""
    compare_due()


SHADOW_ASSETS: Final = [legacy_outcome, replay, comparison]
