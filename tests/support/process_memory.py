"""What a process knows, read from its memory: what it was told as well as what it inherited."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path


def written_pages(pid: int) -> Iterator[bytes]:
    """What a process can write to, region by region: wherever it keeps what it was told."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            start, end = (int(each, 16) for each in span.split("-"))
            if rights.startswith("rw"):
                with suppress(OSError):
                    memory.seek(start)
                    yield memory.read(end - start)


def knows(pid: int, words: Mapping[str, str]) -> set[str]:
    """Return the names of the words that lie in the memory of a process."""
    found = set[str]()
    for page in written_pages(pid):
        found |= {name for name, word in words.items() if word.encode() in page}
    return found
