"""One work order as a person reads it in a terminal; it may quote mail text."""

from collections.abc import Iterator

from pydantic import JsonValue
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from swarm.intake.mail.provenance import in_conversation
from swarm.models import Context, Draft, Received, Ruling, Stage, Thread
from swarm.observe.dossier.dossier import Dossier
from swarm.observe.glossary import glossary


def print_dossier(console: Console, found: Dossier, link: str) -> None:
    """Print where it is and why, stages, draft, evidence, verdicts and what happens next."""
    order = found.work_order
    console.print(Text(found.key, "bold"), soft_wrap=True)
    console.print(_facts(found))
    for name, url in _links(found, link):
        console.print(Text(f"{name}  {url}"), soft_wrap=True)
    console.print(_stages(found))
    _print_set_aside(console, found)
    _print_draft(console, found)
    _print_evidence(console, found)
    _print_verdicts(console, found)
    _print_publication(console, found)
    for problem in found.chain_problems:
        console.print(Text(f"event chain: {problem}", "red"))
    console.print(
        f"{len(found.events)} events, {len(found.runs)} runs, received"
        f" {order.received_at:%Y-%m-%d %H:%M:%S} UTC"
    )


def _links(found: Dossier, link: str) -> Iterator[tuple[str, str]]:
    """On lines of their own: a link that is cut or broken leads nowhere."""
    yield "link", link
    if found.publication and found.publication.draft_link:
        yield "outlook", found.publication.draft_link


def _facts(found: Dossier) -> Table:
    order, words = found.work_order, glossary()
    table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    table.add_row("from", Text(f"{order.sender.name} <{order.sender.address}>"))
    table.add_row("subject", Text(order.subject))
    state, why = found.state.value, found.why
    table.add_row("state", Text(f"{state}: {why}" if why else state))
    table.add_row("", Text(words.state(state).means))
    table.add_row("next", Text(found.next_step))
    table.add_row("tier", found.tier.name.lower())
    if found.escalation:
        classes = ", ".join(found.escalation.classes)
        what = "escalation" if classes else "declined"
        table.add_row(what, f"{classes}, owner {found.escalation.owner}".removeprefix(", "))
        for name in found.escalation.classes:
            table.add_row("", Text(f"{name}: {words.escalation(name).do}"))
        for reason in found.escalation.reasons:
            said = f"{reason.rule} ({words.rule(reason.rule).name}): {reason.detail}"
            table.add_row("", Text(said))
    if found.legacy:
        table.add_row("legacy", Text(found.legacy.sentence))
    if found.reply:
        table.add_row("person", Text(found.reply.sentence))
    for release in found.releases:
        table.add_row("released", Text(release.note))
    table.add_row("cost", f"{found.cost:.4f} in {len(found.model_calls)} model calls")
    for call in found.model_calls:
        ahead = ", ahead of the run" if call.ahead else ""
        took = f"{call.purpose} answered at {call.at:%H:%M:%S} after {call.latency_ms / 1000:.1f} s"
        table.add_row("", f"{took}{ahead}")
    return table


def _stages(found: Dossier) -> Table:
    table = _table("Stages", "stage", "outcome", "by", "ms", "cost")
    for story in found.stages:
        table.add_row(
            story.stage.value,
            escape(story.outcome),
            escape(story.actor),
            "" if story.duration_ms is None else str(story.duration_ms),
            "" if not story.cost else f"{story.cost:.4f}",
        )
    return table


def _print_set_aside(console: Console, found: Dossier) -> None:
    """What was taken out of the mail's text, as the conversation shows it, and why."""
    body, thread = found.body(Stage.RECEIVED), found.body(Stage.THREAD)
    if body is None:
        return
    known = None if thread is None else Thread.model_validate(thread)
    received = in_conversation(Received.model_validate(body), known)
    if not received.set_aside:
        return
    table = _table("Not what the customer says now", "set aside", "judged", "why", "text")
    for part in received.set_aside:
        judged = "yes" if part.judged else "orders only" if part.scanned else "no"
        text = Text(" ".join(part.text[:200].split()))
        table.add_row(part.kind.value, judged, Text(part.reason), text)
    console.print(table)


def _print_draft(console: Console, found: Dossier) -> None:
    if found.published is None:
        _print_made(console, found.body(Stage.DRAFT))
    else:
        console.rule(f"the draft as {found.published.publisher} published it")
        console.print(Text(found.published.body_text))
        if found.published.review_note:
            console.print(Text(found.published.review_note, "yellow"))
    if found.reply and found.reply.sent_text and found.reply.act != "sent_unchanged":
        console.rule("what the customer got")
        console.print(Text(found.reply.sent_text))
    _print_looked_at_again(console, found)


def _print_made(console: Console, body: JsonValue) -> None:
    if body is None:
        return
    draft = Draft.model_validate(body)
    if not draft.offered:
        console.print(Text(f"no draft is offered: {draft.withheld}", "yellow"))
        return
    console.rule(f"draft, revision {draft.revision}, by {escape(draft.author)}")
    console.print(Text(draft.body_text))


def _print_looked_at_again(console: Console, found: Dossier) -> None:
    if not found.looked_at_again:
        return
    after = "publication" if found.published else "it was closed"
    stages = ", ".join(stage.value for stage in Stage if stage in found.looked_at_again)
    console.rule(f"looked at again after {after}: {stages}")
    console.print(Text("nothing of this was published", "yellow"))
    again = found.looked_at_again.get(Stage.DRAFT)
    _print_made(console, again.body if again else None)


def _print_evidence(console: Console, found: Dossier) -> None:
    body = found.body(Stage.CONTEXT)
    if body is None:
        return
    context = Context.model_validate(body)
    table = _table("Evidence", "evidence", "source", "text")
    for piece in context.evidence:
        table.add_row(piece.id, escape(piece.source), Text(piece.text[:200]))
    console.print(table)
    for gap in context.gaps:
        console.print(Text(f"gap: {gap}"))


def _print_verdicts(console: Console, found: Dossier) -> None:
    if not found.verdicts:
        return
    colours = {Ruling.PASS: "green", Ruling.FAIL: "red", Ruling.ERROR: "magenta"}
    table = _table("Verdicts", "rule", "what it asks", "ruling", "reasons")
    for verdict in found.verdicts:
        ruling = Text(verdict.ruling.value, colours[verdict.ruling])
        asks = glossary().rule(verdict.rule).name
        table.add_row(verdict.rule, Text(asks), ruling, Text("; ".join(verdict.reasons)))
    console.print(table)
    deciders = dict.fromkeys(verdict.decided_by for verdict in found.verdicts)
    console.print(Text(f"decided by {', '.join(deciders)}"))


def _table(title: str, first: str, *others: str) -> Table:
    """A table that fits any width: its first column stays whole, the others fold; none is cut."""
    columns = [Column(first, no_wrap=True), *(Column(each, overflow="fold") for each in others)]
    return Table(*columns, title=title)


def _print_publication(console: Console, found: Dossier) -> None:
    if found.publication is None:
        return
    row = found.publication
    where = f" in {row.draft_folder}" if row.draft_folder else ""
    console.print(Text(f"publication: {row.state} by {row.publisher}{where} {row.last_error}"))
    console.print(Text(glossary().publication(row.state).means, "dim"))
    if known := glossary().holding(row.last_error):
        console.print(Text(f"{known.name}: {known.do}", "yellow"))
    for step in found.publication_log:
        console.print(Text(f"  {step.at:%H:%M:%S}  {step.event}  {step.detail}"))
