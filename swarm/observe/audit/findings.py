"""One thing wrong with one work order, before it is known whose it is."""

from typing import NamedTuple


class Violation(NamedTuple):
    """Which promise, the stable name of the check, and what is wrong; never mail text."""

    promise: int
    check: str
    detail: str
