"""The Dagster surface: scheduler, lineage and screen over the plain Python in ``swarm``.

What lives here: assets, checks, sensors, jobs, resources and what ``dagster.yaml`` names. What does
not: any thinking, any rule, any SQL about our tables. Postgres is the ledger; nothing here is
relied upon for "none lost, none twice".
"""

import swarm  # noqa: F401 - before Dagster connects or langchain is loaded: see swarm.surroundings
