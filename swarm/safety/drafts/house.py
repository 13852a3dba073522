"""Whose an address, host, number or code is: the house's own, the record's, or anybody's.

The house's own is what its settings and its approved policies name. An order number on an approved
record, or one the customer wrote, may be repeated; an address, telephone or account number of the
mail may not, whoever wrote it (ES-11). What we wrote ourselves in the conversation is a record.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from swarm.models import Context, EvidenceKind, Received
from swarm.patterns import linear
from swarm.safety.enclosures import ATTACHED, OURS

_PHONE = 6  # digits, at least
_NO_DIGIT = linear(r"\D")
_NUMBER = linear(r"[+(]?\d[\d ()/.\u00a0-]{4,40}")
_JOINS = frozenset("@.-_")


@dataclass(frozen=True, slots=True)
class House:
    """What is known of the house and of the record, in lower case; numbers as digits only."""

    contacts: tuple[str, ...]
    policies: str
    record: str
    theirs: str

    def owns_address(self, address: str) -> bool:
        """Whether a mail address is the house's own."""
        domain = address.rpartition("@")[2]
        named = address in self.contacts or _stands_in(address, self.policies)
        return named or self.owns_host(domain)

    def owns_host(self, host: str) -> bool:
        """Whether a host is the house's own, or below it."""
        domains = (one.lstrip("*@.") for one in self.contacts if "@" not in one.lstrip("@"))
        return _stands_in(host, self.policies) or any(
            host == one or host.endswith("." + one) for one in domains if "." in one
        )

    def owns_number(self, digits: str) -> bool:
        """Whether a number is the house's own telephone or account."""
        written = (*self.contacts, *_NUMBER.findall(self.policies))
        own = (_digits(one) for one in written)
        return any(one.endswith(digits.lstrip("0")) for one in own if len(one) >= _PHONE)

    def recorded(self, what: str) -> bool:
        """Whether an approved record names it, with or without its punctuation."""
        digits = _digits(what)
        return what.lower() in self.record or (bool(digits) and digits in _digits(self.record))


def house_of(
    contacts: Sequence[str], allow_list: Sequence[str], context: Context | None, received: Received
) -> House:
    """Put together whose is what, for one work order."""
    order = received.work_order
    evidence = context.evidence if context else ()
    policies = (e.text for e in evidence if e.kind is EvidenceKind.POLICY)
    record = (
        f"{e.title}\n{e.text}"
        for e in evidence
        if e.kind is EvidenceKind.CRM_FIELD or e.source == OURS
    )
    attached = (e.text for e in evidence if e.source == ATTACHED)
    return House(
        contacts=tuple(one.lower() for one in (*contacts, *allow_list, order.ref.mailbox) if one),
        policies="\n".join(policies).lower(),
        record="\n".join(record).lower(),
        theirs="\n".join((received.text, received.quoted, order.subject, *attached)),
    )


def _stands_in(name: str, text: str) -> bool:
    """Whether an address or host stands in a text as a whole, not as the end of a longer one."""
    at = text.find(name) if name else -1
    while at >= 0:
        before, behind = text[:at][-1:], text[at + len(name) :][:2]
        longer = behind[:1] == "." and behind[1:].isalnum()
        if not (before.isalnum() or before in _JOINS or behind[:1].isalnum() or longer):
            return True
        at = text.find(name, at + 1)
    return False


def _digits(text: str) -> str:
    return _NO_DIGIT.sub("", text)
