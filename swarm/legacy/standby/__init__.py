"""Today's path standing by after a cutover: its heartbeats, its daily proof, and the countdown.

What lives elsewhere: the programs that must live (``swarm.legacy``), the switch itself
(``swarm.publishing.switch``).
"""
