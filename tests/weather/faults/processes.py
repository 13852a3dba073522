"""Programs that die, stand still, are asked to end, or are there twice."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from random import Random

from weather.house import NotNow
from weather.kinds import Undo, World, kind, nothing

# The supervisor starts them again; who holds a work order is noticed by its lease.
_ANY = (
    "code-server", "dagster-daemon", "email_work_order_service", "intake_stream_processor",
    "pipeline_daemon", "publish_sender", "publisher", "sandbox", "shadow", "webserver", "workers",
)  # fmt: skip


def _signal(world: World, name: str, number: int) -> Undo:
    with suppress(ProcessLookupError):
        os.kill(world.house.pid(name), number)
    return nothing


@kind("T01", group="dagster-daemon")
def daemon_killed(world: World, _: Random) -> Undo:
    return _signal(world, "dagster-daemon", signal.SIGKILL)


@kind("T09", group="code-server")
def code_server_killed(world: World, _: Random) -> Undo:
    return _signal(world, "code-server", signal.SIGKILL)


@kind("T16", group="webserver")
def webserver_killed(world: World, _: Random) -> Undo:
    return _signal(world, "webserver", signal.SIGKILL)


@kind("T10, T13, T19")
def worker_killed_in_its_run(world: World, chance: Random) -> Undo:
    with suppress(ProcessLookupError):
        os.kill(chance.choice(world.house.children("workers")), signal.SIGKILL)
    return nothing


@kind("T10, T14", group="prefetcher", thinker="model")
def prefetcher_killed_amid_its_thoughts(world: World, _: Random) -> Undo:
    return _signal(world, "prefetcher", signal.SIGKILL)


@kind("T10, T17", group="prefetcher", thinker="model")
def prefetcher_stands_still(world: World, _: Random) -> Undo:
    return _signal(world, "prefetcher", signal.SIGSTOP)


@kind("T14", group="watchman")
def watchman_killed(world: World, _: Random) -> Undo:
    return _signal(world, "watchman", signal.SIGKILL)


@kind("T13", group="workers")
def pool_of_workers_killed(world: World, _: Random) -> Undo:
    return _signal(world, "workers", signal.SIGKILL)


@kind("T30")
def publisher_killed_in_its_round(world: World, chance: Random) -> Undo:
    with suppress(ProcessLookupError):
        os.kill(chance.choice(world.house.children("publisher")), signal.SIGKILL)
    return nothing


@kind("T30", group="publish_sender")
def todays_sender_killed(world: World, _: Random) -> Undo:
    return _signal(world, "publish_sender", signal.SIGKILL)


@kind("T14", group="pipeline_daemon")
def todays_pipeline_killed(world: World, _: Random) -> Undo:
    return _signal(world, "pipeline_daemon", signal.SIGKILL)


@kind("T47", group="email_work_order_service")
def mailbox_reader_killed(world: World, _: Random) -> Undo:
    return _signal(world, "email_work_order_service", signal.SIGKILL)


@kind("T47", group="intake_stream_processor")
def stream_writer_killed(world: World, _: Random) -> Undo:
    return _signal(world, "intake_stream_processor", signal.SIGKILL)


@kind("T32", group="sandbox")
def every_service_refuses_connections(world: World, _: Random) -> Undo:
    """The doubles die: until they are back, Graph, monday, hook and model are a closed port."""
    return _signal(world, "sandbox", signal.SIGKILL)


@kind("T14", group="any")
def a_program_asked_to_end(world: World, chance: Random) -> Undo:
    return _signal(world, chance.choice(_ANY), signal.SIGTERM)


@kind("T12", seconds=(5, 25))
def worker_stopped_in_its_run(world: World, chance: Random) -> Undo:
    return _stopped(chance.choice(world.house.children("workers")))


@kind("T36", seconds=(5, 25))
def publisher_stopped_in_its_round(world: World, chance: Random) -> Undo:
    return _stopped(chance.choice(world.house.children("publisher")))


@kind("T17", seconds=(5, 25), group="dagster-daemon")
def daemon_stopped(world: World, _: Random) -> Undo:
    return _stopped(world.house.pid("dagster-daemon"))


@kind("T36", seconds=(5, 25), group="publish_sender")
def todays_sender_stopped(world: World, _: Random) -> Undo:
    return _stopped(world.house.pid("publish_sender"))


@kind("T17", seconds=(5, 20), group="any")
def a_program_stopped(world: World, chance: Random) -> Undo:
    return _stopped(world.house.pid(chance.choice(_ANY)))


def _stopped(pid: int) -> Undo:
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError as error:
        raise NotNow("it ended meanwhile") from error

    def go_on() -> None:
        with suppress(ProcessLookupError):  # whoever was stopped too long was killed
            os.kill(pid, signal.SIGCONT)

    return go_on


@kind("T05", seconds=(10, 25), group="dagster-daemon")
def second_daemon(world: World, _: Random) -> Undo:
    """Whether it refuses to start or runs beside the first."""
    house = world.house
    command = [sys.executable, "-m", "dagster._daemon", "run", "-w"]
    second = subprocess.Popen(
        [*command, str(house.home / "dagster" / "workspace.yaml"), "--log-level", "warning"],
        env=house.environment_of_programs(),
        cwd=house.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def end() -> None:
        second.kill()
        second.wait()

    return end


@kind("T14", group="machine")
def every_program_killed(world: World, _: Random) -> Undo:
    """All but the supervisor, at the same moment."""
    for name in world.house.programs():
        if name != "postgres":
            with suppress(NotNow, ProcessLookupError):
                os.kill(world.house.pid(name), signal.SIGKILL)
    return nothing


@kind("T15", group="machine")
def machine_restarted(world: World, _: Random) -> Undo:
    """Everything dies at once, Postgres and the supervisor too; then it is started again."""
    house = world.house
    victims = [house.postmaster()]
    assert house.process is not None
    house.process.kill()
    for name in house.programs():
        with suppress(NotNow):
            victims.append(house.pid(name))
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    house.process.wait()
    house.start()
    return nothing
