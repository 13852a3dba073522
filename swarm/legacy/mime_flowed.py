"""``format=flowed`` (RFC 3676): soft line ends joined again, as the sender's program showed."""

_SIGNATURE = "-- "


def unflowed(text: str, *, delsp: bool) -> str:
    """Join soft lines of one quote depth; ``delsp``: the blank at their end is no part of them."""
    pieces: list[str] = []
    going_on: int | None = None  # quote depth of a line that goes on; None: the next stands alone
    for raw in text.split("\n"):
        depth = len(raw) - len(raw.lstrip(">"))
        line = raw[depth:].removeprefix(" ")  # stuffed, or the blank behind the quote signs
        soft = line.endswith(" ") and line != _SIGNATURE
        joins = going_on == depth and line != _SIGNATURE
        mark = f"{'>' * depth} " if depth else ""
        pieces.append(("" if joins else f"\n{mark}") + (line[:-1] if soft and delsp else line))
        going_on = depth if soft else None
    return "".join(pieces).removeprefix("\n")
