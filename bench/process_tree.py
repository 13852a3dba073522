"""What processes take, as the kernel tells it: for the parts of the bench that start programs.

Memory is PSS: pages that processes share count once.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Behind the program's name, which may hold anything: state is 0.
_PARENT, _OWN, _WITH_ENDED = 1, slice(11, 13), slice(11, 15)


def parents() -> dict[int, int]:
    """Every process of the machine and who started it."""
    found = {int(each.name): _stat(int(each.name)) for each in Path("/proc").glob("[0-9]*")}
    return {pid: int(stat[_PARENT]) for pid, stat in found.items() if stat}


def family(roots: Iterable[int]) -> list[int]:
    """The processes, and whatever they and their children started."""
    above, heads = parents(), {*roots}
    return [pid for pid in above if _descends(pid, above, heads)]


def _descends(pid: int, above: dict[int, int], heads: set[int]) -> bool:
    while pid not in heads and pid in above:
        pid = above[pid]
    return pid in heads


def pss(pid: int) -> float:
    """MB; 0 of one that is gone."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else 0.0


def cpu_seconds(pid: int, *, with_ended_children: bool = False) -> float:
    """CPU seconds so far; an ended child's time is its parent's, once that has waited for it."""
    stat = _stat(pid)
    return sum(map(int, stat[_WITH_ENDED if with_ended_children else _OWN])) / _TICKS


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
