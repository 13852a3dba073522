"""Ways to reach somebody: addresses, hosts, channels, of any spelling; numbers are beside (ES-11).

What is not the house's own does not leave in a draft, not even when the customer wrote it: a reply
that repeats an address of the mail lends it the house's name.
"""

import re
from collections.abc import Iterator

from swarm.patterns import linear
from swarm.safety.drafts.disguises import names_in_disguise
from swarm.safety.drafts.house import House
from swarm.safety.drafts.numbers import number_findings, spelled_figures
from swarm.safety.drafts.spelling import (
    letters_apart,
    names_a_sign,
    read_aloud,
    scripts_mixed,
)

_ADDRESS = linear(r"[\w.+-]{0,64}@[\w.-]{1,200}")
_HOST = linear(
    r"(?<![\w@.-])(?=[\w-]{0,62}[^\W\d_])(?:[\w-]{2,63}\.){1,6}(?P<ending>[^\W\d_]{2,24})(?!\w)"
    r"(?P<path>/?)"
)
_SHORT_HOST = linear(r"(?<![\w@.-])[^\W\d_]\.[a-z]{2,3}/\w", re.IGNORECASE)  # "z.Hd." is none
_FILE = linear(
    r"(?:pdf|docx?|xlsx?|pptx?|od[ts]|txt|csv|jpe?g|png|gif|heic|zip|eml|msg|html?)", re.IGNORECASE
)
_ABBREVIATED = linear(
    r"(?:art|kd|tel|best|rg|auftr|bestell|kunden|order|inv)\.(?:nr|no)", re.IGNORECASE
)
_CHANNEL = linear(
    r"\b(?:(?:whats ?app|telegram|instagram|facebook|messenger|signal-?(?:kanal|gruppe))\w{0,12}"
    r"|we ?chat|viber|discord|snapchat|tik ?tok|threema|skype|insta|linkedin"
    r"|signal (?:app|group|chat|messenger)"
    r"|(?:on|via|per|par|por|sur|op|em|su|bei|over|auf|tramite) signal|line id|imessage"
    r"|t\.me|wa\.me"
    r"|bitcoin|btc|ethereum|usdt|wallet address|western union|moneygram|pay ?pal\.me|cash ?app"
    r"|venmo|zelle|bizum|tikkie|mb ?way)\b",
    re.IGNORECASE,
)


def contact_findings(text: str, house: House) -> tuple[str, ...]:
    """Say which ways to reach somebody are not the house's own; empty means none."""
    plain = read_aloud(text)
    found = (
        *_addresses(plain, house),
        *_channels(plain, house),
        *number_findings(plain, house),
        *_hidden(text, plain),
    )
    return tuple(dict.fromkeys(found))


def _addresses(plain: str, house: House) -> Iterator[str]:
    addresses = [found.group().strip(".-_").lower() for found in _ADDRESS.finditer(plain)]
    if not all(house.owns_address(one) for one in addresses):
        yield "an address or handle that is not the house's own"
    foreign = any(_is_foreign(found, house) for found in _HOST.finditer(plain))
    if foreign or _SHORT_HOST.search(plain):
        yield "a host that is not the house's own"


def _is_foreign(found: re.Match[str], house: House) -> bool:
    host = found.group().removesuffix("/")
    # With a path it is neither: "zip" and "no" are endings of hosts as well.
    if not found["path"] and (_ABBREVIATED.fullmatch(host) or _FILE.fullmatch(found["ending"])):
        return False
    return not house.owns_host(host.lower())


def _channels(plain: str, house: House) -> Iterator[str]:
    channels = {found.group().lower() for found in _CHANNEL.finditer(plain)}
    if names_in_disguise(plain) or any(channel not in house.policies for channel in channels):
        yield "a channel or wallet that is not the house's own"


def _hidden(text: str, plain: str) -> Iterator[str]:
    if names_a_sign(text):
        yield "an address is spelled out"
    if letters_apart(plain):
        yield "a word or number is written letter by letter"
    if scripts_mixed(plain) or "xn--" in plain.lower():
        yield "letters of other scripts stand in a word"
    if spelled_figures(text):
        yield "a number is spelled figure by figure"
