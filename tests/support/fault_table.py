"""docs/faults.md: which test shows which fault, and what the last run of them came to.

The words of the table are written by people; the tests named in it and their results come from the
marks (``fault_marks``). Run as a script: ``python tests/support/fault_table.py [RESULTS.json]``
rewrites the columns *shown by* and *last result*. A test of the house compares.
"""

import ast
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "faults.md"
NOT_SHOWN = "not shown"


@dataclass(frozen=True)
class Row:
    """One fault. ``weaker``: what of it is less than its words ask for."""

    number: str
    fault: str
    weaker: str
    shown_by: Sequence[str]
    result: str

    def __str__(self) -> str:
        """As a line of the table."""
        shown = "<br>".join(f"`{each}`" for each in self.shown_by) or NOT_SHOWN
        return f"| {self.number} | {self.fault} | {self.weaker} | {shown} | {self.result} |"


def rows(text: str) -> Iterator[Row]:
    """Yield the rows of the table as it stands."""
    for line in text.splitlines():
        cells = [each.strip() for each in line.strip().strip("|").split("|")]
        if len(cells) == len(Row.__dataclass_fields__) and cells[0][1:].isdigit():
            shown = [each.strip("`") for each in cells[3].split("<br>") if each != NOT_SHOWN]
            yield Row(cells[0], cells[1], cells[2], shown, cells[4])


def marked() -> dict[str, list[str]]:
    """Return number -> tests that carry it, ``path::name`` below tests/, read from the sources."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for number in _numbers(node):
                    found[number].append(f"{file.relative_to(ROOT / 'tests')}::{node.name}")
    return dict(found)


def _numbers(test: ast.FunctionDef) -> Iterator[str]:
    for each in test.decorator_list:
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "pytest.mark.fault":
            yield from (str(ast.literal_eval(number)) for number in each.args)


def written(text: str, results: Mapping[str, object] | None) -> str:
    """Return the page with the tests that are there now, and the results of a run."""
    tests = marked()
    known = {row.number: row for row in rows(text)}
    lines = []
    for line in text.splitlines():
        number = line.strip("| ").partition(" ")[0]
        if line.startswith("|") and number in known:
            row = known[number]
            shown = tests.get(number, [])
            result = _result(number, shown, results) if results else row.result
            row = Row(number, row.fault, row.weaker, shown, result)
            lines.append(str(row))
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _result(number: str, shown: Sequence[str], results: Mapping[str, object]) -> str:
    """Say what the run came to; one that left tests of the number out says so."""
    numbers = results["numbers"]
    assert isinstance(numbers, dict)
    if number not in numbers:
        return ""
    outcomes = set(numbers[number].values())
    worst = next(each for each in ("red", "green", "skipped") if each in outcomes)
    left_out = len(shown) - len(numbers[number])
    part = f", {left_out} of {len(shown)} tests not run" if left_out else ""
    return f"{worst}, {results['at']}, {results['cores']} cores{part}"


def main() -> None:
    """Rewrite the page."""
    results = json.loads(Path(sys.argv[1]).read_text("utf-8")) if sys.argv[1:] else None
    TABLE.write_text(written(TABLE.read_text("utf-8"), results), "utf-8")


if __name__ == "__main__":
    main()
