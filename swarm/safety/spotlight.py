"""The two words that hang on an opaque work-order key and that no stranger can guess (ES-12): the
boundary around foreign text in a prompt, and the canary in it. Neither ever stands in a reply."""

import hashlib
import unicodedata


def boundary_of(key: str) -> str:
    """Return the word that begins and ends every block of foreign text."""
    return _secret("boundary", key)


def canary_of(key: str) -> str:
    """Return the reference a model is told never to repeat."""
    return f"ref-{_secret('canary', key)}"


def never_said(key: str) -> tuple[str, ...]:
    """Return the letters that give a prompt away, lower case and without punctuation."""
    return (_secret("boundary", key), _secret("canary", key))


def gives_away(key: str, text: str) -> bool:
    """Whether a text repeats one of them, in any case, with anything between its letters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(letter for letter in plain if letter.isalnum())
    return any(word in letters for word in never_said(key))


def _secret(use: str, key: str) -> str:
    return hashlib.sha256(f"{use}:{key}".encode()).hexdigest()[:16]
