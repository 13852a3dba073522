"""Large arrays held in files without a name instead of in memory of the process's own.

They are read through the kernel's cache: processes share it, only what is used takes room, and it
can be dropped when memory is short. For a process that others are forked from; one that judges a
single mail has no use for it. What lives elsewhere: which arrays (``machines``, ``features``).
"""

import mmap
import tempfile
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

NumberT = TypeVar("NumberT", bound=np.generic)

_in_files: list[bool] = []
_pages: list[mmap.mmap] = []


def hold_in_files() -> None:
    """Let this process hold what it loads from now on in files."""
    _in_files.append(True)


def held(array: NDArray[NumberT]) -> NDArray[NumberT]:
    """Return the array, or its like in a file. A disk without room for it costs memory, no more."""
    if not _in_files:
        return array
    try:
        return _mapped(array)
    except OSError:
        return array


def let_go() -> None:
    """Give up this process's hold on what it used; whoever uses it again finds it in the cache."""
    for pages in _pages:
        pages.madvise(mmap.MADV_DONTNEED)


def _mapped(array: NDArray[NumberT]) -> NDArray[NumberT]:
    with tempfile.TemporaryFile() as file:  # nobody can shorten what has no name
        file.write(np.ascontiguousarray(array).data)
        file.flush()
        pages = mmap.mmap(file.fileno(), array.nbytes, prot=mmap.PROT_READ)
    _pages.append(pages)
    return np.frombuffer(pages, array.dtype).reshape(array.shape)
