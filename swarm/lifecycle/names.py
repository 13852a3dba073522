"""Names of people, as mails say them: who is meant, and whether a sentence names him.

A name is compared word by word in any order, whatever stands between ("Quirk, Zenobia"). A single
short word, or one that half the mailbox is signed with, names nobody.
"""

from collections.abc import Iterable, Iterator, Mapping
from email.utils import parseaddr

from swarm.patterns import linear

_SHORTEST = 6  # letters of a name that is one word
_SAFE = 8  # letters of a name that is searched for everywhere
_WORDS = linear(r"[^\W_]+")

_ROLES = (
    "account accounting accounts admin assistant billing bestellung buchhaltung client "
    "contact customer customers delivery einkauf erasure forget helpdesk kontakt kunde kunden "
    "kundendienst kundenservice noreply office orders person postmaster privacy purchasing "
    "reason reply request returns sales service support system ticket vertrieb website "
    "webshop "
)
_NOBODY = frozenset(_ROLES.split())


def names_of(said: Mapping[str, object], addresses: Iterable[str]) -> Iterator[str]:
    """Yield how a mail calls those of its sender and Reply-To who have one of these addresses."""
    wanted, several = frozenset(addresses), said.get("reply_to")
    for party in (said.get("sender"), *(several if isinstance(several, list) else ())):
        name, address = _called(party)
        if name and address in wanted and name.casefold() != address:
            yield name


def names_one_of(said: str, people: Iterable[str]) -> bool:
    """Whether a sentence names one of these people."""
    words = _words(said)
    return any(_telling(_words(name)) and _words(name) <= words for name in people)


def safe_to_search(name: str) -> bool:
    """Whether a name is so much one person's that every place is searched for it."""
    words = _words(name)
    return len(words) > 1 and sum(map(len, words)) >= _SAFE and not words & _NOBODY


def _telling(words: frozenset[str]) -> bool:
    if len(words) > 1:
        return not words <= _NOBODY
    return all(len(word) >= _SHORTEST and word not in _NOBODY for word in words) and bool(words)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(text.casefold()))


def _called(party: object) -> tuple[str, str]:
    if isinstance(party, Mapping):
        name, address = party.get("name"), party.get("address")
    else:
        name, address = parseaddr(party) if isinstance(party, str) else ("", "")
    return (
        name.strip() if isinstance(name, str) else "",
        address.strip().casefold() if isinstance(address, str) else "",
    )
