"""What the new path did and how people took it: effects, speed, oversight, what both show.

Live records of the window alone. What is made of it: ``swarm.cutover.gates``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from swarm.cutover import tolerances
from swarm.cutover.reading.comparisons import Comparisons
from swarm.cutover.reading.snapshot import Snapshot, gap
from swarm.cutover.report import Oversight, Running, Shortfall, Shortfalls, Times, Tolerated
from swarm.cutover.tolerances import Predicate, Tolerance
from swarm.publishing.ledger.endings import DUPLICATE
from swarm.store import reconciliation

_UNCONFIRMED_FOR = timedelta(minutes=30)

_DUPLICATES = """
SELECT subject FROM alerts WHERE kind = %(alert)s AND at >= %(since)s
 UNION SELECT work_order_key FROM publication_log
        WHERE at >= %(since)s AND event = 'confirmed'
        GROUP BY work_order_key HAVING count(*) > 1
"""

_UNCONFIRMED = """
SELECT work_order_key AS subject FROM publication_ledger
 WHERE state IN ('SENDING', 'ACCEPTED', 'UNKNOWN') AND changed_at < %(at)s - %(long)s::interval
 ORDER BY work_order_key
"""

_WRONG_THREAD = """
SELECT p.work_order_key AS subject
  FROM publication_payload p JOIN work_orders w ON w.key = p.work_order_key
 WHERE p.at >= %(since)s
   AND coalesce(w.body#>>'{ref,conversation_id}', '') <> coalesce(p.body->>'conversation_id', '')
 ORDER BY p.work_order_key
"""

_AFTER_A_REPLY = """
SELECT work_order_key AS subject FROM reply_outcomes
 WHERE origin = 'live' AND publisher IS NOT NULL AND act = 'answered_otherwise'
   AND acted_at < offered_at AND offered_at >= %(since)s ORDER BY work_order_key
"""

_PUBLICATIONS = "SELECT count(*) AS n FROM publication_ledger WHERE created_at >= %(since)s"

_RUNNING = """
SELECT (SELECT count(*) FROM swarm_jobs WHERE queued_at >= %(since)s) AS jobs,
       (SELECT count(*) FROM swarm_jobs WHERE queued_at >= %(since)s AND state = 'dead') AS dead,
       (SELECT count(*) FROM swarm_jobs WHERE queued_at >= %(since)s AND state <> 'dead'
           AND failures > 0) AS retried,
       (SELECT count(*) FROM publication_ledger
         WHERE changed_at >= %(since)s AND publisher = 'swarm') AS publications,
       (SELECT count(*) FROM publication_ledger
         WHERE changed_at >= %(since)s AND publisher = 'swarm' AND state <> 'CONFIRMED'
           AND (state IN ('HELD', 'DEAD') OR last_error <> '')) AS errors
"""

_INTAKE_TO_END = """
SELECT count(*) AS n,
       coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms), 0) AS p50,
       coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY ms), 0) AS p95,
       coalesce(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms), 0) AS p99
  FROM (SELECT extract(epoch FROM final_at - accepted_at)::float * 1000 AS ms FROM work_orders
         WHERE accepted_at >= %(since)s AND final_at IS NOT NULL
           AND state IN ('published', 'escalated', 'declined')) AS ended
"""

_ACTS = """
SELECT act, count(*) AS n FROM reply_outcomes
 WHERE origin = 'live' AND publisher IS NOT NULL AND offered_at >= %(since)s GROUP BY act
"""

_SENT_AFTER = """
SELECT count(*) AS timed,
       percentile_cont(0.5) WITHIN GROUP (
           ORDER BY extract(epoch FROM acted_at - offered_at)::float) AS median
  FROM reply_outcomes
 WHERE origin = 'live' AND publisher IS NOT NULL AND offered_at >= %(since)s
   AND act IN ('sent_unchanged', 'sent_edited', 'rewritten') AND acted_at >= offered_at
"""

_OVERDUE = """
SELECT count(*) AS n FROM escalations
 WHERE acknowledged_at IS NULL AND acknowledge_by < %(at)s AND received_at >= %(since)s
"""

_BOTH = """
SELECT s.work_order_key AS key, s.body AS ours, l.body AS theirs
  FROM publication_payload s
  JOIN publication_payload l ON l.work_order_key = s.work_order_key AND l.publisher = 'legacy'
 WHERE s.publisher = 'swarm' AND s.at >= %(since)s ORDER BY s.work_order_key LIMIT 20000
"""

_FOLDERS = """
SELECT publisher, array_agg(DISTINCT draft_folder ORDER BY draft_folder) AS folders
  FROM publication_ledger
 WHERE state = 'CONFIRMED' AND draft_folder <> '' AND changed_at >= %(since)s GROUP BY publisher
"""

# What a reviewer sees or relies on; the words of the answer are the draft's own business.
_SEEN = ("schema_version", "mailbox", "conversation_id", "reply_all", "to", "cc", "subject",
         "draft_marker", "auto_send")  # fmt: skip


def effects(snapshot: Snapshot, compared: Comparisons) -> Shortfalls:
    """Return what nobody wants twice, elsewhere, or too late."""
    gaps = [
        snapshot.gap("duplicate drafts", _DUPLICATES, alert=DUPLICATE),
        snapshot.gap(
            "drafts that are the draft of two work orders", reconciliation.SAME_DRAFT_TWICE
        ),
        snapshot.gap("posted too often", reconciliation.POSTED_TOO_OFTEN),
        snapshot.gap("publications logged and not in the ledger", reconciliation.LOG_WITHOUT_ROW),
        snapshot.gap(
            "publications unconfirmed for 30 minutes", _UNCONFIRMED, long=_UNCONFIRMED_FOR
        ),
        snapshot.gap("drafts in the wrong thread", _WRONG_THREAD),
        compared.gap("drafts in another thread than legacy's", compared.differing("same_thread")),
        snapshot.gap("drafts after a person had answered", _AFTER_A_REPLY),
    ]
    counts = {"publications": snapshot.one(_PUBLICATIONS)["n"]}
    return Shortfalls(counts=counts, gaps=tuple(each for each in gaps if each.count))


def running(snapshot: Snapshot, compared: Comparisons) -> Running:
    """Return speed, retries and cost."""
    cost, costed = compared.cost()
    return Running(
        new=compared.times("new_ms"),
        legacy=compared.times("legacy_ms"),
        intake_to_end=Times.model_validate(snapshot.one(_INTAKE_TO_END)),
        cost=cost,
        costed=costed,
        **snapshot.one(_RUNNING),
    )


def oversight(snapshot: Snapshot) -> Oversight:
    """Return what people did with drafts, and how long they took."""
    acts = {row["act"]: row["n"] for row in snapshot.rows(_ACTS)}
    timed = snapshot.one(_SENT_AFTER)
    return Oversight(
        offered=sum(acts.values()),
        acts=acts,
        timed=timed["timed"],
        median_seconds=timed["median"],
        overdue=snapshot.one(_OVERDUE)["n"],
    )


class ReviewedDrafts:
    """What reviewers see of both paths' drafts, and which differences somebody answers for."""

    def __init__(self, known: Sequence[Tolerance], snapshot: Snapshot) -> None:
        self._known, self._snapshot = known, snapshot
        self._used = Counter[str]()

    def gaps(self, compared: Comparisons) -> Shortfalls:
        """Return the differences nobody tolerates."""
        different: dict[str, list[str]] = {}
        pairs = self._snapshot.rows(_BOTH)
        for row in pairs:
            for field in self._differences(row["ours"], row["theirs"]):
                different.setdefault(field, []).append(row["key"])
        gaps = [gap(f"drafts with another {field}", keys) for field, keys in different.items()]
        gaps += self._of_comparisons(compared)
        gaps += self._folders()
        return Shortfalls(
            counts={"pairs": len(pairs)}, gaps=tuple(each for each in gaps if each.count)
        )

    def tolerated(self) -> tuple[Tolerated, ...]:
        """Return every tolerance and how often it was used."""
        return tuple(
            Tolerated(
                name=each.name,
                owner=each.owner,
                expires=each.expires.isoformat(),
                used=self._used[each.name],
                in_force=each.in_force(self._snapshot.at),
            )
            for each in self._known
        )

    def _differences(self, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
        found = [name for name in _SEEN if not self._same(name, ours, theirs)]
        return found + [
            name for name in ("body_text", "body_html") if not _alike(name, ours, theirs)
        ]

    def _same(self, name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
        one, other = str(ours.get(name, "")), str(theirs.get(name, ""))
        return one == other or self._tolerates(name, one, other)

    def _tolerates(self, field: str, one: str, other: str) -> bool:
        name = tolerances.tolerated_by(self._known, self._snapshot.at, field, one, other)
        if name is not None:
            self._used[name] += 1
        return name is not None

    def _of_comparisons(self, compared: Comparisons) -> list[Shortfall]:
        """Comparisons know that a field differs, not how; they name the tolerance they used."""
        fields = (
            ("same_recipient", "recipients", (Predicate.RECIPIENT_ORDER,)),
            ("same_subject", "subject", (Predicate.SUBJECT_PREFIX, Predicate.SUBJECT_SPACING)),
        )
        found = []
        for column, what, predicates in fields:
            differs = compared.differing(column)
            for each in self._known:
                if each.predicate in predicates and each.in_force(self._snapshot.at):
                    used = differs & compared.tolerated([each.name])
                    self._used[each.name] += int(used.sum())
                    differs &= ~used
            found.append(compared.gap(f"comparisons with another {what}", differs))
        return found

    def _folders(self) -> list[Shortfall]:
        by = {row["publisher"]: row["folders"] for row in self._snapshot.rows(_FOLDERS)}
        ours, theirs = by.get("swarm"), by.get("legacy")
        if ours is None or theirs is None or ours == theirs:
            return []
        return [Shortfall(kind="folders: drafts lie in others than today's", count=1)]


def _alike(name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether both bodies are there or not, and end with their own reference line."""
    return _form(name, ours) == _form(name, theirs)


def _form(name: str, payload: Mapping[str, Any]) -> tuple[bool, bool]:
    text, marker = str(payload.get(name, "")), str(payload.get("draft_marker", ""))
    return bool(text.strip()), bool(marker) and marker in text
