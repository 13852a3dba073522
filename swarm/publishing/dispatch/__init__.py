"""What moves publications on: hand over, look, claim, post once, record, reap, reconcile, sweep.

One ``round`` does all of it. Everything a publisher needs from outside is in ``deps``; no module
here reads a setting or makes a client. What lives elsewhere: the rows and their transitions
(``swarm.publishing.ledger``), the rules of the last look (``swarm.safety.preflight_rules``).
"""
