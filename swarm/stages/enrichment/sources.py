"""Asking Outlook and monday.com, one function a question; the answer always says how it came about.

A source that cannot be asked is UNAVAILABLE with a sentence, never an empty MISS: a rule downstream
must be able to tell "this customer is unknown" from "nobody could look". Clients retry idempotent
reads themselves; nothing is retried here.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from swarm.errors import DatabaseUnavailableError, RemoteRefusedError, TransientError
from swarm.models import CrmItem, CrmUpdate, Lookup, Noun, Thread, in_conversation_order
from swarm.stages.services import Services

T = TypeVar("T")


class Items(Noun):
    """What the contact or deals subagent brought back."""

    lookup: Lookup
    detail: str = ""
    items: tuple[CrmItem, ...] = ()


class Updates(Noun):
    """What the updates subagent brought back."""

    lookup: Lookup
    detail: str = ""
    items: tuple[CrmUpdate, ...] = ()


def read_thread(services: Services, conversation_id: str | None) -> Thread:
    """Return the conversation oldest first without drafts; ``head_message_id`` is its newest."""
    now, outlook = services.clock(), services.outlook
    if outlook is None:
        return Thread(lookup=Lookup.UNAVAILABLE, detail="Outlook is not attached", taken_at=now)
    if conversation_id is None:
        return Thread(lookup=Lookup.MISS, detail="the mail names no conversation", taken_at=now)
    found, problem = _ask("Outlook", lambda: outlook.conversation(conversation_id))
    if found is None:
        return Thread(lookup=Lookup.UNAVAILABLE, detail=problem, taken_at=now)
    messages = in_conversation_order(found)
    return Thread(
        lookup=Lookup.HIT if messages else Lookup.MISS,
        messages=messages,
        head_message_id=messages[-1].message_id if messages else None,
        taken_at=now,
    )


def read_contacts(services: Services, addresses: Sequence[str]) -> Items:
    """Return the contacts that carry one of the addresses."""
    monday = services.monday
    if monday is None:
        return Items(lookup=Lookup.UNAVAILABLE, detail="monday.com is not attached")
    found, problem = _ask("monday.com contacts", lambda: monday.contacts_by_email(addresses))
    return _items(found, problem)


def read_deals(services: Services, contact_ids: Sequence[str]) -> Items:
    """Return the deals of these contacts."""
    monday = services.monday
    if monday is None:
        return Items(lookup=Lookup.UNAVAILABLE, detail="monday.com is not attached")
    found, problem = _ask("monday.com deals", lambda: monday.deals_of(contact_ids))
    return _items(found, problem)


def read_updates(services: Services, item_ids: Sequence[str]) -> Updates:
    """Return the notes on these items, newest first."""
    monday = services.monday
    if monday is None:
        return Updates(lookup=Lookup.UNAVAILABLE, detail="monday.com is not attached")
    found, problem = _ask("monday.com updates", lambda: monday.updates_of(item_ids))
    if found is None:
        return Updates(lookup=Lookup.UNAVAILABLE, detail=problem)
    return Updates(lookup=Lookup.HIT if found else Lookup.MISS, items=tuple(found))


def _items(found: Sequence[CrmItem] | None, problem: str) -> Items:
    if found is None:
        return Items(lookup=Lookup.UNAVAILABLE, detail=problem)
    return Items(lookup=Lookup.HIT if found else Lookup.MISS, items=tuple(found))


def _ask(source: str, question: Callable[[], T]) -> tuple[T | None, str]:
    try:
        return question(), ""
    except DatabaseUnavailableError:
        raise
    except (TransientError, RemoteRefusedError) as error:
        # The kind of error only: a remote message may hold addresses or ids.
        return None, f"{source} could not be read ({type(error).__name__})"
