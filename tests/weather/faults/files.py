"""The intake stream and its disk: odd lines, rotation, truncation, no room."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from small_disk import SmallDisk

from weather.house import NotNow
from weather.kinds import Undo, World, kind, nothing

_ODD = (
    b"not a work order",
    b"{}",
    b"[]",
    b'""',
    b"\xff\xfe\x00 no UTF-8",
    b"\x00" * 4096,
    b'{"id": NaN}',
    b'{"schema_version": "1", "id": "\\ud800"}',
    b"\xef\xbb\xbf{}\r",
    b"[" * 20_000,
    b"x" * (1 << 20) + b"x",
)
_HOSTILE = (
    "../../etc/passwd", "a\nb", "...", "'; DROP TABLE work_orders; --", "\u202egnp.exe",
    "\U0001f4e6" * 40, "wo_" + "a" * 24, " padded ", "%s%n", "<script>",
)  # fmt: skip


def _stream(world: World) -> Path:
    path = world.house.home / "intake" / "work_orders.jsonl"
    if not path.exists():
        raise NotNow("nothing was written yet")
    return path


def _append(world: World, data: bytes) -> None:
    """As any program may that does not know our manners: no lock, no look at the end."""
    try:
        with _stream(world).open("ab", buffering=0) as file:
            file.write(data)
    except OSError as error:
        raise NotNow("the disk is full") from error


def _some_line(world: World, chance: Random) -> dict[str, Any]:
    """A line of the stream, picked at random."""
    lines = [each for each in _stream(world).read_bytes().splitlines() if each.startswith(b'{"sch')]
    chance.shuffle(lines)
    for line in lines:
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict) and "body_text" in found:
                return found
    raise NotNow("no line is there yet")


@kind("T50")
def odd_lines(world: World, chance: Random) -> Undo:
    _append(world, b"".join(each + b"\n" for each in chance.sample(_ODD, 3)))
    return nothing


@kind("T53")
def hostile_ids(world: World, chance: Random) -> Undo:
    line = _some_line(world, chance)
    number = chance.randrange(10**9)
    said = [line | {"id": f"{each} {number}"} for each in chance.sample(_HOSTILE, 3)]
    # Without the ids of the other mail's messages: these customers wrote by themselves.
    own = {"message_id": None, "internet_message_id": None, "conversation_id": None}
    _append(world, "".join(json.dumps(each | own) + "\n" for each in said).encode())
    return nothing


@kind("T52")
def duplicated_lines(world: World, chance: Random) -> Undo:
    line = json.dumps(_some_line(world, chance)).encode() + b"\n"
    _append(world, line * chance.randint(2, 200))
    return nothing


@kind("T52")
def revised_mail(world: World, chance: Random) -> Undo:
    """The same id says something else: held for a person unless it ended before."""
    line = _some_line(world, chance)
    _append(
        world, json.dumps(line | {"body_text": f"Never mind {chance.random()}."}).encode() + b"\n"
    )
    return nothing


@kind("T46, T47", seconds=(2, 8), group="stream")
def half_a_line(world: World, chance: Random) -> Undo:
    """Its end comes later, perhaps behind what another writer appended meanwhile."""
    line = _some_line(world, chance) | {"id": f"half-{chance.randrange(10**9)}"}
    own = {"message_id": None, "internet_message_id": None, "conversation_id": None}
    whole = json.dumps(line | own).encode() + b"\n"
    cut = chance.randrange(1, len(whole) - 1)
    _append(world, whole[:cut])

    def the_rest() -> None:
        with suppress(NotNow):
            _append(world, whole[cut:])

    return the_rest


@kind("T48", group="stream")
def stream_rotated(world: World, chance: Random) -> Undo:
    """Renamed, as logrotate does; whoever writes next begins a new file."""
    path = _stream(world)
    path.rename(f"{path}.{chance.randrange(10**9)}")
    return nothing


@kind("T49", group="stream")
def stream_replaced_by_an_older_copy(world: World, chance: Random) -> Undo:
    """A restored backup that lacks nothing: another inode with the same lines, read again."""
    path = _stream(world)
    aside = path.with_name(f"restored-{chance.randrange(10**9)}")
    try:
        shutil.copyfile(path, aside)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise NotNow("the disk is full") from error
    aside.replace(path)
    return nothing


def _filled(world: World, place: str) -> Undo:
    disk = SmallDisk(world.house.home / place)
    if not os.path.ismount(disk.folder):
        raise NotNow("no small disk could be mounted here")
    disk.fill()

    def free() -> None:
        with suppress(FileNotFoundError):
            disk.free()

    return free


@kind("T26", seconds=(8, 20), group="disk of the intake")
def disk_of_the_intake_full(world: World, _: Random) -> Undo:
    return _filled(world, "intake")


@kind("T26", seconds=(8, 20), group="disk of the broker")
def disk_of_the_broker_full(world: World, _: Random) -> Undo:
    return _filled(world, "broker")
