"""What the weather was and what came of it, in figures."""

import json
import os
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from weather.house import House
from weather.kinds import Kind
from weather.storm import Struck

# From the end of a fault until a mail that came after it had its end: everything works again.
_BACK = """
SELECT extract(epoch FROM min(final_at))::float - %s AS seconds FROM work_orders
 WHERE (body->>'received_at')::timestamptz >= to_timestamp(%s) AND final_at IS NOT NULL
   AND body->>'source' = 'graph'
"""
_ENDS = "SELECT state, count(*)::int AS n FROM work_orders GROUP BY 1 ORDER BY 1"
_LEDGER = """
SELECT publisher || ' ' || state AS name, count(*)::int AS n
  FROM publication_ledger GROUP BY 1 ORDER BY 1
"""
_LINES = "SELECT status, count(*)::int AS n FROM intake_line GROUP BY 1 ORDER BY 1"
_ALERTS = "SELECT kind, count(*)::int AS n FROM alerts GROUP BY 1 ORDER BY 1"


@dataclass
class Report:
    """Everything a reader wants to know; ``breaches`` empty: all held."""

    seed: int
    minutes: float
    thinker: str
    cores: int = field(default_factory=lambda: os.cpu_count() or 0)
    at: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%MZ}")
    mails: int = 0
    injected: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    recovered_seconds: list[float] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    ledger: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    alerts: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    unasked: int = 0
    starts: int = 0
    calm_seconds: float = 0.0
    excused: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)

    def count(self, struck: Sequence[Struck]) -> None:
        """Take in what was struck."""
        self.injected = dict(Counter(s.stroke.kind.name for s in struck if s.ended))
        self.missed = dict(Counter(s.stroke.kind.name for s in struck if s.missed))
        self.breaches += [
            f"{s.stroke.kind.name} (stroke {s.stroke.number}) broke off:\n{s.trouble}"
            for s in struck
            if s.trouble
        ]

    def read(self, house: House, struck: Sequence[Struck]) -> None:
        """Take in what the tables say when all has ended."""
        self.starts = house.starts
        for name, sql, column in (
            ("ends", _ENDS, "state"),
            ("ledger", _LEDGER, "name"),
            ("lines", _LINES, "status"),
            ("alerts", _ALERTS, "kind"),
        ):
            setattr(self, name, {row[column]: row["n"] for row in house.rows(sql)})
        for each in struck:
            if each.ended:
                (row,) = house.rows(_BACK, each.ended, each.ended)
                if row["seconds"] is not None:
                    self.recovered_seconds.append(round(max(0.0, row["seconds"]), 1))

    def as_json(self) -> str:
        """As a file."""
        return json.dumps(asdict(self), indent=1)


def told(report: Report, kinds: dict[str, Kind]) -> str:
    """The report as people read it."""
    width = max(map(len, kinds), default=10) + 2
    lines = [
        (
            f"weather of {report.minutes:g} minutes, seed {report.seed}, {report.thinker},"
            f" {report.cores} cores, {report.at}"
        ),
        "",
        f"{'fault':<{width}}{'in the table':<16}{'injected':>9}{'not possible':>14}",
    ]
    for name in sorted({*report.injected, *report.missed}):
        done, not_done = report.injected.get(name, 0), report.missed.get(name, 0)
        lines.append(f"{name:<{width}}{kinds[name].table:<16}{done:>9}{not_done or '':>14}")
    total = sum(report.injected.values())
    lines += [
        (
            f"{total} faults of {len(report.injected)} kinds;"
            f" the installation was started {report.starts} times"
        ),
        "",
        _recovery(report.recovered_seconds),
        f"all had ended {report.calm_seconds:.0f} s after the last fault",
        f"{report.mails} mails written; work orders: {_listed(report.ends)}",
        f"publications: {_listed(report.ledger)}",
        f"intake lines: {_listed(report.lines)}",
        f"alerts: {_listed(report.alerts)}",
        (
            f"invariants asked {report.asked} times while it stormed"
            f" ({report.unasked} times nobody could answer)"
        ),
    ]
    lines += [f"expected: {each}" for each in report.excused]
    if report.breaches:
        lines += ["", f"BREACHES: {len(report.breaches)}", *report.breaches]
    else:
        lines += ["", "nothing lost, nothing twice, audit clean"]
    return "\n".join(lines)


def _recovery(seconds: Sequence[float]) -> str:
    if not seconds:
        return "no recovery was measured"
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return (
        "recovery (end of a fault until a mail that came after it has its end):"
        f" p50 {statistics.median(ordered):.0f} s, p95 {p95:.0f} s, worst {ordered[-1]:.0f} s"
    )


def _listed(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.items()) or "none"
