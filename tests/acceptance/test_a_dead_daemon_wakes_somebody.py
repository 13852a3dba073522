"""A whole installation: a daemon nobody restarts and a sensor switched off in the UI are told.

Told to a real HTTP server in the shape of Slack, within three minutes, once, and aloud when over.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from dagster_ui import DagsterUI
from installation import Running, pid_of, running_up
from told import Chat, chat

pytestmark = pytest.mark.acceptance

_LOADED = 300.0  # a busy machine
_WITHIN = 180.0
_DAEMON = "Dagster's daemon is silent: dagster-daemon"
_OFF = "A sensor or schedule was switched off: reaper"


@pytest.fixture
def slack() -> Iterator[Chat]:
    with chat() as running:
        yield running


def free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def within(seconds: float, true: Callable[[], bool]) -> float:
    """Wait until it is true; returns how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "not in time"
        time.sleep(0.5)
    return time.monotonic() - began


def all_is_well(installation: Running) -> bool:
    """Whether every sensor was asked once; before that the UI may not know them."""
    status = installation.json("status")
    assert isinstance(status, dict)
    return status["watched"]["watchman_alive"] and not status["watched"]["troubles"]


def test_a_daemon_that_stays_dead_and_a_sensor_that_is_off_are_told_and_resolved(
    tmp_path: Path, slack: Chat
) -> None:
    home, port = tmp_path / "home", free_port()
    shell = {"ALERT_SLACK_URL": slack.url.get_secret_value()}
    options = ("--no-samples", "--port", str(port))
    with running_up(home, tmp_path / "up.log", *options, shell=shell) as up:
        installation = Running(home, port)
        slack.server.asked.clear()
        with closing(DagsterUI(port)) as ui:
            within(_LOADED, lambda: all_is_well(installation))
            ui.sensor_off("reaper")
            within(_WITHIN, lambda: _OFF in slack.said)
            assert "reaper is switched off" in installation.swarm("status").stdout
            assert "reaper is switched off" in installation.swarm("doctor").stdout
            ui.sensor_on("reaper")
            within(_WITHIN, lambda: f"Over: {_OFF}" in slack.said)
        os.kill(up.pid, signal.SIGSTOP)  # nobody starts it again
        try:
            os.kill(pid_of(home, "dagster-daemon"), signal.SIGKILL)
            within(_WITHIN, lambda: _DAEMON in slack.said)
            assert "daemon is silent" in installation.swarm("status").stdout
            assert "dagster.daemon_silent" in installation.swarm("alerts", "list").stdout
        finally:
            os.kill(up.pid, signal.SIGCONT)
        within(_WITHIN, lambda: f"Over: {_DAEMON}" in slack.said)
        assert sorted(slack.said) == sorted({*slack.said}), "each once"
        shown = installation.swarm("alerts", "test", "--sink", "slack")
        assert (shown.returncode, shown.stdout.strip()) == (0, "slack: taken")
        os.kill(pid_of(home, "watchman"), signal.SIGSTOP)  # killed by `swarm up` after ten seconds
        within(_WITHIN, lambda: "was stopped" in (tmp_path / "up.log").read_text())
