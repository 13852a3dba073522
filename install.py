"""``python install.py PYTHON``: what ``make`` runs to install into the environment of ``PYTHON``.

Some 180 packages take a minute or two; pip alone is either silent or a screenful. This counts them
on one line, and shows pip's own words only when it fails. Standard library alone: nothing is
installed yet when it runs.
"""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_LOCK = _HERE / "requirements.lock"
_PIP = (
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar",
    "off",
)
_LAST_WORDS = 25  # lines of pip's that are shown when it fails


def main(python: str) -> int:
    """Install the pinned packages, then this project; returns pip's exit code."""
    began = time.monotonic()
    number = _pinned()
    print(f"installing {number} pinned packages (once; a minute or two)", flush=True)  # noqa: T201
    locked = [python, *_PIP, "--require-hashes", "-r", str(_LOCK)]
    ours = [python, *_PIP, "--no-deps", "--no-build-isolation", "-e", str(_HERE)]
    code = _run(locked, number) or _run(ours, 0)
    if code == 0:
        print(f"installed after {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    return code


def _pinned() -> int:
    return sum(line[:1].isalnum() for line in _LOCK.read_text("utf-8").splitlines())


def _run(command: Sequence[str], number: int) -> int:
    """Run pip, counting what it collects; its last lines are shown when it fails."""
    words: deque[str] = deque(maxlen=_LAST_WORDS)
    seen = 0
    with subprocess.Popen(  # noqa: S603 - argv is ours
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        for line in pip.stdout or ():
            words.append(line.rstrip())
            if number and line.startswith(("Collecting ", "Requirement already satisfied")):
                seen += 1
                _tell(f"  {min(seen, number)} of {number}: {line.split()[1].partition('==')[0]}")
            elif line.startswith("Installing collected packages"):
                _tell("  unpacking", last=True)
    if pip.returncode:
        print("\n".join(("", "pip failed; its last words:", *words)), file=sys.stderr)  # noqa: T201
    return pip.returncode


def _tell(what: str, *, last: bool = False) -> None:
    """One line that changes in a terminal; elsewhere a line now and then: logs stay short."""
    if sys.stdout.isatty():
        print(f"\r{what:<60.60}", end="\n" if last else "", flush=True)  # noqa: T201
    elif last or what.split(maxsplit=1)[0].endswith("0"):
        print(what, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
