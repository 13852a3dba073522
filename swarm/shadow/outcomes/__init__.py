"""What the comparison is made of: what today's path decided, and what people did.

``legacy_line``, ``legacy_stream``: today's outbox into ``legacy_outcomes``, by the intake's own
reader; ``accounted``: which are missing. ``judged``: what a look into the mailbox means.
``looking``: the round that looks. What lives elsewhere: the rows (``swarm.store.reply_outcomes``),
when two texts are the same (``swarm.shadow.likeness``), setting them side by side.
"""
