"""One file of the knowledge folder, read strictly: a snippet, or why it is none, with the line.

The head stands between two lines ``---`` and is YAML of plain texts and lists of texts; nothing in
it is guessed (``no`` is a word, not false). The body is one text, or, of several languages, one
text under a line ``## xx`` for each. Nothing is used of a file that has one thing wrong.
"""

from collections.abc import Iterator, Mapping
from datetime import date

import yaml

from swarm.knowledge.snippet import (
    LANGUAGES,
    LONGEST_LINE,
    LONGEST_TEXT,
    MOST_QUESTIONS,
    Snippet,
    SnippetProblem,
)
from swarm.patterns import linear
from swarm.safety.drafts.markup import markup
from swarm.safety.drafts.unfinished import unfinished
from swarm.safety.injection import is_certain, scan
from swarm.safety.masking import find_secrets

LONGEST_FILE = 20_000  # bytes

_FENCE = "---"
_ID = linear(r"[a-z0-9][a-z0-9-]{0,62}")
_DATE = linear(r"\d{4}-\d{2}-\d{2}")
_SECTION = linear(r"##\s{1,20}(\w{1,20})\s{0,200}")
# Control characters, halves of characters, what turns the direction of text, what nobody sees.
_CONTROL = linear(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2060-\u2069"
    r"\ufeff\ufffd]"
)
_MARKUP = linear(
    r"<[a-zA-Z/!]|\]\(|\{[^\W\d]|\{\{|\[[^\W\d][^\]\n]{0,80}\]|\*\*\S|__\S|^\s{0,3}#{1,6}\s"
)

_AN_ORDER = "reads like an instruction to a machine"
_UNSEEN = "a control character, or one that nobody sees"

_TEXTS = ("id", "title", "approved_by", "valid_until")
_LISTS = ("languages", "questions")
_REQUIRED = (*_TEXTS, "languages")


class BadSnippetError(Exception):
    """A file is no snippet: the line, and the reason in words."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


def read_snippet(file: str, data: bytes) -> Snippet | SnippetProblem:
    """Return the snippet of a file, or what is wrong with it."""
    try:
        return _snippet(file, _decoded(data))
    except BadSnippetError as bad:
        return SnippetProblem(file=file, line=bad.line, reason=bad.reason)


def _decoded(data: bytes) -> list[str]:
    if len(data) > LONGEST_FILE:
        raise BadSnippetError(0, f"longer than {LONGEST_FILE} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSnippetError(data[: error.start].count(b"\n") + 1, "not UTF-8") from None
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if _CONTROL.search(line):
            raise BadSnippetError(number, _UNSEEN)
    return lines


def _snippet(file: str, lines: list[str]) -> Snippet:
    if lines[0].strip() != _FENCE:
        raise BadSnippetError(1, f"does not begin with a line {_FENCE}")
    end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == _FENCE), None)
    if end is None:
        raise BadSnippetError(1, f"the head is not closed by a line {_FENCE}")
    head = _Head("\n".join(lines[1:end]))
    languages = head.languages()
    texts = dict(_texts(lines, end + 1, languages))
    return Snippet(
        id=head.id(),
        title=head.text("title"),
        approved_by=head.text("approved_by"),
        valid_until=head.day("valid_until"),
        questions=head.questions(),
        texts=texts,
        file=file,
    )


class _Head:
    """The fields between the fences, each with the line it stands on."""

    def __init__(self, text: str) -> None:
        self._fields = dict(_fields(text))
        for name in _REQUIRED:
            if name not in self._fields:
                raise BadSnippetError(1, f"`{name}` is missing")

    def text(self, name: str) -> str:
        value, line = self._fields[name]
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_LINE:
            raise BadSnippetError(
                line, f"`{name}` must be one line of at most {LONGEST_LINE} characters"
            )
        return " ".join(value.split())

    def id(self) -> str:
        value, line = self.text("id"), self._fields["id"][1]
        if not _ID.fullmatch(value):
            raise BadSnippetError(line, "`id` is of a-z, 0-9 and hyphens, at most 63 of them")
        return value

    def day(self, name: str) -> date:
        value, line = self.text(name), self._fields[name][1]
        try:
            return date.fromisoformat(value if _DATE.fullmatch(value) else "")
        except ValueError:
            raise BadSnippetError(line, f"`{name}` is no date like 2027-12-31") from None

    def languages(self) -> tuple[str, ...]:
        value, line = self._fields["languages"]
        found = (value,) if isinstance(value, str) else value
        if not found or len(set(found)) != len(found) or not set(found) <= set(LANGUAGES):
            raise BadSnippetError(line, f"`languages` are of {', '.join(LANGUAGES)}, once each")
        return found

    def questions(self) -> tuple[str, ...]:
        value, line = self._fields.get("questions", ((), 1))
        found = (value,) if isinstance(value, str) else value
        if len(found) > MOST_QUESTIONS or any(len(each) > LONGEST_LINE for each in found):
            raise BadSnippetError(
                line,
                f"`questions` are at most {MOST_QUESTIONS}, of {LONGEST_LINE} characters each",
            )
        return tuple(each for each in (" ".join(q.split()) for q in found) if each)


def _fields(text: str) -> Iterator[tuple[str, tuple[str | tuple[str, ...], int]]]:
    """Yield the head's fields; composed, not loaded: every value stays the text it is."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    # Beside its own errors: a sign beyond all (`"\U00110000"`), and lists in lists without end.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "context_mark", None) or getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise BadSnippetError(line, "the head is no YAML") from None
    if not isinstance(node, yaml.MappingNode):
        raise BadSnippetError(1, "the head is no list of `name: value`")
    seen: set[str] = set()
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 2
        if name not in (*_TEXTS, *_LISTS):
            raise BadSnippetError(line, f"`{name[:40]}` is no field of a snippet")
        if name in seen:
            raise BadSnippetError(line, f"`{name}` stands there twice")
        seen.add(name)
        yield name, (_value(name, value, line), line)


def _value(name: str, node: yaml.Node, line: int) -> str | tuple[str, ...]:
    if isinstance(node, yaml.ScalarNode):
        return _said(node, line)
    plain = isinstance(node, yaml.SequenceNode) and all(
        isinstance(item, yaml.ScalarNode) for item in node.value
    )
    if not plain or name not in _LISTS:
        raise BadSnippetError(line, f"`{name}` is neither a text nor a list of texts")
    return tuple(_said(item, line) for item in node.value)


def _said(node: yaml.ScalarNode, line: int) -> str:
    """Return a text of the head. An escape (`"\0"`) may hold what its line does not show; and it
    stands in prompts as the body does.
    """
    text = str(node.value)
    if _CONTROL.search(text):
        raise BadSnippetError(line, _UNSEEN)
    if any(is_certain(span) for span in scan(text)):
        raise BadSnippetError(line, _AN_ORDER)
    return text


def _texts(lines: list[str], start: int, languages: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for language, (line, section) in _sections(lines, start, languages).items():
        text = _paragraphs(section)
        if not text:
            raise BadSnippetError(line, f"there is no text in {language}")
        if len(text) > LONGEST_TEXT:
            raise BadSnippetError(line, f"the text is longer than {LONGEST_TEXT} characters")
        _require_sayable(section, line)
        yield language, text


def _sections(
    lines: list[str], start: int, languages: tuple[str, ...]
) -> Mapping[str, tuple[int, list[str]]]:
    """Part the body by language: ``{language: (line it begins at, its lines)}``."""
    heads = {
        n: found.group(1)
        for n, line in enumerate(lines[start:], start)
        if (found := _SECTION.fullmatch(line.strip()))
    }
    if not heads and len(languages) == 1:
        return {languages[0]: (start + 1, lines[start:])}
    if sorted(heads.values()) != sorted(languages):
        raise BadSnippetError(
            start + 1,
            f"of several languages each has one part, under `## {languages[0]}` and so on",
        )
    first = min(heads)
    if any(line.strip() for line in lines[start:first]):
        raise BadSnippetError(start + 1, "there is text above the first part of a language")
    ends = [*sorted(heads)[1:], len(lines)]
    return {
        heads[n]: (n + 2, lines[n + 1 : end]) for n, end in zip(sorted(heads), ends, strict=True)
    }


def _require_sayable(section: list[str], first: int) -> None:
    """Refuse what no draft may carry anyway, here, where its author can read why."""
    for number, line in enumerate(section, first):
        if _MARKUP.search(line):
            raise BadSnippetError(number, "mark-up or a placeholder: only plain text is said")
    whole = "\n".join(section)
    for left in (*unfinished(whole), *markup(whole)):
        raise BadSnippetError(first, left.replace("the reply", "the text"))
    if kinds := sorted({secret.kind for secret in find_secrets(whole)}):
        raise BadSnippetError(first, f"holds what looks like a secret ({', '.join(kinds)})")
    if any(is_certain(span) for span in scan(whole)):
        raise BadSnippetError(first, _AN_ORDER)


def _paragraphs(section: list[str]) -> str:
    """Join wrapped lines; paragraphs stay apart by one empty line."""
    paragraphs: list[list[str]] = [[]]
    for line in section:
        if line.strip():
            paragraphs[-1].append(" ".join(line.split()))
        elif paragraphs[-1]:
            paragraphs.append([])
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs if paragraph)
