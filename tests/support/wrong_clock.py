"""A process whose clock is wrong, and may be set while it runs.

No library for this is among our dependencies, and the clock of the machine is not a test's to set.
So the process itself is told: every function of Python that reads the time of day is shifted by
the seconds that a file holds at that moment. Clocks nobody can set (monotonic, since boot) stay, as
on a machine whose clock is set. What C code reads by itself is not shifted.
"""

import os
import sys
from pathlib import Path

_SHIFTED = """
import ctypes, datetime, gc, time
_file = {file!r}
_time, _time_ns, _now = time.time, time.time_ns, datetime.datetime.now
def _shift():
    with open(_file) as file:
        return float(file.read() or 0)
def _wrong_now(_cls, tz=None):
    utc = _now(datetime.timezone.utc) + datetime.timedelta(seconds=_shift())
    return utc.astimezone(tz) if tz else utc.astimezone().replace(tzinfo=None)
def _wrong_utcnow(_cls):
    return _wrong_now(_cls, datetime.timezone.utc).replace(tzinfo=None)
time.time = lambda: _time() + _shift()
time.time_ns = lambda: _time_ns() + int(_shift() * 1e9)
_members = gc.get_referents(datetime.datetime.__dict__)[0]
_members["now"] = classmethod(_wrong_now)
_members["utcnow"] = classmethod(_wrong_utcnow)
ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))
"""


class WrongClock:
    """The clock of the processes that are started with it."""

    def __init__(self, folder: Path, seconds: float = 0.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._file = folder, folder / "shift"
        self.shift(seconds)

    def shift(self, seconds: float) -> None:
        """Set the clock: from now on it is this many seconds ahead of the true one."""
        beside = self._file.with_suffix(".new")
        beside.write_text(str(seconds))
        beside.rename(self._file)  # a reader sees the old number or the new one

    @property
    def first(self) -> str:
        """What such a process imports first (``sitecustomize``)."""
        return _SHIFTED.format(file=str(self._file))

    def environment(self) -> dict[str, str]:
        """The environment of a Python program with this clock."""
        (self._folder / "sitecustomize.py").write_text(self.first)
        path = [str(self._folder), *filter(None, sys.path)]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
