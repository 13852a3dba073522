"""The same again: sentences, words or letters; and more text than anybody would send."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from swarm.patterns import linear
from swarm.safety.drafts.parts import sentences
from swarm.safety.words import fold

LONGEST = 6000  # characters; a page and a half
_LETTERS = linear(r"(\S)\1{7}")
_WORDS = linear(r"\b(\w{1,40})(?:[\s,.;:!-]{1,4}\1\b){3}")
_WORD = linear(r"\w{1,64}")
_ENOUGH = 4  # words; "Thank you." may come twice
_COMPARED = 40  # sentences; a longer reply says them again within these
_ALIKE = 0.85


def repetition(text: str) -> Iterator[str]:
    """Say what a reply says again and again."""
    if len(text) > LONGEST:
        yield "the reply is longer than a page and a half"
        return
    if _LETTERS.search(text) or _WORDS.search(text):
        yield "letters or words are repeated"
    bags = [bag for bag in (_bag(one) for one in sentences(text)) if len(bag) >= _ENOUGH]
    if _again(bags):
        yield "a sentence is said more than once"


def _bag(sentence: str) -> frozenset[str]:
    return frozenset(fold(word) for word in _WORD.findall(sentence))


def _again(bags: Sequence[frozenset[str]]) -> bool:
    if len(set(bags)) < len(bags):
        return True
    return any(_alike(a, b) for a, b in combinations(bags[:_COMPARED], 2))


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return len(a & b) >= _ALIKE * len(a | b)
