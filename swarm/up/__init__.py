"""``swarm up``: one machine, every process of the installation under one supervisor.

What lives here: starting, watching and stopping processes (``die_with_parent``, ``processes``,
``supervisor``, ``programs``, ``postgres_keeper``) and the live picture (``progress``, ``view``).
``boot`` puts them together. What does not: anything the processes do, and where an installation's
files lie (``swarm.installation``).
"""
