"""The report in pictures: PNG as base64, drawn in the judging process and nowhere else.

Four of them: agreement over time, how near drafts are to what was sent, how long it takes, and what
each class shows with its exact bound. No mail text, no key in any. An empty table gives no picture
of nothing.
"""

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from swarm.cutover import statistics
from swarm.cutover.gates.proof import CLASSES, NEEDED_PER_CLASS
from swarm.cutover.reading.comparisons import NEAR, Comparisons
from swarm.cutover.reading.reader import Read
from swarm.cutover.report import ClassCount
from swarm.shadow.models import OutcomePair

if TYPE_CHECKING:  # a second and 60 MB, for who draws alone
    from matplotlib.axes import Axes

_NEW, _LEGACY, _GREY = "#1f6feb", "#d97706", "#6b7280"
_SIZE: Final = (7.2, 3.2)
_AGREE: Final = (OutcomePair.BOTH_DRAFT, OutcomePair.BOTH_PERSON)

TITLES: Final = {
    "agreement": "Agreement of the two paths, day by day",
    "likeness": "How near drafts are to what people sent",
    "latency": "How long a judgement takes",
    "classes": "Escalation classes: work orders, misses, and the exact bound",
}


def drawn(read: Read) -> dict[str, str]:
    """Return every picture there is something to show in."""
    table = read.comparisons
    asked: dict[str, Callable[[Axes], bool]] = {
        "agreement": lambda axes: _agreement(axes, table),
        "likeness": lambda axes: _likeness(axes, table),
        "latency": lambda axes: _latency(axes, table),
        "classes": lambda axes: _classes(axes, read.report.classes),
    }
    pictures = {name: _picture(TITLES[name], draw) for name, draw in asked.items()}
    return {name: picture for name, picture in pictures.items() if picture is not None}


def _picture(title: str, draw: "Callable[[Axes], bool]") -> str | None:
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    figure = Figure(figsize=_SIZE, dpi=110, layout="constrained")
    axes = figure.subplots()
    if not draw(axes):
        return None
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _agreement(axes: "Axes", table: Comparisons) -> bool:
    frame = table.frame
    if frame.empty:
        return False
    days = frame["received_at"].dt.floor("D")
    agree = frame["pair"].isin([str(each) for each in _AGREE])
    shares, sizes = agree.groupby(days).mean(), agree.groupby(days).size()
    axes.plot(shares.index, 100 * shares, color=_NEW, marker="o", markersize=3, linewidth=1.2)
    axes.set_ylim(0, 103)
    axes.set_ylabel("both draft or both ask, %", fontsize=8)
    counts = axes.twinx()
    counts.bar(sizes.index, sizes, color=_GREY, alpha=0.2, width=0.8)
    counts.set_ylabel("work orders", fontsize=8)
    counts.tick_params(labelsize=8)
    return True


def _likeness(axes: "Axes", table: Comparisons) -> bool:
    paired = table.paired()
    if paired.empty:
        return False
    edges = [each / 20 for each in range(21)]
    for column, colour, name in (("new_sent", _NEW, "new"), ("legacy_sent", _LEGACY, "legacy")):
        axes.hist(paired[column], bins=edges, histtype="step", color=colour, label=name, lw=1.6)
    axes.axvline(NEAR, color=_GREY, linestyle=":", linewidth=1)
    axes.set_xlabel(
        "likeness to what was sent (right of the line: at most light edits)", fontsize=8
    )
    axes.set_ylabel("pairs", fontsize=8)
    axes.legend(fontsize=8, frameon=False)
    return True


def _latency(axes: "Axes", table: Comparisons) -> bool:
    some = False
    for column, colour, name in (("new_ms", _NEW, "new"), ("legacy_ms", _LEGACY, "legacy")):
        known = table.frame[column].dropna()
        known = known[known > 0].sort_values()
        if not known.empty:
            some = True
            share = [(place + 1) / len(known) for place in range(len(known))]
            axes.step(known, share, where="post", color=colour, label=name, linewidth=1.4)
    if some:
        axes.axhline(0.95, color=_GREY, linestyle=":", linewidth=1)
        axes.set_xscale("log")
        axes.set_xlabel("milliseconds", fontsize=8)
        axes.set_ylabel("share of work orders", fontsize=8)
        axes.legend(fontsize=8, frameon=False)
    return some


def _classes(axes: "Axes", counts: tuple[ClassCount, ...]) -> bool:
    shown = [each for each in counts if each.escalation in CLASSES]
    if not any(each.n for each in shown):
        return False
    names = [str(each.escalation).replace("_", " ") for each in shown]
    places = range(len(shown))
    axes.barh(places, [c.n - c.missed for c in shown], color=_NEW, alpha=0.5, label="found")
    axes.barh(
        places,
        [c.missed for c in shown],
        left=[c.n - c.missed for c in shown],
        color="#dc2626",
        label="missed",
    )
    for place, each in zip(places, shown, strict=True):
        bound = 100 * statistics.upper_bound(each.missed, each.n)
        said = f" {each.missed} of {each.n}; at most {bound:.1f} %"
        axes.text(each.n, place, said, va="center", fontsize=7)
    axes.axvline(NEEDED_PER_CLASS, color=_GREY, linestyle=":", linewidth=1)
    axes.set_yticks(list(places), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.45 * max(each.n for each in shown))
    axes.set_xlabel("work orders in which a person was needed (dotted: needed)", fontsize=8)
    return True
