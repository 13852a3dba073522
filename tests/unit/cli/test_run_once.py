"""One mail through everything in one process: what the exit code says, and what is assumed."""

import json
from email.message import EmailMessage
from importlib import resources
from pathlib import Path

import pytest
from documents import pdf
from typer.testing import CliRunner

from swarm import samples
from swarm.cli.app import app
from swarm.cli.output import guarded

SAMPLES = Path(str(resources.files(samples)))


def run(file: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["run-once", str(file), *options])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


@pytest.mark.parametrize(
    "name", ["01-order-status.eml", "02-lieferung.eml", "03-missing-number.eml"]
)
def test_a_harmless_mail_is_publishable(name: str) -> None:
    code, output = run(SAMPLES / name)
    assert code == 0
    assert "publishable" in output


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("04-legal-threat.eml", "ES-01"),
        ("06-injury.eml", "ES-01"),
        ("07-hidden-text.eml", "ES-13"),
        ("10-human-please.eml", "ES-03"),
    ],
)
def test_a_dangerous_mail_is_escalated_with_its_rule(name: str, rule: str) -> None:
    code, output = run(SAMPLES / name)
    assert code == 1
    assert rule in output


def test_the_json_holds_every_artifact_and_what_was_assumed() -> None:
    code, output = run(SAMPLES / "01-order-status.eml", "--json")
    said = json.loads(output)
    assert code == 0
    assert (said["publishable"], said["escalated"], said["state"]) == (True, False, "held")
    assert {"received", "context", "tier", "draft", "reviews", "policy"} <= said["result"].keys()
    assert said["assumed"]


def test_an_answer_to_an_unknown_mail_is_escalated_because_its_history_is_missing(
    tmp_path: Path,
) -> None:
    answer = (SAMPLES / "01-order-status.eml").read_bytes()
    file = tmp_path / "answer.eml"
    file.write_bytes(b"In-Reply-To: <earlier@example.com>\n" + answer)
    code, output = run(file)
    assert code == 1
    assert "ES-04" in output


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "broken.eml"), (b"\x00\x01\x02", "broken.eml"), (None, "No such file")],
)
def test_what_is_no_mail_fails_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, words: str
) -> None:
    file = tmp_path / "broken.eml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        guarded(lambda: app(["run-once", str(file)], standalone_mode=False))
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert words in message
    assert len(message.splitlines()) == 1


def test_an_automatic_reply_needs_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        guarded(lambda: app(["run-once", str(SAMPLES / "09-auto-reply.eml")]))
    assert ended.value.code == 2
    assert "needs no answer" in capsys.readouterr().err


def with_file(tmp_path: Path, name: str, content: bytes, said: str) -> Path:
    message = EmailMessage()
    message["From"], message["To"] = "Anna Keller <anna.keller@example.org>", "service@example.com"
    message["Subject"], message["Message-ID"] = "Status", "<att-1@example.org>"
    message["Date"] = "Thu, 26 Nov 2026 09:00:00 +0000"
    message.set_content(f"Hello,\n\nwhat is the status of my order? {said}\n\nAnna Keller\n")
    message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    file = tmp_path / "mail.eml"
    file.write_bytes(message.as_bytes())
    return file


LEANS = "The number is on the attached confirmation."


def test_an_attachment_is_read_and_its_number_is_known(tmp_path: Path) -> None:
    code, output = run(with_file(tmp_path, "c.pdf", pdf("Order 10482"), LEANS), "--json")
    said = json.loads(output)
    assert code == 0
    texts = {each["source"]: each["text"] for each in said["result"]["context"]["evidence"]}
    assert texts["graph:attachment:text"] == "Order 10482"
    assert "tell us your order number" not in said["result"]["draft"]["body_text"]


def test_an_attachment_that_cannot_be_read_escalates_who_leans_on_it(tmp_path: Path) -> None:
    code, output = run(with_file(tmp_path, "c.pdf", b"%PDF-1.4\n%\xc7\xec", LEANS))
    assert code == 1
    words = " ".join(output.split())
    assert "points to what is attached" in words
    assert "gap: attachment 1 (application/pdf) was not read" in words
