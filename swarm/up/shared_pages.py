"""Pages of memory that forked processes share stay shared as long as nobody writes to them.

What lives here: what a process does before others are forked from it, so that they write to few of
its pages. Who is forked, and why, is in ``fork_server``.
"""

import ctypes
import gc
import sys
from typing import Final

_M_ARENA_MAX: Final = -8  # glibc's name of the option in mallopt(3)
_ARENAS: Final = 2

# CPython's allocator: objects of up to 512 bytes in classes of 16, each in pools of its own.
_CLASS: Final = 16
_LARGEST: Final = 512
_POOL: Final = 16 << 10
_HEAD_OF_BYTES: Final = sys.getsizeof(b"")

_in_holes: list[bytes] = []  # for as long as the process lives


def keep_shared() -> None:
    """Let those that are forked from now on write to few of the pages this process has.

    Three things write to pages that nobody means to change: a collection looks at every object
    (frozen ones are spared); the C library gives each thread a region of its own to allocate from,
    and keeps what it ever needed (two are enough: a prefetcher's 48 threads had 950 MB instead of
    650); and new objects go first where old ones were freed. Those few holes lie all over: with
    them filled a program writes to 10 MB less of what it shares.
    """
    gc.collect()
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, _ARENAS)
        library.malloc_trim(0)
    for size in range(_CLASS * 3, _LARGEST + 1, _CLASS):
        _in_holes.extend(_filling(size))
    gc.freeze()


def _filling(size: int) -> list[bytes]:
    """Return new objects of one class, until half a pool of them lies in a row: there was no hole
    left, and a fresh pool was begun.
    """
    made = [bytes(size - _HEAD_OF_BYTES)]
    in_a_row, enough = 0, _POOL // size // 2
    while in_a_row < enough:
        made.append(bytes(size - _HEAD_OF_BYTES))
        in_a_row = in_a_row + 1 if id(made[-1]) == id(made[-2]) + size else 0
    return made
