"""One promise, asked of the tables."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A SELECT that gives ``subject`` and ``detail`` per breach, and must give nothing.

    ``name`` is stable: reports and tests refer to it.
    """

    promise: int
    name: str
    sql: str
