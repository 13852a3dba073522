"""Invented sample mails that ``swarm up`` feeds on its first start, and how to read them.

Every person, company and order number here is made up. Each file shows one path through the system;
its ``X-Shows`` header says which.
"""

from importlib import resources


def mails() -> tuple[tuple[str, bytes], ...]:
    """Return (file name, raw MIME) of each sample, in name order."""
    folder = resources.files(__name__)
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".eml")), key=lambda f: f.name)
    return tuple((f.name, f.read_bytes()) for f in files)
