"""Taking an installation out of the house and bringing it back: ``swarm backup``, ``restore``,
``reconcile``.

``manifest`` says what a backup is, ``taking`` makes one, ``restoring`` fills an empty home with it,
``reconciling`` compares what came back with the mailbox. Until that is done nobody publishes
(``swarm.store.restored``). What is never in a backup: the secrets of services, passwords of the
database, logs, and what is made anew at every start.
"""
