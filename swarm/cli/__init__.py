"""The ``swarm`` command, one module per command group; ``app`` puts them together.

What lives here: arguments, printing and exit codes. What does not: anything a command does; that is
in the rooms it calls. Exit codes: 0 yes, 1 a clear no (breach found, not idle, escalated), 2 it
could not be done, with one line on stderr that says why and what helps.
"""

from swarm.cli.app import main

__all__ = ["main"]
