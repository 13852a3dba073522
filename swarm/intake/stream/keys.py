"""The opaque work-order key: the only name of a work order outside our own tables."""

import base64
import hashlib
import hmac

KEY_LETTERS = 24  # 120 bits: no collision in any mailbox, and short enough to read aloud


def normalised_id(original_id: str) -> str:
    """Return the form in which two ids count as the same: trimmed, inner space joined, case folded.

    A variant that differs in nothing else would otherwise be a second work order and a second
    draft. Two truly different mails folded onto one id are held as a revision, never lost.
    """
    return " ".join(original_id.split()).casefold()


def work_order_key(secret: str, original_id: str) -> str:
    """Return ``wo_`` + 24 base32 letters of HMAC-SHA256(secret, normalised id)."""
    message = normalised_id(original_id).encode("utf-8", "surrogatepass")
    digest = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return "wo_" + base64.b32encode(digest).decode("ascii")[:KEY_LETTERS].lower()
