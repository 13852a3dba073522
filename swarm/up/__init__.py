"""``swarm up``: one machine, every process of the installation under one supervisor.

What lives here: where files lie (``home``), the environment of the children (``urls``,
``environment``), starting, watching and stopping processes (``leash``, ``processes``,
``supervisor``, ``programs``, ``keeper``), feeding mails (``feeding``) and the live picture
(``progress``, ``view``). ``boot`` puts them together. What does not: anything the processes do.
"""
