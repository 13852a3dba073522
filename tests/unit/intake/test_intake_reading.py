"""Lines are split at line feeds only, whatever their size, and the last one waits for its end."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm.intake.stream.lines import MAX_LINE_BYTES, read_lines


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    number = os.open(tmp_path / "stream", os.O_RDWR | os.O_CREAT)
    yield number
    os.close(number)


def fill(descriptor: int, data: bytes) -> int:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, data, 0)
    return len(data)


def test_only_a_line_feed_ends_a_line(descriptor: int) -> None:
    data = "a\rb\u2028c\u0085d\x0b\x0c\x1ce\n".encode()
    lines, end = read_lines(descriptor, 0, fill(descriptor, data))
    assert [line.data for line in lines] == [data[:-1]]
    assert end == len(data)


def test_a_line_of_exactly_the_limit_is_kept_and_one_byte_more_is_not(descriptor: int) -> None:
    data = b"a" * MAX_LINE_BYTES + b"\n" + b"b" * (MAX_LINE_BYTES + 1) + b"\nc\n"
    lines, _ = read_lines(descriptor, 0, fill(descriptor, data))
    assert [line.data is None for line in lines] == [False, True, False]
    assert [line.length for line in lines] == [MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 1]


def test_an_oversized_line_without_end_is_not_consumed(descriptor: int) -> None:
    size = fill(descriptor, b"ok\n" + b"x" * (2 * MAX_LINE_BYTES))
    lines, end = read_lines(descriptor, 0, size)
    assert [line.data for line in lines] == [b"ok"]
    assert end == 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=40).filter(lambda b: b"\n" not in b)), st.binary(max_size=20))
def test_lines_read_in_any_steps_are_the_lines_written(
    descriptor: int, written: list[bytes], tail: bytes
) -> None:
    tail = tail.replace(b"\n", b"")
    size = fill(descriptor, b"".join(line + b"\n" for line in written) + tail)
    position, found = 0, []
    while True:
        lines, position = read_lines(descriptor, position, size, max_lines=3)
        if not lines:
            break
        found += lines
    assert [line.data for line in found] == written
    assert position == size - len(tail)
