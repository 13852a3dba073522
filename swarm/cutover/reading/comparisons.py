"""The comparisons of one engine as a table: read in chunks with explicit types, then counted.

Every sample is drawn by the mask that was counted. pandas is imported here alone, and only by the
judging process.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import pandas as pd

from swarm.cutover import statistics
from swarm.cutover.reading.snapshot import Snapshot
from swarm.cutover.report import (
    MOST_NAMED,
    ClassCount,
    Compared,
    Quality,
    Shortfall,
    Stratum,
    Times,
)
from swarm.models import EscalationClass, Lookup, Tier
from swarm.shadow.models import Act, Origin, OutcomePair, Replayed

CAP: Final = 500_000
NEAR: Final = 0.8  # at most light edits
_CHUNK: Final = 10_000
_TWICE: Final = 2_000

_READ = """
SELECT work_order_key, origin, body->>'pair', body#>>'{strata,tier}', body#>>'{strata,language}',
       (body#>>'{strata,attachments}')::boolean, body#>>'{strata,thread}',
       body#>>'{strata,contact}', body->>'needed', body->>'legacy_classes', body->>'new_classes',
       body->>'missed', (body->>'extra')::boolean, (body->>'declined')::boolean,
       (body->>'same_recipient')::boolean, (body->>'same_thread')::boolean,
       (body->>'same_subject')::boolean, (body->>'new_legacy')::float, (body->>'new_sent')::float,
       (body->>'legacy_sent')::float, body->>'act', (body->>'legacy_ms')::float,
       (body->>'new_ms')::float, (body->>'new_cost')::float, body->>'failed' <> '',
       body->>'tolerated', body->>'thread_id', (body->>'received_at')::timestamptz
  FROM comparisons
 WHERE engine = %(engine)s
   AND (%(received)s::timestamptz IS NULL
        OR (body->>'received_at')::timestamptz >= %(received)s::timestamptz)
 LIMIT %(cap)s
"""

_NOISE = """
SELECT one.body AS one, two.body AS two FROM replays two
  JOIN replays one ON one.work_order_key = two.work_order_key AND one.engine = two.engine
                  AND one.pass = 1
 WHERE two.engine = %(engine)s AND two.pass = 2
   AND (%(received)s::timestamptz IS NULL OR two.at >= %(received)s::timestamptz)
 ORDER BY two.work_order_key LIMIT %(most)s
"""


def _of(names: Iterable[object]) -> pd.CategoricalDtype:
    return pd.CategoricalDtype([str(each) for each in names])


_TYPES: Final[dict[str, Any]] = {
    "key": object,
    "origin": _of(Origin),
    "pair": _of(OutcomePair),
    "tier": _of(each.value for each in Tier),
    "language": object,
    "attachments": "boolean",
    "thread": _of(Lookup),
    "contact": _of(Lookup),
    "needed": object,
    "legacy_classes": object,
    "new_classes": object,
    "missed": object,
    "extra": "boolean",
    "declined": "boolean",
    "same_recipient": "boolean",
    "same_thread": "boolean",
    "same_subject": "boolean",
    "new_legacy": "float32",
    "new_sent": "float32",
    "legacy_sent": "float32",
    "act": _of(Act),
    "legacy_ms": "float32",
    "new_ms": "float32",
    "new_cost": "float32",
    "failed": "boolean",
    "tolerated": object,
    "thread_id": object,
    "received_at": "datetime64[ns, UTC]",
}
_REPEATING: Final = ("language", "needed", "legacy_classes", "new_classes", "missed", "tolerated")


class Comparisons:
    """The table, and every count that is taken of it."""

    def __init__(self, frame: pd.DataFrame, *, capped: bool) -> None:
        self.frame, self._capped = frame, capped

    def compared(self) -> Compared:
        """Return what there is, and what failed."""
        frame = self.frame
        return Compared(
            total=len(frame),
            live=self._count(frame["origin"] == Origin.LIVE),
            history=self._count(frame["origin"] == Origin.HISTORY),
            pairs={str(pair): self._count(frame["pair"] == pair) for pair in OutcomePair},
            declined=self._count(frame["declined"]),
            extra=self._count(frame["extra"]),
            failed=self.gap("failed", frame["failed"] | (frame["pair"] == OutcomePair.ONE_FAILED)),
            capped_at=CAP if self._capped else None,
        )

    def classes(self) -> tuple[ClassCount, ...]:
        """Return per class how often a person was needed, and how often missed."""
        return tuple(self._class(each) for each in EscalationClass)

    def _class(self, name: EscalationClass) -> ClassCount:
        needed, missed = self._holds("needed", name), self._holds("missed", name)
        ours, theirs = self._holds("new_classes", name), self._holds("legacy_classes", name)
        return ClassCount(
            escalation=name,
            n=self._count(needed),
            missed=self._count(missed),
            missed_keys=self._keys(missed),
            agree=self._count(ours & theirs),
            only_legacy=self._count(theirs & ~ours),
            only_new=self._count(ours & ~theirs),
        )

    def quality(self, alpha: float, twice: int, noise: Shortfall) -> Quality:
        """Return the paired figure; the interval is of this look's share of the error."""
        paired = self.paired()
        new, legacy = paired["new_sent"] >= NEAR, paired["legacy_sent"] >= NEAR
        low, high = statistics.bootstrap_by_thread(
            paired["thread_id"].tolist(), new.tolist(), legacy.tolist(), alpha
        )
        return Quality(
            both=int((new & legacy).sum()),
            only_new=int((new & ~legacy).sum()),
            only_legacy=int((legacy & ~new).sum()),
            neither=int((~new & ~legacy).sum()),
            threads=int(paired["thread_id"].nunique()),
            low=low,
            high=high,
            only_legacy_keys=tuple(paired.loc[legacy & ~new, "key"].head(MOST_NAMED)),
            twice=twice,
            noise=noise,
        )

    def since(self) -> datetime | None:
        """Return when the oldest of them came in; None: there is none."""
        oldest = self.frame["received_at"].min()
        return None if pd.isna(oldest) else oldest.to_pydatetime()

    def paired(self) -> pd.DataFrame:
        """Return the rows where something was sent and both had a draft."""
        return self.frame[self.frame["new_sent"].notna() & self.frame["legacy_sent"].notna()]

    def times(self, column: str) -> Times:
        """Return the quantiles of a duration; rows without one do not count."""
        known = self.frame[column].dropna()
        known = known[known > 0]
        if known.empty:
            return Times(n=0)
        p50, p95, p99 = (float(value) for value in known.quantile([0.5, 0.95, 0.99]))
        return Times(n=len(known), p50=p50, p95=p95, p99=p99)

    def cost(self) -> tuple[float, int]:
        """Return what all cost together, and how many they are."""
        return float(self.frame["new_cost"].sum()), len(self.frame)

    def strata(self) -> tuple[Stratum, ...]:
        """Return the kinds that must be among them; languages, where one in twenty is."""
        frame = self.frame
        masks = {
            "live": (frame["origin"] == Origin.LIVE, 20),
            "routine": (frame["tier"] == str(Tier.ROUTINE.value), 59),
            "escalate": (frame["tier"] == str(Tier.ESCALATE.value), 59),
            "with attachment": (frame["attachments"], 10),
            "known thread": (frame["thread"] == Lookup.HIT, 10),
            "known contact": (frame["contact"] == Lookup.HIT, 10),
            "unknown contact": (frame["contact"] == Lookup.MISS, 10),
        }
        kinds = [Stratum(name=n, n=self._count(m), needed=k) for n, (m, k) in masks.items()]
        spoken = frame["language"].value_counts()
        often = spoken[spoken * 20 >= max(len(frame), 1)]
        languages = [
            Stratum(name=f"language {name}", n=int(number), needed=20)
            for name, number in sorted(often.items())
            if name != "und"
        ]
        return (*kinds, *languages)

    def differing(self, column: str) -> pd.Series:
        """Return where both drafted and this field is not the same."""
        same = self.frame[column]
        return same.notna() & ~same.fillna(value=True)

    def tolerated(self, names: Iterable[str]) -> pd.Series:
        """Return where one of these tolerances was used."""
        return self._any("tolerated", frozenset(names))

    def gap(self, kind: str, mask: pd.Series) -> Shortfall:
        """Return what a mask holds: counted and named by the same."""
        return Shortfall(kind=kind, count=self._count(mask), keys=self._keys(mask))

    def _holds(self, column: str, name: str) -> pd.Series:
        return self._any(column, frozenset({str(name)}))

    def _any(self, column: str, names: frozenset[str]) -> pd.Series:
        said = self.frame[column]
        holding = {
            text: bool(names & set(json.loads(text or "[]"))) for text in said.cat.categories
        }
        return said.map(holding).astype("boolean").fillna(value=False)

    def _count(self, mask: pd.Series) -> int:
        return int(mask.fillna(value=False).sum())

    def _keys(self, mask: pd.Series) -> tuple[str, ...]:
        return tuple(self.frame.loc[mask.fillna(value=False).astype(bool), "key"].head(MOST_NAMED))


def read(snapshot: Snapshot, engine: str) -> Comparisons:
    """Read the comparisons of an engine in this snapshot."""
    chunks = list(_chunks(snapshot, engine))
    frame = pd.concat(chunks, ignore_index=True) if chunks else _typed([])
    for name in _REPEATING:
        frame[name] = frame[name].astype("category")
    capped = len(frame) > CAP
    return Comparisons(frame.head(CAP), capped=capped)


def noise(snapshot: Snapshot, engine: str) -> tuple[int, Shortfall]:
    """Return how many the engine answered twice, and which came out differently."""
    values = {"engine": engine, "most": _TWICE, "received": snapshot.received_since}
    asked, other = 0, list[str]()
    for row in snapshot.rows(_NOISE, **values):
        one, two = Replayed.model_validate(row["one"]), Replayed.model_validate(row["two"])
        asked += 1
        if not one.same_answer(two):
            other.append(one.work_order_key)
    return asked, Shortfall(
        kind="different when asked twice", count=len(other), keys=other[:MOST_NAMED]
    )


def _chunks(snapshot: Snapshot, engine: str) -> Iterator[pd.DataFrame]:
    values = {"engine": engine, "received": snapshot.received_since, "cap": CAP + 1}
    with snapshot.connection.cursor("comparisons", row_factory=_as_tuple) as cursor:
        cursor.itersize = _CHUNK
        cursor.execute(_READ, values)
        while rows := cursor.fetchmany(_CHUNK):
            yield _typed(rows)


def _typed(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)


def _as_tuple(_cursor: object) -> Any:
    return tuple
