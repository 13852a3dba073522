"""The knowledge folder as it is now: every good snippet, every problem, and a digest of both.

Read anew each time it is asked, so a changed file is seen without a restart; what was read before
is kept by the digest of its bytes, never by times or names. Bounded: files beyond the limits are
problems, and so is whatever looks like an answer and cannot be read: no file, however odd, keeps
the others from being used.
"""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path

from swarm.knowledge.reading import LONGEST_FILE, read_snippet
from swarm.knowledge.retrieval import Index, Match
from swarm.knowledge.snippet import Snippet, SnippetProblem

MOST_FILES = 500

_LOOKS_LIKE_ONE = (".md", ".markdown")
_UNREADABLE = "it cannot be read"

_Files = tuple[tuple[str, bytes | None], ...]
"""Names as they can be shown, and bytes; None: they could not be read."""


class Library:
    """The approved answers of one moment; ``digest`` names the bytes they were read from."""

    def __init__(
        self, snippets: Sequence[Snippet], problems: Sequence[SnippetProblem], digest: str
    ) -> None:
        self.snippets = tuple(snippets)
        self.problems = tuple(problems)
        self.digest = digest

    def find(self, question: str, language: str, at: datetime) -> tuple[Match, ...]:
        """Return what answers a question in its language at a moment, best first; maybe nothing."""
        return self._index.find(question, language, at)

    def nearest(self, question: str, language: str, at: datetime) -> tuple[Match, ...]:
        """Return the snippets in order of nearness, those below the threshold as well."""
        return self._index.nearest(question, language, at)

    def in_force(self, source: str, text: str, at: datetime) -> bool:
        """Whether this very text is what the snippet of ``source`` says, and may be said then."""
        return any(
            snippet.source == source and text in snippet.texts.values() and snippet.valid_at(at)
            for snippet in self.snippets
        )

    @cached_property
    def _index(self) -> Index:
        return Index(self.snippets)


class Shelf:
    """A knowledge folder. None, or a folder that is not there, holds nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def read(self) -> Library:
        """Return the folder's answers as they are now."""
        return _library(tuple(self._files()))

    def _files(self) -> Iterator[tuple[str, bytes | None]]:
        if self.folder is None:
            return
        try:
            names = sorted(path.name for path in self.folder.iterdir())
        except FileNotFoundError:
            return
        except OSError:
            yield _shown(self.folder.name), None
            return
        answers = [name for name in names if name.casefold().endswith(_LOOKS_LIKE_ONE)]
        for name in answers[: MOST_FILES + 1]:
            yield _shown(name), _content(self.folder / name)


NO_SHELF = Shelf(None)


def _content(path: Path) -> bytes | None:
    """Only what is a file is opened: a pipe would be waited for."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            return file.read(LONGEST_FILE + 1)
    except OSError:
        return None


def _shown(name: str) -> str:
    """A name need not be UTF-8; what is written down must be."""
    return os.fsencode(name).decode("utf-8", "replace")


@lru_cache(maxsize=4)
def _library(files: _Files) -> Library:
    read = [
        SnippetProblem(file=name, line=0, reason=_UNREADABLE)
        if data is None
        else read_snippet(name, data)
        for name, data in files[:MOST_FILES]
    ]
    good = [one for one in read if isinstance(one, Snippet)]
    bad = [one for one in read if isinstance(one, SnippetProblem)]
    times = Counter(snippet.id for snippet in good)
    bad += [_twice(one) for one in good if times[one.id] > 1]
    if len(files) > MOST_FILES:
        bad.append(
            SnippetProblem(file=files[-1][0], line=0, reason=f"more than {MOST_FILES} files")
        )
    digest = hashlib.sha256(b"\0".join(part for n, d in files for part in (n.encode(), d or b"")))
    return Library(
        [one for one in good if times[one.id] == 1],
        sorted(bad, key=lambda problem: (problem.file, problem.line)),
        digest.hexdigest(),
    )


def _twice(snippet: Snippet) -> SnippetProblem:
    """None of two with one id is used: nobody could say which one was approved."""
    return SnippetProblem(file=snippet.file, line=0, reason=f"the id `{snippet.id}` is there twice")
