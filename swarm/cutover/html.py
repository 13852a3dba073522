"""The report as one HTML file for people without the UI: plain words, pictures inside, no script.

Everything foreign is escaped; the file loads nothing from anywhere. What lives elsewhere: what the
gates say (``gates``), the pictures (``pictures``, drawn in the judging process).
"""

from collections.abc import Iterable
from html import escape
from typing import Final

from swarm.cutover import statistics
from swarm.cutover.certificate import CertificateState
from swarm.cutover.evaluated import Evaluation
from swarm.cutover.gates import MEANING
from swarm.cutover.models import GateResult, GateVerdict
from swarm.cutover.report import ReadinessReport
from swarm.cutover.shares import in_percent, percent

_ALT: Final = {
    "agreement": "Agreement of the two paths, day by day",
    "likeness": "How near drafts are to what people sent",
    "latency": "How long a judgement takes",
    "classes": "Escalation classes with misses and exact bounds",
}
_SIGN: Final = {
    GateVerdict.PASS: ("pass", "&#10003; passed"),
    GateVerdict.FAIL: ("fail", "&#10007; failed"),
    GateVerdict.INCONCLUSIVE: ("open", "? not enough known"),
}
_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;color:#1f2937;max-width:60rem;margin:2rem auto;
padding:0 1rem}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #e5e7eb;
padding:.45rem .6rem;text-align:left;vertical-align:top}th{font-weight:600}
.pass{color:#15803d}.fail{color:#b91c1c}.open{color:#b45309}.sign{white-space:nowrap;font-weight:600}small{color:#6b7280}
img{max-width:100%;display:block;margin:1rem 0}.answer{padding:1rem;border-radius:.5rem;
background:#f3f4f6}ul{margin:.3rem 0;padding-left:1.2rem}
"""


def page(evaluation: Evaluation, standing: CertificateState) -> str:
    """Return the whole file."""
    report = evaluation.report
    taken = f"{report.taken_at:%Y-%m-%d %H:%M} UTC"
    engine = escape(report.engine) or "none"
    parts = (
        "<h1>May the swarm take over?</h1>",
        f"<p><small>As of {taken}; engine {engine}.</small></p>",
        _answer(evaluation, standing),
        "<h2>The twelve gates</h2>",
        _gates(evaluation.gates),
        "<h2>What was compared</h2>",
        _compared(report),
        "<h2>Dangers, class by class</h2>",
        _classes(report),
        *_pictures(evaluation),
        "<h2>Differences somebody answers for</h2>",
        _tolerances(report),
        "<h2>How to read this</h2>",
        _reading(report),
    )
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Readiness, {taken}</title><style>{_STYLE}</style></head><body>"
        + "".join(parts)
        + "</body></html>\n"
    )


def _answer(evaluation: Evaluation, standing: CertificateState) -> str:
    if standing.refusal is None and standing.certificate is not None:
        said = (
            f"<strong>Yes.</strong> Certificate {standing.certificate.number} holds until"
            f" {standing.certificate.valid_until:%Y-%m-%d %H:%M} UTC; a person may cut over."
        )
    else:
        said = f"<strong>Not now.</strong> {escape(standing.refusal or 'nothing is proven')}."
    counts = {each: sum(g.verdict is each for g in evaluation.gates) for each in GateVerdict}
    return (
        f'<p class="answer">{said}<br>Of {len(evaluation.gates)} gates'
        f" {counts[GateVerdict.PASS]} passed, {counts[GateVerdict.FAIL]} failed, and of"
        f" {counts[GateVerdict.INCONCLUSIVE]} not enough is known yet. Only a look that was planned"
        " ahead can lead to a certificate.</p>"
    )


def _gates(results: Iterable[GateResult]) -> str:
    rows = []
    for each in results:
        style, sign = _SIGN[each.verdict]
        rows.append(
            (
                _named(each.gate),
                f'<span class="sign {style}">{sign}</span>',
                escape(each.figure) + _list(each.reasons) + _list(each.named[:10]),
                escape(each.needed),
            )
        )
    return _table(("gate", "says", "seen", "needed"), rows)


def _named(gate: str) -> str:
    name, meaning = escape(gate.replace("_", " ")), escape(MEANING[gate])
    return f"<strong>{name}</strong><br><small>{meaning}</small>"


def _compared(report: ReadinessReport) -> str:
    found = report.compared
    pairs = ", ".join(f"{n} {escape(name.replace('_', ' '))}" for name, n in found.pairs.items())
    capped = (
        f"<p><strong>Only {found.capped_at} were read: this is no full picture.</strong></p>"
        if found.capped_at is not None
        else ""
    )
    empty = "" if found.total else "<p><strong>Nothing was compared yet.</strong></p>"
    return (
        f"<p>{found.total} work orders: {found.live} live, {found.history} of history. {pairs}."
        f" {found.failed.count} could not be compared, {found.declined} were left to a person to"
        f" write, and for {found.extra} a person was asked for without need.</p>{capped}{empty}"
    )


def _classes(report: ReadinessReport) -> str:
    rows = [
        (
            escape(str(each.escalation).replace("_", " ")),
            str(each.n),
            str(each.missed),
            in_percent(statistics.upper_bound(each.missed, each.n)),
        )
        for each in report.classes
        if each.n
    ]
    return _table(("class", "a person was needed", "missed", "missed at most (95 %)"), rows)


def _pictures(evaluation: Evaluation) -> list[str]:
    return [
        f'<img alt="{escape(_ALT.get(name, name))}" src="data:image/png;base64,{picture}">'
        for name, picture in evaluation.pictures.items()
    ]


def _tolerances(report: ReadinessReport) -> str:
    rows = [
        (
            escape(each.name),
            escape(each.owner),
            escape(each.expires) + ("" if each.in_force else " (over)"),
            str(each.used),
        )
        for each in report.tolerances
    ]
    return _table(("name", "owner", "until", "used"), rows) if rows else "<p>None.</p>"


def _reading(report: ReadinessReport) -> str:
    pairs = report.quality.pairs
    near = percent(pairs.both + pairs.only_new, pairs.total)
    return (
        "<p>Both paths judge the same mails; only today's path publishes meanwhile. What people"
        " really did is the yardstick of quality: of the new drafts"
        f" {near} were so near to what was sent that light edits would have done. Today's path is"
        " the yardstick of safety: wherever it, a label or a person's act says that a person was"
        " needed, the new path must have asked for one. <em>At most</em> is an exact bound: with"
        " 95 % confidence the true share of misses is below it. A gate of which not enough is known"
        " has not passed.</p>"
    )


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
