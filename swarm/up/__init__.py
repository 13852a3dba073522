"""``swarm up``: one machine, every process of the installation under one supervisor.

What lives here: starting, watching and stopping processes (``processes``, ``supervisor``,
``programs``), the server that most of them are forked from (``fork_server``), the database's keeper
(``postgres_keeper``, ``postgres_server``) and the live picture (``progress``, ``view``).
``boot`` puts them together. What does not: anything the processes do, and where an installation's
files lie (``swarm.installation``).
"""
