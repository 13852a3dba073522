"""The visible reference line at the foot of every draft: how we find it again in the mailbox.

It is part of the draft's bytes from the start, so what is approved is what is published (ES-17). It
serves the customer too: quoted in an answer, it leads straight to the work order.
"""

_LENGTH = 8  # base32 characters = 40 bits; the search is within one conversation anyway


def reference(key: str) -> str:
    """Return the short reference of a work order, e.g. ``SW-ABCDEFGH``."""
    return "SW-" + key.removeprefix("wo_")[:_LENGTH].upper()


def draft_marker(key: str) -> str:
    """Return the line a draft must carry as its last, in text and HTML alike."""
    return f"Ref: {reference(key)}"
