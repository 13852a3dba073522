"""Dagster's sensor daemon as a process of its own that is cheap to start, kill and start again.

A process without threads or channels, into which everything is imported once, forks each daemon
(``multiprocessing``'s fork server): half a second instead of four. The iteration is Dagster's own,
over the code server of the test.
"""

import json
import logging
import multiprocessing
import os
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.sensor import execute_sensor_iteration

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["daemon_process"])
_LOGGER = logging.getLogger("a daemon of its own")


def start(
    home: Path, workspace: Path, *, flags: Mapping[str, object] | None = None, pause: float = 0.2
) -> ForkServerProcess:
    """Start a daemon that beats every ``pause`` seconds; ``flags``: Dagster's DebugCrashFlags."""
    process = _SERVER.Process(
        target=_beat, args=(str(home), str(workspace), dict(os.environ), flags, pause), daemon=True
    )
    process.start()
    return process


def workspace_of(folder: Path, socket: str) -> Path:
    """A workspace file with the one code server that listens on ``socket``."""
    file = folder / "workspace.yaml"
    file.write_text(
        "load_from:\n"
        "  - grpc_server:\n"
        f"      socket: {json.dumps(socket)}\n"
        "      location_name: swarm\n",
        "utf-8",
    )
    return file


def _beat(
    home: str,
    workspace: str,
    environment: Mapping[str, str],
    flags: Mapping[str, object] | None,
    pause: float,
) -> None:
    os.environ.update(environment)
    with (
        dg.DagsterInstance.from_config(home) as instance,
        WorkspaceProcessContext(instance, WorkspaceFileTarget([workspace])) as context,
    ):
        (Path(home) / "beats").touch()
        while True:
            try:
                for _ in execute_sensor_iteration(context, _LOGGER, None, None, None, flags):  # type: ignore[arg-type]
                    pass
            except Exception:
                _LOGGER.warning("a beat failed", exc_info=True)
            time.sleep(pause)
