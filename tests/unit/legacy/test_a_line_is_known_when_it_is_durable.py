"""A full disk in the middle of a write loses nothing: what is not on disk is not known."""

import errno
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from swarm.clients.protocol import DeltaPage, InboundMessage
from swarm.legacy.email_work_order_service import EmailWorkOrderService
from swarm.legacy.events import encoded, event_from_eml
from swarm.legacy.home import IntakeFiles
from swarm.legacy.intake_stream_processor import IntakeStreamProcessor
from swarm.legacy.jsonl import LineLog, read_state, write_state
from swarm.legacy.publishing.journal import Journal

MAILBOX = "service@example.com"
NOW = datetime(2026, 11, 3, tzinfo=UTC)


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let the kernel refuse every byte beyond ``size``, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def line(number: int) -> bytes:
    return b'{"schema_version":"1","id":"mail-%d","text":"%s"}\n' % (number, b"x" * 200)


def test_lines_that_did_not_fit_are_written_by_the_next_try(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "events.jsonl")
    log.append([line(1)])
    with no_file_beyond(400), pytest.raises(OSError, match="too large"):
        log.append([line(2), line(3)])
    assert log.path.read_bytes() == line(1), "half a line was left behind"
    assert not log.knows("mail-2")
    assert log.append([line(2), line(3), line(1)]) == [True, True, False]
    assert log.path.read_bytes() == line(1) + line(2) + line(3)


def test_a_failed_fsync_is_a_failed_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, real, broken = LineLog(tmp_path / "events.jsonl"), os.fsync, [True]

    def fsync(descriptor: int) -> None:
        if broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output"):
            log.append([line(1)])
        assert not log.knows("mail-1")
    broken.clear()
    assert log.append([line(1)]) == [True]
    assert log.path.read_bytes() == line(1)


def test_the_same_id_twice_in_one_call_is_written_once(tmp_path: Path) -> None:
    assert LineLog(tmp_path / "a.jsonl").append([line(1), line(1)]) == [True, False]


class OnePage:
    """A mailbox with one mail, shown until its delta link is followed."""

    def delta(self, link: str | None, *, since: datetime) -> DeltaPage:
        raw = {
            "id": "m1",
            "receivedDateTime": "2026-11-03T10:00:00Z",
            "from": {"emailAddress": {"address": "ada@kunde.example"}},
            "subject": "Order",
            "body": {"contentType": "text", "content": "Where is it? " * 50},
        }
        messages = () if link else (InboundMessage(message_id="m1", raw=raw),)
        return DeltaPage(messages=messages, delta_link=f"after {since:%Y}")

    def attachments(self, message_id: str) -> tuple[()]:
        raise AssertionError(message_id)


def test_the_mailbox_reader_reads_a_mail_again_that_found_no_room(tmp_path: Path) -> None:
    files = IntakeFiles(tmp_path)
    service = EmailWorkOrderService(OnePage(), MAILBOX, files, LineLog(files.events), lambda: NOW)
    with no_file_beyond(300), pytest.raises(OSError, match="too large"):
        service.poll()
    assert read_state(files.service_state) == {}
    assert service.poll() == 1
    assert files.events.read_bytes().count(b"\n") == 1


def test_the_event_reader_writes_a_work_order_again_that_found_no_room(tmp_path: Path) -> None:
    files = IntakeFiles(tmp_path)
    raw = b"From: a@kunde.example\nSubject: x\nMessage-ID: <1@x>\n\n" + b"Where? " * 100
    LineLog(files.events).append([encoded(event_from_eml(raw, MAILBOX, now=NOW))])
    reader = IntakeStreamProcessor(files, LineLog(files.work_orders), LineLog(files.ignored))
    with no_file_beyond(300), pytest.raises(OSError, match="too large"):
        reader.turn()
    assert reader.turn().work_orders == 1
    assert files.work_orders.read_bytes().count(b"\n") == 1


def test_the_journal_of_the_lease_is_readable_after_a_full_disk(tmp_path: Path) -> None:
    """Half a line fused with the next one would keep today's sender from ever starting again."""
    journal = Journal(tmp_path)
    with no_file_beyond(40), pytest.raises(OSError, match="too large"):
        journal._append({"id": "a", "key": "x" * 100})
    assert (tmp_path / "journal.jsonl").read_bytes() == b""
    journal.close()


def test_two_programs_write_one_state_and_it_is_always_one_of_theirs(tmp_path: Path) -> None:
    """A follower saves its place while an erasure renews the proof of it."""
    path, trouble = tmp_path / "a.state.json", list[Exception]()

    def write(who: int) -> None:
        try:
            for number in range(60):
                write_state(path, {"who": who, "number": number, "filler": "x" * 5000 * who})
        except Exception as error:  # noqa: BLE001 - told by the assertion
            trouble.append(error)

    writers = [threading.Thread(target=write, args=(who,)) for who in (1, 2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert not path.exists() or read_state(path)["who"] in (1, 2)
    assert trouble == []
    assert [file.name for file in tmp_path.iterdir()] == ["a.state.json"]
