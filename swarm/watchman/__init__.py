"""The watchman: one small program that looks after all the others and can tell the outside.

It delivers alerts (`delivery`), sees whether Dagster still works (`watches`), answers /metrics,
/healthz and /readyz on a port of its own, and beats the heartbeat an outside service misses. It
leans on nothing of Dagster's: what it must report is that Dagster is dead. What lives elsewhere:
who finds trouble (every room, ``swarm.store.alerts``), the numbers (``swarm.observe.metrics``).
"""
