"""Words of a prompt that must not come back: its canary and the boundary around foreign text."""

from collections.abc import Iterator

from swarm.safety.spotlight import gives_away


def echoes(text: str, key: str) -> Iterator[str]:
    """Say that a prompt is repeated, in whatever case and with whatever between its letters."""
    if gives_away(key, text):
        yield "words of the prompt come back in the reply"
