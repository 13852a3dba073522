"""The stages of a work order: nouns in, an artifact out.

``received``, ``tier``, ``policy`` and ``publish`` are one module each; ``enrichment`` (thread, crm,
context) and ``reply`` (draft, tone, fact, qa) are packages, because a graph stands behind each.
``pipeline`` runs all of them in one process, ``run_session`` is a run's hold on its work order.
What lives elsewhere: when a stage runs (Dagster), who thinks (``swarm.specialists``), the rules
(``swarm.safety``).
"""
