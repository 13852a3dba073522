"""Turning a passed work order into exactly one Outlook draft, over two publishers and a switch.

``control`` is who may publish, and the lock that orders everything. ``ledger`` holds one row per
work order and every move of it; ``switch`` changes who is in office; ``dispatch`` moves the rows
on, up to the one POST. The protocol is told in ARCHITECTURE.md ("The publishing protocol").

What lives elsewhere: the HTTP clients (``swarm.clients``), the safety rules (``swarm.safety``), any
judgement, and today's sender behind the same ledger (``swarm.legacy.publishing``). Nothing in here
can send.
"""
