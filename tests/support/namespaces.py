"""Other machines on this one: network namespaces joined to ours by a virtual cable each."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """A namespace, its own address, and ours as seen from it."""

    name: str
    address: str
    gateway: str
    cable: str

    def cut(self) -> None:
        """Pull the cable: nothing more arrives, and nobody is told."""
        _run("ip", "link", "set", self.cable, "down")


def inside(name: str) -> tuple[str, ...]:
    """What to put before a command that shall run there."""
    return ("ip", "netns", "exec", name)


@contextmanager
def networks(number: int) -> Iterator[tuple[Network, ...]]:
    """Yield so many, gone again at the end of the block."""
    mark = uuid.uuid4().int % 250
    made = [_network(mark, each) for each in range(number)]
    try:
        yield tuple(made)
    finally:
        for each in made:
            subprocess.run(["ip", "netns", "del", each.name], check=False, capture_output=True)


def _network(mark: int, number: int) -> Network:
    subnet = f"10.213.{mark}"
    base = number * 4
    network = Network(
        f"swarm{mark}-{number}",
        f"{subnet}.{base + 2}",
        f"{subnet}.{base + 1}",
        f"sw{mark}-{number}",
    )
    far = f"{network.cable}f"
    _run("ip", "netns", "add", network.name)
    _run("ip", "link", "add", network.cable, "type", "veth", "peer", "name", far)
    _run("ip", "link", "set", far, "netns", network.name)
    _run("ip", "addr", "add", f"{network.gateway}/30", "dev", network.cable)
    _run("ip", "link", "set", network.cable, "up")
    _run(*inside(network.name), "ip", "addr", "add", f"{network.address}/30", "dev", far)
    _run(*inside(network.name), "ip", "link", "set", far, "up")
    _run(*inside(network.name), "ip", "link", "set", "lo", "up")
    _run(*inside(network.name), "ip", "route", "add", "default", "via", network.gateway)
    return network


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _why_not() -> str | None:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return "network namespaces need root and iproute2"
    probe = f"swarm-probe-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode:
        return "this machine gives no network namespaces"
    subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return None


MAY_NOT = _why_not()
"""Why no other network can be made here; None: it can."""
