"""When may today's path be taken down? From the good case, one thing spoiled at a time."""

from datetime import UTC, date, datetime, timedelta

import pytest

from swarm.legacy.standby.countdown import HOT_DAYS, Standby, refusals, utc_day

CUTOVER = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
NOW = CUTOVER + timedelta(days=HOT_DAYS)
PROVEN = tuple(date(2026, 3, 1) + timedelta(days=n) for n in range(1, HOT_DAYS + 1))
GOOD = Standby(
    active="swarm",
    epoch=3,
    cutover_at=CUTOVER,
    proven=PROVEN,
    unresolved=0,
    lease_held=False,
)


def test_fourteen_proven_days_after_the_cutover_it_may_be() -> None:
    assert refusals(NOW, GOOD) == ()


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"active": "legacy"}, "the publisher is legacy, not swarm"),
        ({"cutover_at": None}, "there was no cutover from legacy"),
        ({"unresolved": 2}, "2 publications of legacy are not resolved"),
        ({"lease_held": True}, "legacy has not given back its lease"),
        ({"proven": PROVEN[:-1]}, "no proof that legacy could take over on 2026-03-15"),
        ({"proven": PROVEN[1:]}, "no proof that legacy could take over on 2026-03-02"),
        (
            {"proven": (*PROVEN[:4], *PROVEN[6:])},
            "no proof that legacy could take over on 2026-03-06, 2026-03-07",
        ),
        ({"cutover_at": CUTOVER + timedelta(seconds=1)}, "day 14 after the cutover is"),
    ],
)
def test_one_thing_amiss_refuses_and_says_so(spoiled: dict[str, object], reason: str) -> None:
    (said,) = refusals(NOW, GOOD.model_copy(update=spoiled))
    assert said.startswith(reason)


def test_everything_amiss_is_said_at_once() -> None:
    early = GOOD.model_copy(update={"proven": (), "unresolved": 1, "lease_held": True})
    assert len(refusals(CUTOVER + timedelta(days=3), early)) == 4


def test_every_day_after_the_fourteenth_needs_its_proof_too() -> None:
    (said,) = refusals(NOW + timedelta(days=2), GOOD)
    assert said.endswith("2026-03-16, 2026-03-17")


def test_on_the_day_of_the_cutover_itself_no_proof_is_asked_for_yet() -> None:
    (said,) = refusals(CUTOVER, GOOD.model_copy(update={"proven": ()}))
    assert said == "day 14 after the cutover is 2026-03-15 15:30 UTC"


def test_a_day_is_a_day_of_utc() -> None:
    east = datetime.fromisoformat("2026-03-02T01:00:00+03:00")
    assert utc_day(east) == date(2026, 3, 1)
