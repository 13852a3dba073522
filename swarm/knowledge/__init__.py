"""The house's approved answers: files people write, read strictly, found per question.

What lives here: a snippet and how its file is read (``snippet``, ``reading``), the folder as it is
now (``shelf``), which snippets answer a question (``retrieval``, over the words of ``terms``). What
does not: how an answer becomes evidence (``swarm.stages.enrichment``), how it is cited
(``swarm.specialists``), and who may lean a commitment on it (ES-08).
"""

from swarm.knowledge.shelf import NO_SHELF, Library, Shelf
from swarm.knowledge.snippet import LANGUAGES, SOURCE, Snippet, SnippetProblem

__all__ = ["LANGUAGES", "NO_SHELF", "SOURCE", "Library", "Shelf", "Snippet", "SnippetProblem"]
