"""The same again: sentences, words or letters; and more text than anybody would send."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from swarm.patterns import linear
from swarm.safety.drafts.parts import sentences
from swarm.safety.words import fold

LONGEST = 6000  # characters; a page and a half
_LETTERS = linear(r"(\S)\1{7}")
_WORDS = linear(r"\b(\w{1,40})(?:[\s,.;:!-]{1,4}\1\b){3}")
_WORD = linear(r"\w{1,64}")
_ENOUGH = 4  # words; "Thank you." may come twice
_OFTEN = 2
_COMPARED = 40  # sentences; a longer reply says them again within these
_ALIKE = 0.85


def repetition(text: str) -> Iterator[str]:
    """Say what a reply says again and again."""
    if len(text) > LONGEST:
        yield "the reply is longer than a page and a half"
        return
    if _LETTERS.search(text) or _WORDS.search(text):
        yield "letters or words are repeated"
    said = [bag for bag in (_bag(one) for one in sentences(text)) if bag]
    often = max(Counter(said).values(), default=0) > _OFTEN
    if often or _again([bag for bag in said if len(bag) >= _ENOUGH]):
        yield "a sentence is said more than once"


def _bag(sentence: str) -> frozenset[str]:
    return frozenset(fold(word) for word in _WORD.findall(sentence))


def _again(bags: Sequence[frozenset[str]]) -> bool:
    if len(set(bags)) < len(bags):
        return True
    return any(_alike(a, b) for a, b in combinations(bags[:_COMPARED], 2))


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    """What is said of another number ("of order 20418") is another sentence."""
    if _numbered(a - b) and _numbered(b - a):
        return False
    return len(a & b) >= _ALIKE * len(a | b)


def _numbered(words: Iterable[str]) -> bool:
    return any(word.isdigit() for word in words)
