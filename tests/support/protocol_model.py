"""The publication protocol as an explicit-state model: one key, three workers, all that may happen.

One legacy and two swarm workers, flips, crashes, lost replies, unbounded pauses and a slow Zapier.
The search visits every reachable state. It shows that what we ship is safe and live, and that each
of the tempting short cuts is caught. Source: publishing protocol, section 10 (variants A to G).

Variants with a guard inside the Zap are not shipped. Not modelled, argued instead: PENDING_PAYLOAD.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

KINDS = ("legacy", "swarm", "swarm")
MAX_ATTEMPTS = 3
FLIPS = 2
CRASHES = 2

IDLE, DEAD_WORKER = ("idle", 0), ("dead", 0)
Worker = tuple[str, int]  # (what it is about to do, the fence it holds)


@dataclass(frozen=True)
class Variant:
    """The protocol, or a mutant of it."""

    reaper: Literal["proof", "age to ready", "age to unknown", "none"] = "proof"
    resend: Literal["never", "settled", "mailbox empty"] = "never"
    guard: bool = False
    hand_over: bool = True
    zapier_may_be_slower_than_settling: bool = True
    limit_uncertain_posts: bool = True


class State(NamedTuple):
    """One moment. ``queue`` holds the fences Zapier has accepted and not worked off."""

    ledger: str = "READY"
    publisher: str = "swarm"
    fence: int = 0
    owner: int | None = None
    uncertain: int = 0
    active: str = "swarm"
    workers: tuple[Worker, ...] = (IDLE, IDLE, IDLE)
    queue: tuple[int, ...] = ()
    delivered: int | None = None
    drafts: int = 0
    flips: int = FLIPS
    crashes: int = CRASHES


class Found(NamedTuple):
    """What an exhaustive search came to."""

    states: int
    duplicates: int
    stranded: int


def search(variant: Variant) -> Found:
    """Visit every reachable state; count states with two drafts, and ends that are no ends."""
    start = State()
    seen, frontier = {start}, [start]
    duplicates = stranded = 0
    while frontier:
        state = frontier.pop()
        if state.drafts > 1:
            duplicates += 1
            continue
        progress = [move for move in successors(state, variant) if move != state]
        if not progress and not is_end(state):
            stranded += 1
        for move in (*progress, *faults(state, variant)):
            if move not in seen:
                seen.add(move)
                frontier.append(move)
    return Found(len(seen), duplicates, stranded)


def is_end(state: State) -> bool:
    """CONFIRMED with its draft, or handed to a person with an alert."""
    return state.ledger in {"HELD", "DEAD"} or (state.ledger == "CONFIRMED" and state.drafts == 1)


def successors(state: State, variant: Variant) -> Iterator[State]:
    """Return what the system may do next by itself; an end must be reachable by these alone."""
    for index in range(len(KINDS)):
        yield from _worker_moves(state, index, variant)
    yield from _zapier_moves(state, variant)
    yield from _reap(state, variant)
    yield from _reconcile(state, variant)
    yield from _give_up(state)


def faults(state: State, variant: Variant) -> Iterator[State]:
    """Return what people and accidents may do next: a flip, a kill -9."""
    if state.flips:
        to = "legacy" if state.active == "swarm" else "swarm"
        flipped = state._replace(active=to, flips=state.flips - 1)
        hands_over = variant.hand_over and state.ledger == "READY"
        yield flipped._replace(publisher=to) if hands_over else flipped
    if state.crashes:
        crashed = state._replace(crashes=state.crashes - 1)
        for index, (doing, _) in enumerate(state.workers):
            if doing not in {"idle", "dead"}:
                yield _put(crashed, index, DEAD_WORKER)


def _worker_moves(state: State, index: int, variant: Variant) -> Iterator[State]:
    doing, fence = state.workers[index]
    if doing == "idle":
        yield from _claim(state, index)
    elif doing == "dead":
        yield _put(state, index, IDLE)  # restart
    elif doing == "claimed":
        arrived = state._replace(queue=tuple(sorted((*state.queue, fence))))
        yield _put(arrived, index, ("answered", fence))
        yield _put(arrived, index, ("timed out", fence))  # the reply was lost
        yield _put(state, index, ("timed out", fence))  # it never arrived
        yield _put(state, index, ("refused", fence))
    else:
        yield _put(_record(state, doing, fence, variant), index, IDLE)


def _claim(state: State, index: int) -> Iterator[State]:
    kind = KINDS[index]
    mine = state.ledger == "READY" and state.publisher == kind and state.active == kind
    if mine and state.fence < MAX_ATTEMPTS:
        fence = state.fence + 1
        claimed = state._replace(ledger="SENDING", fence=fence, owner=index)
        yield _put(claimed, index, ("claimed", fence))


def _record(state: State, doing: str, fence: int, variant: Variant) -> State:
    if state.ledger != "SENDING" or state.fence != fence:
        return state  # fenced off
    if doing == "refused":
        return _ready(state, variant)
    ledger = "ACCEPTED" if doing == "answered" else "UNKNOWN"
    return state._replace(ledger=ledger, uncertain=state.uncertain + 1)


def _ready(state: State, variant: Variant) -> State:
    publisher = state.active if variant.hand_over else state.publisher
    return state._replace(ledger="READY", publisher=publisher, owner=None)


def _zapier_moves(state: State, variant: Variant) -> Iterator[State]:
    for fence in set(state.queue):
        queue = list(state.queue)
        queue.remove(fence)
        after = state._replace(queue=tuple(queue))
        if not variant.guard:
            yield after._replace(drafts=state.drafts + 1)
        elif state.delivered is None and state.fence == fence:
            yield after._replace(drafts=state.drafts + 1, delivered=fence)
        else:
            yield after  # the guard drops it


def _reap(state: State, variant: Variant) -> Iterator[State]:
    if state.ledger != "SENDING" or state.owner is None:
        return
    if variant.reaper == "age to ready":
        yield _ready(state, variant)
    elif variant.reaper == "age to unknown":
        yield state._replace(ledger="UNKNOWN", uncertain=state.uncertain + 1)
    elif variant.reaper == "proof":
        unknown = state._replace(ledger="UNKNOWN", uncertain=state.uncertain + 1)
        holds = state.workers[state.owner][1] == state.fence
        yield _put(unknown, state.owner, DEAD_WORKER) if holds else unknown


def _reconcile(state: State, variant: Variant) -> Iterator[State]:
    if state.ledger not in {"ACCEPTED", "UNKNOWN", "HELD"}:
        return
    if state.drafts:
        yield state._replace(ledger="CONFIRMED")
        return
    settled = variant.zapier_may_be_slower_than_settling or not state.queue
    if state.ledger == "HELD" or not settled:
        return
    yield state._replace(ledger="HELD")
    posts_left = state.fence < MAX_ATTEMPTS and (
        not variant.limit_uncertain_posts or state.uncertain < 2
    )
    resends = variant.resend != "never" and (not variant.guard or state.delivered is None)
    if state.ledger == "UNKNOWN" and resends and posts_left:
        yield _ready(state, variant)


def _give_up(state: State) -> Iterator[State]:
    if state.ledger == "READY" and state.fence >= MAX_ATTEMPTS:
        yield state._replace(ledger="HELD" if state.uncertain else "DEAD")


def _put(state: State, index: int, worker: Worker) -> State:
    workers = (*state.workers[:index], worker, *state.workers[index + 1 :])
    return state._replace(workers=workers)
