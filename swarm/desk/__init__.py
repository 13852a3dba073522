"""The support lead's desk: a small web page over what waits for people. Reads; sends nothing.

Served on loopback; the login is the front door's (``deploy/``), which also names the person. One
act changes something: acknowledging an escalation. What lives here: routes (``app``), what is let
in and out (``doors``), who is asking (``person``), pages (``templates``, ``desk.css``), one work
order as a story (``story``). What lives elsewhere: every question to the database
(``swarm.observe.review``), the same in a terminal (``swarm.cli.review``), one work order as data
(``swarm.observe.dossier``).
"""
