"""Graph, monday.com, the hook and the model answer late, wrongly, or not at all.

The doubles misbehave over real HTTP (``swarm/sandbox``): what is accepted and never answered, is
answered and never done, or drips.
"""

from contextlib import suppress
from random import Random

import httpx

from weather.house import NotNow
from weather.kinds import Undo, World, kind, nothing

_TRIES = 2


def _on(
    world: World, service: str, fault: str, times: int | None = None, **options: object
) -> Undo:
    """Switch a fault on; what ends it switches off all of that service."""
    ask(world, "fault", service, fault, times=times, **options)

    def off() -> None:
        # Restarted doubles are healthy.
        with suppress(httpx.HTTPError), world.house.sandbox() as control:
            control.clear_faults(service)

    return off


def ask(world: World, what: str, *given: object, **named: object) -> object:
    for left in reversed(range(_TRIES)):
        try:
            with world.house.sandbox() as control:
                return getattr(control, what)(*given, **named)
        except httpx.HTTPError as error:
            if not left:
                raise NotNow("the doubles are away") from error
    return None


# --- Graph ----------------------------------------------------------------------------------------


@kind("T42", seconds=(10, 30), group="graph")
def mailbox_does_not_answer(world: World, chance: Random) -> Undo:
    return _on(world, "graph", "timeout", seconds=chance.uniform(5, 15))


@kind("T42", seconds=(10, 30), group="graph")
def mailbox_throttles(world: World, chance: Random) -> Undo:
    return _on(world, "graph", "status", status=429, retry_after=str(chance.randint(1, 8)))


@kind("T42", seconds=(10, 30), group="graph")
def mailbox_is_broken(world: World, chance: Random) -> Undo:
    return _on(world, "graph", "status", status=chance.choice((500, 502, 503, 504)))


@kind("T42", seconds=(10, 30), group="graph")
def mailbox_resets_connections(world: World, _: Random) -> Undo:
    return _on(world, "graph", "reset")


@kind("T42", seconds=(10, 30), group="graph")
def mailbox_drips(world: World, chance: Random) -> Undo:
    """A slow loris: headers at once, then a byte now and then."""
    return _on(world, "graph", "drip", seconds=chance.uniform(0.2, 2))


@kind("T42")
def mailbox_forgets_our_place(world: World, _: Random) -> Undo:
    ask(world, "configure", expire_delta=True)
    return nothing


@kind("T42", seconds=(5, 20), group="login")
def login_is_broken(world: World, _: Random) -> Undo:
    ask(world, "configure", revoke_tokens=True)
    return _on(world, "login", "status", status=503)


# --- monday.com -----------------------------------------------------------------------------------


@kind("T42", seconds=(10, 30), group="monday")
def crm_does_not_answer(world: World, chance: Random) -> Undo:
    return _on(world, "monday", "timeout", seconds=chance.uniform(5, 15))


@kind("T42", seconds=(10, 30), group="monday")
def crm_limits_us(world: World, chance: Random) -> Undo:
    return _on(
        world, "monday", chance.choice(("minute_limit", "complexity", "legacy")),
        retry_after=chance.randint(1, 8), retry_in=chance.randint(1, 8),
    )  # fmt: skip


@kind("T42", seconds=(10, 30), group="monday")
def crm_is_broken(world: World, chance: Random) -> Undo:
    return _on(world, "monday", chance.choice(("internal", "reset", "locked", "broken_root")))


# --- the hook -------------------------------------------------------------------------------------


@kind("T31", seconds=(10, 25), group="hook")
def hook_accepts_and_is_not_heard(world: World, chance: Random) -> Undo:
    """ExecuteAndTimeout: the draft comes, the answer does not."""
    return _on(world, "zapier", "timeout_after_accept", seconds=chance.uniform(21, 30))


@kind("T31", seconds=(10, 25), group="hook")
def hook_accepts_and_resets(world: World, _: Random) -> Undo:
    return _on(world, "zapier", "reset_after_accept")


@kind("T33", seconds=(10, 25), group="hook")
def hook_is_broken(world: World, chance: Random) -> Undo:
    return _on(world, "zapier", "status", status=chance.choice((500, 502, 503)))


@kind("T33", seconds=(10, 25), group="hook")
def hook_drips(world: World, chance: Random) -> Undo:
    return _on(world, "zapier", "drip", seconds=chance.uniform(0.2, 2))


@kind("T33", seconds=(10, 25), group="hook")
def hook_answers_nonsense(world: World, chance: Random) -> Undo:
    return _on(world, "zapier", chance.choice(("garbled", "silent")))


@kind("T32", seconds=(10, 25), group="hook")
def hook_throttles(world: World, chance: Random) -> Undo:
    return _on(world, "zapier", "status", status=429, retry_after=str(chance.randint(1, 10)))


@kind("T32", seconds=(10, 25), group="hook")
def hook_resets_before_it_accepts(world: World, _: Random) -> Undo:
    return _on(world, "zapier", "reset")


@kind("T34", seconds=(10, 25), group="hook")
def zap_is_late(world: World, chance: Random) -> Undo:
    """Answered at once, drafted much later; ten minutes scaled to the settling time here."""
    return _on(world, "zapier", "delay", seconds=chance.uniform(10, 35))


@kind("T63", group="hook")
def zap_loses_a_draft(world: World, chance: Random) -> Undo:
    _on(world, "zapier", chance.choice(("lose", "paused")), times=1)
    return nothing


@kind("T35", group="hook")
def zap_runs_twice(world: World, _: Random) -> Undo:
    """Two drafts of one POST: nothing of ours prevents it, and it must be told."""
    _on(world, "zapier", "duplicate", times=1)
    return nothing


@kind("T35")
def zap_is_replayed_by_a_person(world: World, chance: Random) -> Undo:
    done = ask(world, "deliveries")
    assert isinstance(done, list)
    old = [each for each in done if each["state"] == "drafted"]
    if not old:
        raise NotNow("nothing was delivered yet")
    ask(world, "replay", chance.choice(old)["id"])
    return nothing


# --- the model ------------------------------------------------------------------------------------


@kind("T57", seconds=(10, 40), group="model", thinker="model")
def model_does_not_answer(world: World, _: Random) -> Undo:
    return _on(world, "model", "timeout", seconds=40)


@kind("T57", seconds=(10, 40), group="model", thinker="model")
def model_throttles(world: World, chance: Random) -> Undo:
    return _on(world, "model", "status", status=429, retry_after=str(chance.randint(1, 10)))


@kind("T57", seconds=(10, 40), group="model", thinker="model")
def model_is_broken(world: World, chance: Random) -> Undo:
    how = chance.choice(("reset", "status"))
    return _on(world, "model", how, status=chance.choice((500, 503)))


@kind("T57", group="model", thinker="model")
def model_talks_nonsense(world: World, chance: Random) -> Undo:
    """For a few answers: one that nobody can use escalates its work order."""
    how = chance.choice(("garbage", "empty", "wrong_json", "truncated", "refusal"))
    _on(world, "model", how, times=3)
    return nothing


@kind("T57", seconds=(10, 40), group="model", thinker="model")
def model_drips(world: World, chance: Random) -> Undo:
    return _on(world, "model", "drip", seconds=chance.uniform(0.2, 2))
