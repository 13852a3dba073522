"""HTML of foreign origin, looked at before a parser is trusted with it. Plain strings, no tree.

Who reads HTML asks here first: the mail's body (``swarm.intake.mail.html_text``) and the messages
of its conversation (``swarm.clients.outlook_messages``). What is visible is decided there.
"""

from swarm.patterns import linear

MAX_DEPTH = 500  # 200,000 nested <div> cost lexbor 167 s: HTML's scope rules are quadratic in depth
MAX_REPEATED = 200_000  # elements a parser makes by re-opening an unclosed <font> in each block

_TAG = linear(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})")
_WHOLE_TAG = linear(r"<[^<>]{0,2000}>")
_CHILDLESS = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "col", "area", "base", "embed", "wbr", "param"}
    # these end by themselves when the next of their kind begins
    | {"p", "li", "td", "th", "tr", "tbody", "thead", "tfoot", "option", "dd", "dt"}
)  # fmt: skip
_REOPENED = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt",
     "u"}
)  # fmt: skip


def made_to_exhaust(html: str) -> bool:
    """Whether parsing this would take time or memory out of proportion; looks at tags only."""
    depth = reopened = repeated = 0
    for closing, name in _TAG.findall(html):
        tag = name.lower()
        step = -1 if closing else 1
        if tag in _REOPENED:
            reopened = max(0, reopened + step)
        elif not closing:
            repeated += reopened
        if tag not in _CHILDLESS:
            depth = max(0, depth + step)
        if depth > MAX_DEPTH or repeated > MAX_REPEATED:
            return True
    return False


def tags_dropped(html: str) -> str:
    """Everything between the tags, hidden text too, each piece on a line of its own."""
    lines = (" ".join(line.split()) for line in _WHOLE_TAG.sub("\n", html).split("\n"))
    return "\n".join(line for line in lines if line)
