"""The support lead's desk: a small web page over what waits for people. Reads; sends nothing.

Served on loopback; the login is the proxy's in front of it (``deploy/``). What lives elsewhere: the
same in a terminal (``swarm.cli.review``), one work order as data (``swarm.observe.dossier``).
"""
