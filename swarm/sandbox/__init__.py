"""Local doubles of Microsoft Graph, monday.com, Zapier and an OpenAI-compatible model.

They speak the real protocols over real HTTP, refuse what the real services refuse, and keep their
state in SQLite, so that a killed and restarted sandbox has lost nothing it accepted. This package
imports nothing of the rest: a double that shares code with its client proves nothing. Start it with
``python -m swarm.sandbox --state DIR --port N``, or in a test with ``server.RunningSandbox``.
"""

from swarm.sandbox.addresses import MAILBOX, environment, model_environment

__all__ = ["MAILBOX", "environment", "model_environment"]
