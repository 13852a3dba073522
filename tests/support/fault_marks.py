"""The numbers of docs/faults.md at the tests that show them, and what a run of them came to.

``@pytest.mark.fault("T10", "T13")`` at a test, a class or a file says which faults it shows; it
then belongs to `make faults`, which ends with one line per number. ``--fault-results FILE`` keeps
the same for ``fault_table``. What lives elsewhere: the faults in words (``docs/faults.md``).
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

NUMBERS = tuple(f"T{n:02d}" for n in range(1, 65)) + tuple(f"R{n}" for n in range(1, 6))


class FaultResults:
    """What became of every marked test of this run: by number, and in seconds by file."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._shows: dict[str, tuple[str, ...]] = {}
        self._came_to: dict[str, str] = {}
        self._seconds: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Know the numbers of each test; whoever shows one belongs to `make faults`."""
        for item in items:
            if numbers := numbers_of(item):
                item.add_marker("faults")
                self._shows[item.nodeid] = numbers

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of set-up, call and tear-down, and the time of all three."""
        if report.nodeid not in self._shows:
            return
        self._seconds[report.nodeid.partition("::")[0]] += report.duration
        if report.failed:
            self._came_to[report.nodeid] = "red"
        elif report.skipped:
            self._came_to.setdefault(report.nodeid, "skipped")
        elif report.when == "call":
            self._came_to.setdefault(report.nodeid, "green")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line per number, then the time of each file."""
        if not self._came_to or not terminalreporter.config.getoption("-m"):
            return
        found = by_number(self._shows, self._came_to)
        terminalreporter.section("faults by number")
        for number in NUMBERS:
            if number in found:
                outcomes = found[number].values()
                terminalreporter.line(f"{number}  {verdict(outcomes):<8}{len(outcomes):>4} tests")
        for file, seconds in sorted(self._seconds.items(), key=lambda pair: -pair[1]):
            terminalreporter.line(f"{seconds:7.1f} s  {file}")
        green = sum(verdict(each.values()) == "green" for each in found.values())
        terminalreporter.line(f"{green} of {len(NUMBERS)} numbers are green in this run")
        if self._file is not None:
            self._write(self._file, found)

    def _write(self, file: Path, found: Mapping[str, Mapping[str, str]]) -> None:
        kept = {
            "at": f"{datetime.now(UTC):%Y-%m-%d}",
            "cores": os.cpu_count(),
            "numbers": found,
            "seconds": {name: round(each, 1) for name, each in self._seconds.items()},
        }
        file.write_text(json.dumps(kept, indent=1, sort_keys=True), "utf-8")


def numbers_of(item: pytest.Item) -> tuple[str, ...]:
    """The numbers of a test: its own marks', its class's, its file's."""
    numbers = {str(n) for mark in item.iter_markers("fault") for n in mark.args}
    if strange := numbers - {*NUMBERS}:
        raise pytest.UsageError(f"{item.nodeid}: docs/faults.md has no {min(strange)}")
    return tuple(sorted(numbers))


def by_number(
    shows: Mapping[str, Iterable[str]], came_to: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Number -> test (without its parameters) -> the worst of its cases."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for test, outcome in came_to.items():
        name = test.partition("[")[0]
        for number in shows[test]:
            found[number][name] = verdict([outcome, found[number].get(name, outcome)])
    return dict(found)


def verdict(outcomes: Iterable[str]) -> str:
    """Red when one is, green when one is and none is red, else skipped."""
    seen = {*outcomes}
    return next(each for each in ("red", "green", "skipped") if each in seen)
