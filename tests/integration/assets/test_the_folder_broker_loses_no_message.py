"""Messages through the broker's folder while readers are busy: each arrives once, whole.

Both ends are built as production builds them, by ``celery_application``; writers and readers are
processes of their own.
"""

import multiprocessing
import time
from collections import Counter
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection
from kombu.exceptions import ChannelError

from swarm_assets.runtime.broker import BrokerSettings, celery_application

MESSAGES = 3000
SECONDS = 240

context = multiprocessing.get_context("spawn")


def connection(folder: Path) -> Connection:
    app = celery_application(BrokerSettings(broker_url="filesystem://", broker_dir=folder))
    found: Connection = app.connection_for_write()
    return found


def write(folder: Path, first: int, count: int) -> None:
    with connection(folder) as there:
        queue = there.SimpleQueue("dagster")
        for number in range(first, first + count):
            queue.put({"run": number, "filler": "x" * 2000})


def read(folder: Path, found: "Queue[int | str]") -> None:
    """Take what comes, as fast as it can, until told to stop by a message."""
    with connection(folder) as there:
        channel = there.channel()
        queue = there.SimpleQueue("dagster")  # binds, as a worker does
        queue.close()
        while True:
            try:
                message = channel._get("dagster")
            except Empty:
                continue
            except (ValueError, ChannelError) as error:
                found.put(repr(error))
                continue
            body = channel.message_to_python(message).payload
            if "stop" in body:
                return
            found.put(body["run"])


def test_three_thousand_messages_with_busy_readers_lose_none_and_double_none(
    tmp_path: Path,
) -> None:
    found: Queue[int | str] = context.Queue()
    readers = [context.Process(target=read, args=(tmp_path, found)) for _ in range(2)]
    writers = [
        context.Process(target=write, args=(tmp_path, half, MESSAGES // 2))
        for half in (0, MESSAGES // 2)
    ]
    for process in (*readers, *writers):
        process.start()
    deadline = time.monotonic() + SECONDS
    arrived: list[int | str] = []
    while len(arrived) < MESSAGES and time.monotonic() < deadline:
        try:
            arrived.append(found.get(timeout=5))
        except Empty:
            if not any(writer.is_alive() for writer in writers):
                break
    for _ in readers:
        with connection(tmp_path) as there:
            there.SimpleQueue("dagster").put({"stop": True})
    for process in (*writers, *readers):
        process.join(60)
        process.kill()
    assert [each for each in arrived if isinstance(each, str)] == []
    assert Counter(arrived) == Counter(range(MESSAGES))
    assert list((tmp_path / "taken").iterdir()) == []


def bind(folder: Path, name: str, times: int) -> None:
    with connection(folder) as there:
        channel = there.channel()
        for number in range(times):
            channel._queue_bind("celery.pidbox", "", "", f"{name}{number}.pidbox")


def test_a_sender_never_meets_a_half_written_exchange_and_no_binding_is_lost(
    tmp_path: Path,
) -> None:
    binders = [context.Process(target=bind, args=(tmp_path, name, 100)) for name in "abc"]
    with connection(tmp_path) as there:
        channel = there.channel()
        for process in binders:
            process.start()
        sizes = []
        while any(process.is_alive() for process in binders):
            sizes.append(len(channel.get_table("celery.pidbox")))
        assert sizes == sorted(sizes)  # it only grows: no look met an emptied file
        assert len(channel.get_table("celery.pidbox")) == 300
        channel._delete("b7.pidbox", "celery.pidbox", "", "")
        assert len(channel.get_table("celery.pidbox")) == 299


def test_a_folder_that_takes_nothing_says_so_and_leaves_no_part_behind(tmp_path: Path) -> None:
    with connection(tmp_path) as there:
        channel = there.channel()
        channel._put("dagster", {"a": 1})
        (tmp_path / "queue").rename(tmp_path / "gone")
        with pytest.raises(ChannelError, match="cannot write"):
            channel._put("dagster", {"a": 2})
    assert len(list((tmp_path / "gone").iterdir())) == 1
