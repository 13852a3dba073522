"""Do two worker hosts do twice the work of one? Measured as a ratio within one run.

An intake host without workers, and worker hosts of one core each (network namespaces on this
machine; see ``tests/support/hosts.py``) over a real Redis and Postgres on TCP. The same number of
mails is done by one host, then by both. A mail waits for its model (``--wait`` seconds an answer),
as it does in production; with ``--wait 0`` it is all computing, and what is measured is the cores
of this machine, which also carry Postgres, Redis, Dagster and the doubles.

    .venv/bin/python bench/two_hosts.py [--orders 30] [--wait 2]     # as root

Target: at least 1.8 times the throughput.
"""

import argparse
import sys
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from hosts import WHY_NOT, Site, site, wait_for

from swarm.sandbox import model_environment
from swarm.up.programs import any_free_port

TARGET = 1.8
WARM = 4


def main() -> int:
    if WHY_NOT:
        print(f"cannot be measured here: {WHY_NOT}")
        return 2
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=30)
    parser.add_argument("--wait", type=float, default=2.0)
    given = parser.parse_args()
    port = any_free_port()
    with site(2, model_environment(port), sandbox_port=port) as here:
        teach(here, given.wait)
        one, two = (seconds(here, hosts, given.orders, first=1000 * hosts) for hosts in (1, 2))
    ratio = one / two
    print(f"one host   {one / given.orders:6.2f} s a work order ({given.orders} in {one:.0f} s)")
    print(f"two hosts  {two / given.orders:6.2f} s a work order ({given.orders} in {two:.0f} s)")
    print(f"ratio      {ratio:6.2f} (target {TARGET})")
    return 0 if ratio >= TARGET else 1


def teach(here: Site, wait: float) -> None:
    """Let the model's double take its time, propose a harmless reply and accept it."""
    here.control.fault("model", "latency", seconds=wait)
    here.control.answer_model({"acceptable": True, "findings": []}, contains="acceptable")
    reply = "We have received your question about your order."
    answer = {"body": reply, "claims": [], "answered": [1], "decline": None}
    here.control.answer_model(answer, contains="decline")


def seconds(here: Site, hosts: int, orders: int, *, first: int) -> float:
    """From the mails' arrival until the last one was handed to the ledger or a person."""
    with ExitStack() as working:
        for host in here.hosts[:hosts]:
            working.enter_context(host.working())
        here.mails(first, WARM)
        wait_for(lambda: here.decided(first) == WARM, "warm workers")
        here.mails(first + WARM, orders)
        began = time.monotonic()
        wait_for(lambda: here.decided(first) == WARM + orders, "the work")
        return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
