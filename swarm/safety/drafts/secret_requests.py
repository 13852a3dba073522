"""What no house asks for by mail: passwords, codes, card and bank data, papers, hasty money."""

from collections.abc import Iterator

from swarm.safety.drafts.phrases import labels
from swarm.safety.words import words_of


def secret_requests(text: str) -> Iterator[str]:
    """Say what a reply asks for and must not."""
    yield from labels("secret", words_of(text))
