"""What ``swarm doctor`` says of the approved answers, and when it is something to look at."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarm.cli.app import app

HEAD = (
    "---\nid: {id}\ntitle: T\nlanguages: en\napproved_by: Jo\nvalid_until: {until}\n---\nWords.\n"
)
NAMES = "`swarm knowledge check` names each"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of answers on a machine where nothing else is set and nothing runs."""
    for name in ("DATABASE_URL", "SWARM_SANDBOX_URL", "KNOWLEDGE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    (tmp_path / "knowledge").mkdir()
    return tmp_path / "knowledge"


def lay(folder: Path, *, used: int = 0, expired: int = 0, refused: int = 0) -> None:
    for n in range(used):
        (folder / f"used{n}.md").write_text(HEAD.format(id=f"used{n}", until="2999-12-31"))
    for n in range(expired):
        (folder / f"old{n}.md").write_text(HEAD.format(id=f"old{n}", until="2020-01-01"))
    for n in range(refused):
        (folder / f"bad{n}.md").write_text("no head")


def told() -> tuple[str, str, str, str]:
    """Area, health, detail and help of the doctor's one line on knowledge; it must not fail."""
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 0, done.stdout
    (line,) = (each for each in json.loads(done.stdout) if each["name"] == "knowledge")
    return line["area"], line["health"], line["detail"], line["helps"]


@pytest.mark.parametrize(
    ("laid", "health", "detail", "helps"),
    [
        ({}, "good", "0 approved answers in use, 0 expired, 0 files refused", ""),
        ({"used": 1}, "good", "1 approved answer in use, 0 expired, 0 files refused", ""),
        ({"used": 2, "expired": 1}, "note",
         "2 approved answers in use, 1 expired, 0 files refused", NAMES),
        ({"used": 2, "refused": 1}, "note",
         "2 approved answers in use, 0 expired, 1 file refused", NAMES),
        ({"expired": 2, "refused": 2}, "note",
         "0 approved answers in use, 2 expired, 2 files refused", NAMES),
    ],
)  # fmt: skip
def test_answers_are_counted_and_what_is_of_no_use_is_worth_a_look(
    shelf: Path, laid: dict[str, int], health: str, detail: str, helps: str
) -> None:
    lay(shelf, **laid)
    assert told() == ("settings", health, detail, helps)


def test_a_house_without_a_folder_of_answers_is_well(shelf: Path) -> None:
    shelf.rmdir()
    assert told()[1] == "good"


def test_the_folder_that_is_named_is_the_one_that_is_counted(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(shelf, used=3)
    (tmp_path / "elsewhere").mkdir()
    lay(tmp_path / "elsewhere", used=1)
    monkeypatch.setenv("KNOWLEDGE_DIR", str(tmp_path / "elsewhere"))
    assert told()[2].startswith("1 approved answer in use")
