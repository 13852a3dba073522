"""Turning a passed work order into exactly one Outlook draft, over two publishers and a switch.

The publisher switch (``control``, ``switch``), the publication ledger (``enqueue``, ``claim``,
``record``, ``finals``), what moves it on (``dispatcher``, ``reaper``, ``reconciler``, ``tick``),
and today's sender behind the same ledger (``legacy_shim``). What lives elsewhere: the HTTP clients
(``swarm.clients``), the safety rules (``swarm.safety``), any judgement. Nothing in here can send.
"""
