"""Asking Outlook and monday.com, one function a question; the answer always says how it came about.

A source that cannot be asked is UNAVAILABLE with a sentence, never an empty MISS: a rule downstream
must be able to tell "this customer is unknown" from "nobody could look". The same goes for a part
that could not be read: nothing found beside a gap is not a miss. Clients retry idempotent reads
themselves; nothing is retried here.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from swarm.clients.lenient import gaps_of, parts_of, told
from swarm.errors import (
    DatabaseUnavailableError,
    RateLimitedError,
    RemoteRefusedError,
    SwarmError,
    TransientError,
)
from swarm.models import CrmItem, CrmUpdate, Lookup, Noun, Thread, in_conversation_order
from swarm.stages.services import Services

T = TypeVar("T")


class Items(Noun):
    """What the contact or deals subagent brought back."""

    lookup: Lookup
    detail: str = ""
    items: tuple[CrmItem, ...] = ()
    complete: bool = True


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
    messages, gaps = in_conversation_order(found), gaps_of(found)
    return Thread(
        # What could not be read may be the newest message, or a colleague's answer: nobody may
        # take the rest for the conversation.
        lookup=Lookup.UNAVAILABLE if gaps else Lookup.HIT if messages else Lookup.MISS,
        detail=told(gaps),
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
    return Updates(lookup=_lookup(found), detail=_detail("monday.com", found), items=tuple(found))


def _items(found: Sequence[CrmItem] | None, problem: str) -> Items:
    if found is None:
        return Items(lookup=Lookup.UNAVAILABLE, detail=problem)
    return Items(
        lookup=_lookup(found),
        detail=_detail("monday.com", found),
        items=tuple(found),
        complete=not gaps_of(found),
    )


def _lookup(found: Sequence[object]) -> Lookup:
    """Return HIT, and MISS only when everything that was listed could be read."""
    if found:
        return Lookup.HIT
    return Lookup.UNAVAILABLE if gaps_of(found) else Lookup.MISS


def _detail(source: str, found: Sequence[object]) -> str:
    said = told((*gaps_of(found), *parts_of(found)))
    return f"{source}: {said}" if said else ""


def _ask(source: str, question: Callable[[], T]) -> tuple[T | None, str]:
    try:
        return question(), ""
    except DatabaseUnavailableError:
        raise
    except (TransientError, RemoteRefusedError) as error:
        return None, f"{source} could not be read: {_why(error)}"


def _why(error: SwarmError) -> str:
    """Say what happened in words of ours: a remote message may hold addresses or ids."""
    status = f" (HTTP {error.http_status})" if error.http_status else ""
    if isinstance(error, RateLimitedError):
        return f"it asks us to wait{status}"
    if isinstance(error, RemoteRefusedError):
        return f"it turned us away{status}"
    return f"it did not answer{status}"
