"""People at the mailbox do what people do, before anybody had a look."""

from random import Random

from weather.faults.services import ask
from weather.house import NotNow
from weather.kinds import Undo, World, kind, nothing


def _some_draft(world: World, chance: Random) -> dict[str, object]:
    drafts = ask(world, "drafts", folder="drafts")
    assert isinstance(drafts, list)
    if not drafts:
        raise NotNow("no draft lies there")
    found = chance.choice(drafts)
    assert isinstance(found, dict)
    return found


@kind("T41")
def draft_edited_by_a_person(world: World, chance: Random) -> Undo:
    draft = _some_draft(world, chance)
    ask(world, "human", "edit", draft["id"], body_html="<p>I will look into it myself.</p>")
    return nothing


@kind("T41")
def draft_sent_by_a_person(world: World, chance: Random) -> Undo:
    ask(world, "human", "send", _some_draft(world, chance)["id"])
    return nothing


@kind("T41")
def draft_moved_by_a_person(world: World, chance: Random) -> Undo:
    ask(world, "human", "move", _some_draft(world, chance)["id"], folder="archive")
    return nothing


@kind("T41")
def draft_thrown_away_by_a_person(world: World, chance: Random) -> Undo:
    ask(world, "human", "delete", _some_draft(world, chance)["id"])
    return nothing


@kind("T41")
def draft_purged_by_a_person(world: World, chance: Random) -> Undo:
    """Gone for good: held when nobody had found it yet, else the audit names it."""
    draft = _some_draft(world, chance)
    done = ask(world, "deliveries")
    assert isinstance(done, list)
    keys = [each["payload"]["idempotency_key"] for each in done if each["draft_id"] == draft["id"]]
    for key in keys:
        world.excuses.expect("confirmed_without_draft", str(key), "purged by a person")
    ask(world, "human", "purge", draft["id"])
    return nothing
