"""What was worked out of the last texts, remembered: the rules ask the same of one mail many times.

For functions of one text. What lives elsewhere: what is remembered of long texts as well, because
it costs most (``injection.scan``, ``learned.listen``).
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Final, TypeVar

T = TypeVar("T")

_LONGEST: Final = 20_000  # characters: the words of 32 such texts take 20 MB
_TEXTS: Final = 32


def remembered(work: Callable[[str], T]) -> Callable[[str], T]:
    """Work something out once for each of the last texts; a long text is none of them."""
    kept = lru_cache(maxsize=_TEXTS)(work)

    @wraps(work)
    def recalled(text: str) -> T:
        return kept(text) if len(text) <= _LONGEST else work(text)

    return recalled
