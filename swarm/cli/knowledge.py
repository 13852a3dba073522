"""``swarm knowledge``: the house's approved answers, and the questions that found none."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import JsonValue

from swarm.cli.output import NO, installation, leave, many, print_json, say
from swarm.errors import MalformedInputError
from swarm.installation.enter import knowledge_folder
from swarm.intake.mail.language import language_of
from swarm.knowledge import LANGUAGES, Library, Shelf, Snippet
from swarm.knowledge.retrieval import ASKED, MEANT, Match
from swarm.observe.gaps import Unanswered
from swarm.observe.gaps import gaps as gaps_of

app = typer.Typer(help="The house's approved answers.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """List the approved answers: id, languages, until when, by whom, about what."""
    library, now = _library(), datetime.now(UTC)
    if as_json:
        print_json([_plain(snippet, now) for snippet in library.snippets])
        return
    for snippet in library.snippets:
        over = "" if snippet.valid_at(now) else "  EXPIRED"
        say(
            f"{snippet.id}  {','.join(snippet.languages)}  until {snippet.valid_until}"
            f"  {snippet.approved_by}  {snippet.title}{over}"
        )
    if not library.snippets:
        say(f"no approved answer in {knowledge_folder()}")


@app.command()
def check(*, as_json: Json = False) -> None:
    """Name every file that is not used, with line and reason. Exit code 1: there is one.

    What has expired is told and is no fault of its file. A folder that is not there: 2.
    """
    if not knowledge_folder().is_dir():
        raise MalformedInputError(f"there is no folder {knowledge_folder()}")
    library, now = _library(), datetime.now(UTC)
    expired = [s for s in library.snippets if not s.valid_at(now)]
    if as_json:
        print_json(
            {
                "folder": str(knowledge_folder()),
                "used": len(library.snippets) - len(expired),
                "expired": [snippet.id for snippet in expired],
                "problems": [problem.model_dump(mode="json") for problem in library.problems],
                "digest": library.digest,
            }
        )
    else:
        for problem in library.problems:
            say(str(problem))
        for snippet in expired:
            say(f"{snippet.file}: expired after {snippet.valid_until}")
        used = many(len(library.snippets) - len(expired), "approved answer")
        over = f"{len(expired)} expired" + _named([snippet.id for snippet in expired])
        say(f"{used} in use, {over}, {many(len(library.problems), 'file')} refused")
    if library.problems:
        leave(NO)


@app.command("try")
def try_(
    question: Annotated[str, typer.Argument(help="What a customer may ask.")],
    *,
    language: Annotated[str, typer.Option(help="Of the question; default: measured.")] = "",
    as_json: Json = False,
) -> None:
    """Show which approved answer a question would find. Exit code 1: none."""
    spoken = language or _measured(question)
    if spoken not in LANGUAGES:
        raise MalformedInputError(f"`--language` is one of {', '.join(LANGUAGES)}")
    now, library = datetime.now(UTC), _library()
    found = library.find(question, spoken, now)
    near = library.nearest(question, spoken, now)[:3]
    if as_json:
        print_json(
            {
                "language": spoken,
                "found": [_match(m) for m in found],
                "nearest": [_match(m) for m in near],
            }
        )
    else:
        _print(found, near)
    if not found:
        leave(NO)


@app.command()
def gaps(
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back.")] = 30,
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 50,
    as_json: Json = False,
) -> None:
    """List what customers asked and nothing here answered, most often asked first.

    Shows text of mails; what was erased is not in it.
    """
    _, database = installation()
    found = gaps_of(database, days=days)[:limit]
    if as_json:
        print_json([gap.model_dump(mode="json") for gap in found])
        return
    for gap in found:
        say(_sentence(gap))
    if not found:
        say(f"every question of the last {many(days, 'day')} was answered or escalated")


def _named(ids: list[str]) -> str:
    return f" ({', '.join(ids)})" if ids else ""


def _library() -> Library:
    return Shelf(knowledge_folder()).read()


def _measured(question: str) -> str:
    found = language_of(question)
    return found if found in LANGUAGES else "en"


def _print(found: tuple[Match, ...], near: tuple[Match, ...]) -> None:
    for match in found:
        say(f"{match.snippet.id}: {match.text}")
    if not found:
        say("nothing is near enough")
    for match in near:
        sign = ">=" if match.answers else "  "
        say(
            f"  {sign} {match.snippet.id}: speaks of {match.asked:.2f} of the question"
            f" (of {ASKED}), asked for {match.meant:.2f} of it (of {MEANT})"
        )


def _sentence(gap: Unanswered) -> str:
    days = dict.fromkeys(f"{at:%Y-%m-%d}" for at in (gap.first_at, gap.last_at))
    return f"{gap.count:>4}  {' to '.join(days)}  {gap.language}  {gap.asked}"


def _match(match: Match) -> dict[str, JsonValue]:
    return {
        "id": match.snippet.id,
        "asked": round(match.asked, 3),
        "meant": round(match.meant, 3),
        "score": round(match.score, 3),
        "answers": match.answers,
        "text": match.text,
    }


def _plain(snippet: Snippet, now: datetime) -> dict[str, JsonValue]:
    return {**snippet.model_dump(mode="json"), "expired": not snippet.valid_at(now)}
