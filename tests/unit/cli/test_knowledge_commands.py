"""``swarm knowledge``: what is on the shelf, what is refused and why, what a question finds."""

import json
import shutil
from pathlib import Path

import pytest
from replying import sample_shelf
from typer.testing import CliRunner, Result

from swarm.cli.app import app
from swarm.cli.output import guarded


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert sample_shelf().folder is not None
    shutil.copytree(sample_shelf().folder, tmp_path / "knowledge")
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    monkeypatch.delenv("KNOWLEDGE_DIR", raising=False)
    return tmp_path


def knowledge(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["knowledge", *arguments])


def checked() -> str:
    done = knowledge("check")
    assert done.exit_code == 0
    return done.stdout


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    """How the installed command ends: its exit code, and what it said on both ways out."""
    with pytest.raises(SystemExit) as end:
        guarded(lambda: app(["knowledge", *arguments]))
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


def test_the_list_says_what_may_be_said_until_when(home: Path) -> None:
    (home / "knowledge" / "old.md").write_text(
        "---\nid: old\ntitle: Old\nlanguages: en\napproved_by: Jo\nvalid_until: 2020-01-01\n"
        "---\nOld words.\n"
    )
    said = knowledge("list").stdout
    assert "opening-hours  de,en,fr  until 2030-12-31" in said
    assert said.count("EXPIRED") == 1
    listed = {
        each["id"]: each["expired"] for each in json.loads(knowledge("list", "--json").stdout)
    }
    assert listed["old"] is True
    assert listed["payment-methods"] is False
    assert "10 approved answers in use, 1 expired (old), 0 files refused" in checked()


def test_a_bad_file_is_named_with_line_and_reason_and_is_a_clear_no(home: Path) -> None:
    assert knowledge("check").exit_code == 0
    (home / "knowledge" / "bad.md").write_text("---\nid: bad\nid: worse\n---\nText\n")
    done = knowledge("check")
    assert done.exit_code == 1
    assert "bad.md:3: `id` stands there twice" in done.stdout
    report = json.loads(knowledge("check", "--json").stdout)
    assert (report["used"], len(report["problems"])) == (10, 1)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_folder_that_is_not_there_cannot_be_checked(
    home: Path, capsys: pytest.CaptureFixture[str], form: tuple[str, ...]
) -> None:
    shutil.rmtree(home / "knowledge")
    code, _, said = ended(capsys, "check", *form)
    assert (code, said) == (2, f"swarm: there is no folder {home / 'knowledge'}\n")


def test_nor_can_a_file_in_its_place(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(home / "knowledge")
    (home / "knowledge").write_text("no folder")
    assert ended(capsys, "check")[0] == 2


def test_an_empty_folder_is_checked_and_holds_nothing(home: Path) -> None:
    shutil.rmtree(home / "knowledge")
    (home / "knowledge").mkdir()
    assert checked() == "0 approved answers in use, 0 expired, 0 files refused\n"


def test_a_bad_file_is_a_no_and_no_failure_of_the_command(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "knowledge" / "bad.md").write_text("no head")
    code, told, said = ended(capsys, "check")
    assert (code, said) == (1, "")
    assert "10 approved answers in use, 0 expired, 1 file refused" in told


def test_a_question_is_tried_in_its_language(home: Path) -> None:
    done = knowledge("try", "Wie sind Ihre Öffnungszeiten?")
    assert done.exit_code == 0
    assert "opening-hours: Unser Kundenservice" in done.stdout
    found = json.loads(knowledge("try", "opening hours?", "--language", "en", "--json").stdout)
    assert found["found"][0]["id"] == "opening-hours"


def test_a_question_nothing_answers_is_a_clear_no(home: Path) -> None:
    done = knowledge("try", "Do you like jazz?")
    assert done.exit_code == 1
    assert "nothing is near enough" in done.stdout


def test_the_folder_may_be_named(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWLEDGE_DIR", str(tmp_path / "elsewhere"))
    assert "no approved answer in" in knowledge("list").stdout
