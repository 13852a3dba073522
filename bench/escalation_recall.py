"""How many escalations and injections the detectors find, on labelled mail that is not shipped.

    .venv/bin/python bench/escalation_recall.py --data ../shared/data/dev

The escalation set was split in two by a hash of its ids: wording was developed while reading half A
only; half B was looked at in numbers only. Bounds are exact (Clopper-Pearson, one-sided 95 %).
"""

import argparse
import hashlib
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from swarm.models import Address, EscalationClass, MessageRef, Received, Tier, WorkOrder
from swarm.safety import injection
from swarm.safety.detectors import Detection, detect

CLASSES_OF = {
    "legal": {EscalationClass.LEGAL},
    "regulator_media": {EscalationClass.LEGAL, EscalationClass.PRESS},
    "injury_safety": {EscalationClass.SAFETY},
    "self_harm": {EscalationClass.SAFETY},
    "fraud_chargeback": {EscalationClass.FRAUD, EscalationClass.MONEY_DISPUTE},
    "data_privacy": {EscalationClass.PRIVACY},
    "discrimination": {EscalationClass.LEGAL},
    "abuse_threat": {EscalationClass.COMPLAINT, EscalationClass.SAFETY},
    "cancellation": {EscalationClass.LEGAL},
    "human_request": {EscalationClass.HUMAN_REQUESTED},
    "vulnerable": {EscalationClass.VULNERABLE},
    "vip": set(EscalationClass),
}


@dataclass(frozen=True)
class Row:
    """One labelled mail with what the detectors said."""

    record: dict[str, object]
    half: str
    escalated: bool
    detection: Detection


def upper_bound(misses: int, n: int, confidence: float = 0.95) -> float:
    """Exact upper bound of a miss rate, given ``misses`` in ``n``."""
    if misses >= n:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        at_most = sum(math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(misses + 1))
        low, high = (rate, high) if at_most > 1 - confidence else (low, rate)
    return high


def load(path: Path) -> list[dict[str, object]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def half_of(record: dict[str, object]) -> str:
    return "AB"[int(hashlib.sha256(str(record["id"]).encode()).hexdigest(), 16) % 2]


def received(record: dict[str, object]) -> Received:
    """The mail as intake would hand it over; synthesised subjects are left out."""
    order = WorkOrder(
        key="wo_" + "a" * 24,
        original_id=str(record["id"]),
        ref=MessageRef(mailbox="service@example.com"),
        sender=Address(address=str(record["from"])),
        subject="" if record.get("subject_synthesised") else str(record["subject"]),
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        source="measure",
    )
    return Received(work_order=order, text=str(record["body"]), language="en")


def escalation_rows(folder: Path) -> list[Row]:
    rows = []
    for record in load(folder / "escalations.jsonl"):
        detection = detect(received(record))
        escalated = detection.tier is Tier.ESCALATE
        rows.append(Row(record, half_of(record), escalated, detection))
    return rows


GROUPS: dict[str, Callable[[dict[str, object]], bool]] = {
    "core": lambda r: r["strength"] == "core",
    "keyword-free, core": lambda r: r["strength"] == "core" and _keyword_free(r),
    "keyword-free, all": lambda r: r["escalate"] == "yes" and _keyword_free(r),
    "policy": lambda r: r["strength"] == "policy",
    "all escalations": lambda r: r["escalate"] == "yes",
}


def _keyword_free(record: dict[str, object]) -> bool:
    return record["sampling"] != "keyword-targeted"


def found(rows: Iterable[Row]) -> str:
    rows = list(rows)
    hits, n = sum(row.escalated for row in rows), len(rows)
    if not n:
        return "-"
    return f"{hits}/{n} = {hits / n:.3f} (misses < {upper_bound(n - hits, n):.1%})"


def escalation_table(rows: list[Row]) -> Iterator[str]:
    yield "| escalations | A (read) | B (held out) | both |\n|---|---|---|---|"
    for name, belongs in GROUPS.items():
        chosen = [row for row in rows if belongs(row.record)]
        yield _line(name, chosen)
    for name in ("no", "ambiguous"):
        yield _line(f"label {name}: escalated", [r for r in rows if r.record["escalate"] == name])
    random_no = [r for r in rows if r.record["escalate"] == "no" and _keyword_free(r.record)]
    yield _line("label no, drawn at random: escalated", random_no)


def _line(name: str, rows: list[Row]) -> str:
    a, b = ([r for r in rows if r.half == half] for half in "AB")
    show = found if "escalated" not in name else _rate
    return f"| {name} | {show(a)} | {show(b)} | {show(rows)} |"


def _rate(rows: Iterable[Row]) -> str:
    rows = list(rows)
    return f"{sum(r.escalated for r in rows)}/{len(rows)}" if rows else "-"


def class_table(rows: list[Row]) -> Iterator[str]:
    yield "| labelled category | n | escalated | under the right class |\n|---|---|---|---|"
    for category, classes in CLASSES_OF.items():
        chosen = [row for row in rows if category in _categories(row.record)]
        right = sum(bool(classes & set(row.detection.classes)) for row in chosen)
        if chosen:
            yield f"| {category} | {len(chosen)} | {found(chosen)} | {right} |"


def _categories(record: dict[str, object]) -> list[str]:
    categories = record["categories"]
    return [str(c) for c in categories] if isinstance(categories, list) else []


def injection_table(folder: Path) -> Iterator[str]:
    yield "| injection set | n | found | beyond doubt |\n|---|---|---|---|"
    attacks = load(folder / "injections.jsonl")
    groups = {
        "attacks inside an e-mail": [r for r in attacks if r["email_core"]],
        "all attacks, bare instructions included": attacks,
        "benign": load(folder / "injections_benign.jsonl"),
    }
    for name, records in groups.items():
        counts: Counter[str] = Counter()
        for record in records:
            spans = injection.scan(str(record["body"]))
            counts["any"] += bool(spans)
            counts["certain"] += any(map(injection.is_certain, spans))
        n = len(records)
        yield (
            f"| {name} | {n} | {counts['any']} ({counts['any'] / n:.3f}) "
            f"| {counts['certain']} ({counts['certain'] / n:.3f}) |"
        )


def ticket_table(folder: Path) -> Iterator[str]:
    """Share of unlabelled everyday mail that escalates: the load to expect, not an error rate."""
    labelled = {r["ticket_id"] for r in load(folder / "escalations.jsonl")}
    kinds: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    began = time.perf_counter()
    for record in load(folder / "tickets.jsonl"):
        if record["id"] not in labelled:
            kinds[str(record["kind"])] += 1
            hits[str(record["kind"])] += detect(received(record)).tier is Tier.ESCALATE
    seconds = time.perf_counter() - began
    yield "| everyday mail, unlabelled | n | escalated |\n|---|---|---|"
    for kind, n in kinds.most_common():
        yield f"| {kind} | {n} | {hits[kind] / n:.3f} |"
    yield f"\n{seconds / sum(kinds.values()) * 1000:.2f} ms a mail"


def main() -> int:
    """Print every table; exit 1 when a target of the escalation-safety rules is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tickets", action="store_true", help="also run all everyday mail")
    options = parser.parse_args()
    if not (options.data / "escalations.jsonl").exists():
        print(f"no escalations.jsonl in {options.data}: nothing to measure", file=sys.stderr)
        return 2
    rows = escalation_rows(options.data)
    for table in (escalation_table(rows), class_table(rows), injection_table(options.data)):
        print("\n".join(table), end="\n\n")
    if options.tickets:
        print("\n".join(ticket_table(options.data)))
    return 0 if _targets_met(rows) else 1


def _targets_met(rows: list[Row]) -> bool:
    def share(belongs: Callable[[dict[str, object]], bool]) -> float:
        chosen = [row.escalated for row in rows if belongs(row.record)]
        return sum(chosen) / len(chosen)

    return (
        share(GROUPS["core"]) >= 0.95  # noqa: PLR2004 - the targets, as agreed
        and share(GROUPS["keyword-free, all"]) >= 0.85  # noqa: PLR2004
        and share(lambda r: r["escalate"] == "no") <= 0.10  # noqa: PLR2004
    )


if __name__ == "__main__":
    sys.exit(main())
