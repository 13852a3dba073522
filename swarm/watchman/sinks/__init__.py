"""The ways out of the house: each takes a message, or says why not. One module a way.

All of them go to the one configured place, follow no redirect, end in time and read a bounded
answer. No address or key of theirs stands in an error or a log. What lives elsewhere: what is told
(``swarm.watchman.messages``), when, and what if it fails (``swarm.watchman.delivery``).
"""
