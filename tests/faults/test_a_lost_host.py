"""Two worker hosts over a real Redis, Postgres over TCP; one of them loses its power under load.

Nothing it had in hand is lost, nothing is drafted twice, and the audit is clean. Each host has a
network, a host name and a table of processes of its own; see ``tests/support/hosts.py``.
"""

from collections import Counter

import pytest
from hosts import WHY_NOT, site, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]

ORDERS = 24
# Short leases, so that a lost host is noticed within seconds; everything else as shipped.
PACE = {
    "QUEUE_LEASE_SECONDS": "8",
    "QUEUE_HEARTBEAT_SECONDS": "2",
    "QUEUE_BACKOFF_BASE_SECONDS": "1",
    "QUEUE_REQUEST_TIMEOUT_SECONDS": "20",
    "QUEUE_MAX_FAILURES": "8",
}


def test_the_work_of_a_host_that_lost_its_power_is_done_by_the_other() -> None:
    with site(2, PACE) as here:
        staying, lost = here.hosts
        with staying.working(), lost.working() as worker:
            here.mails(0, ORDERS)
            names = {staying.network.name, lost.network.name}
            wait_for(lambda: names <= here.hosts_that_worked(), "both hosts to work")
            wait_for(lambda: here.final() >= 4, "load")
            lost.lose(worker)
            wait_for(lambda: here.final() == ORDERS, "all work orders to end")
        audit = here.audit()
        assert audit.returncode == 0, audit.stdout + audit.stderr
        keys = Counter(each["payload"]["idempotency_key"] for each in here.control.deliveries())  # type: ignore[index,call-overload]
        assert len(keys) >= ORDERS // 2, "most are harmless and published"
        assert max(keys.values()) == 1, "one POST a work order"
