"""Invented sample mails and answers that ``swarm up`` feeds on its first start; how to read them.

Every person, company and order number here is made up. Each file shows one path through the system;
its ``X-Shows`` header says which. The approved answers are laid into the home of a sandbox.
"""

from importlib import resources


def mails() -> tuple[tuple[str, bytes], ...]:
    """Return (file name, raw MIME) of each sample, in name order."""
    folder = resources.files(__name__)
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".eml")), key=lambda f: f.name)
    return tuple((f.name, f.read_bytes()) for f in files)


def approved_answers() -> tuple[tuple[str, bytes], ...]:
    """Return (file name, bytes) of each sample of the knowledge folder, in name order."""
    folder = resources.files(__name__) / "knowledge"
    return tuple((f.name, f.read_bytes()) for f in sorted(folder.iterdir(), key=lambda f: f.name))
