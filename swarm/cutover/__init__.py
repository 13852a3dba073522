"""The proof that allows a cutover: readiness report, gates, certificate, and the watch afterwards.

What lives elsewhere: the comparisons it is made of (``swarm.shadow``), the switch itself
(``swarm.publishing.switch``), the Dagster surface (``swarm_assets.assets.readiness``).
"""
