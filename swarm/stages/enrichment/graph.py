"""The enrichment graph: what Outlook and monday.com know, asked side by side.

    START -> outlook -------------------------------------------> merge -> END
    START -> coordinator -> contact -> deals, updates (parallel) -> merge

The coordinator decides what monday may be asked at all; a contact that is not surely one person
ends the branch, so that nobody else's deals are ever read. Four super-steps.
"""

from typing import TypedDict

from pydantic import JsonValue

from swarm.models import Crm, CrmItem, CrmUpdate, Lookup
from swarm.stages.enrichment.sources import (
    Items,
    Updates,
    read_contacts,
    read_deals,
    read_thread,
    read_updates,
)
from swarm.stages.plain_executor import GraphSpec
from swarm.stages.services import Services

Json = dict[str, JsonValue]


class EnrichmentState(TypedDict, total=False):
    """Plain JSON; every key has one writer, so there is no reducer to accumulate."""

    conversation_id: str | None
    customer: str
    addresses: list[str]
    thread: Json
    contact: Json
    deals: Json
    updates: Json
    crm: Json


def outlook(state: EnrichmentState, services: Services) -> EnrichmentState:
    """Read the conversation."""
    thread = read_thread(services, state.get("conversation_id"))
    return {"thread": thread.model_dump(mode="json")}


def coordinator(state: EnrichmentState, _services: Services) -> EnrichmentState:
    """Decide whom to look up: only the address the answer goes to (ES-09)."""
    return {"addresses": [state["customer"]] if state["customer"] else []}


def contact(state: EnrichmentState, services: Services) -> EnrichmentState:
    """Find the contact."""
    return {"contact": read_contacts(services, state["addresses"]).model_dump(mode="json")}


def deals(state: EnrichmentState, services: Services) -> EnrichmentState:
    """Read the contact's deals."""
    return {"deals": read_deals(services, _contact_ids(state)).model_dump(mode="json")}


def updates(state: EnrichmentState, services: Services) -> EnrichmentState:
    """Read the notes on the contact."""
    return {"updates": read_updates(services, _contact_ids(state)).model_dump(mode="json")}


def merge(state: EnrichmentState, services: Services) -> EnrichmentState:
    """Put the three parts together, each with its own look-up result."""
    found = Items.model_validate(state["contact"]) if "contact" in state else _nobody_to_look_up()
    # What nobody asked for is a miss when the contact is known to be absent or unclear, and
    # unavailable when the contact itself, or one more of them, could not be read.
    unread = found.lookup is Lookup.UNAVAILABLE or not found.complete
    unasked = Lookup.UNAVAILABLE if unread else Lookup.MISS
    deal_part = Items.model_validate(state.get("deals", {"lookup": unasked}))
    note_part = Updates.model_validate(state.get("updates", {"lookup": unasked}))
    crm = Crm(
        contact=found.lookup,
        deals=deal_part.lookup,
        updates=note_part.lookup,
        contacts=found.items,
        contacts_complete=found.complete,
        deal_items=_by_id(deal_part.items),
        update_items=_newest_first(note_part.items),
        detail="; ".join(p.detail for p in (found, deal_part, note_part) if p.detail),
        taken_at=services.clock(),
    )
    return {"crm": crm.model_dump(mode="json")}


def _after_coordinator(state: EnrichmentState) -> list[str]:
    return ["contact"] if state["addresses"] else ["merge"]


def _after_contact(state: EnrichmentState) -> list[str]:
    found = Items.model_validate(state["contact"])
    return ["deals", "updates"] if len(found.items) == 1 and found.complete else ["merge"]


def _contact_ids(state: EnrichmentState) -> list[str]:
    return [item.item_id for item in Items.model_validate(state["contact"]).items]


def _nobody_to_look_up() -> Items:
    return Items(lookup=Lookup.MISS, detail="there is no address to look up")


def _by_id(items: tuple[CrmItem, ...]) -> tuple[CrmItem, ...]:
    return tuple(sorted(items, key=lambda item: item.item_id))


def _newest_first(items: tuple[CrmUpdate, ...]) -> tuple[CrmUpdate, ...]:
    def age(item: CrmUpdate) -> tuple[float, str]:
        return (-(item.created_at.timestamp() if item.created_at else 0.0), item.update_id)

    return tuple(sorted(items, key=age))


ENRICHMENT = GraphSpec(
    name="enrichment",
    state=EnrichmentState,
    nodes={
        "outlook": outlook,
        "coordinator": coordinator,
        "contact": contact,
        "deals": deals,
        "updates": updates,
        "merge": merge,
    },
    start=("outlook", "coordinator"),
    routes={
        "outlook": ("merge",),
        "coordinator": _after_coordinator,
        "contact": _after_contact,
        "deals": ("merge",),
        "updates": ("merge",),
    },
    joins=frozenset({"merge"}),
)
