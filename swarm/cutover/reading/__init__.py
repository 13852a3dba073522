"""Reading the report: one snapshot, everything counted in it, nothing judged.

``snapshot`` opens it, ``comparisons`` reads the many rows with pandas, the others ask the tables.
``reader`` puts the report together. Judging is elsewhere (``swarm.cutover.gates``).
"""
