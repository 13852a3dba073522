"""Today's sender behind the shared ledger: through it while Postgres answers, else under a lease.

What lives elsewhere: the ledger and its protocol (``swarm.publishing``), the program that reads the
outbox (``swarm.legacy.publish_sender``).
"""
