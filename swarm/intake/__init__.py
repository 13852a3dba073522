"""From the intake stream to work orders, and from a mail's body to what its sender wrote.

Two halves: reading ``work_orders.jsonl`` without loss or doubles (``stream``, ``line``, ``ledger``,
``ingest``, ``replay``, ``audit``), and cleaning a mail for judgement (``cleaning`` and what it
calls). The writers of the stream live in ``swarm.legacy``; they share a JSON Schema with us, no
code.
"""
