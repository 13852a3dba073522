"""Random weather: a real installation, normal mail, and faults drawn at random over it.

`make soak MINUTES=30 SEED=7` runs it; ``docs/faults.md`` says which fault of the table each kind
is. One file per group of faults in ``faults/``; a kind is one function that does the damage and
returns what ends it. What lives elsewhere: faults one by one, each with its own proof
(`make faults`, ``tests/faults``).
"""
