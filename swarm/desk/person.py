"""Who is asking: the name the front door puts into a header, which it must overwrite.

The desk listens on loopback, so nobody but the door (and programs of this machine) can say it. No
name, two names or an odd one is nobody: then the pages read, and show the command instead of a
form.
"""

from starlette.requests import Request

from swarm.observe.review.acknowledging import LONGEST_NAME


def person(request: Request, header: str) -> str | None:
    """Return the name of the person, or None when the front door names nobody."""
    said = request.headers.getlist(header)
    name = " ".join(said[0].split()) if len(said) == 1 else ""
    plain = name.isascii() and name.isprintable() and len(name) <= LONGEST_NAME
    return name if name and plain else None
