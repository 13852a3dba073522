"""The morning summary is due once a day, at its hour of the house's time zone."""

from datetime import UTC, datetime, timedelta

import pytest

from swarm.observe.digest import due

EIGHT = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)  # 08:00 in Berlin


@pytest.mark.parametrize(
    ("after", "last", "expected"),
    [
        (timedelta(minutes=-1), None, False),
        (timedelta(0), None, True),
        (timedelta(minutes=5), timedelta(minutes=1), False),
        (timedelta(minutes=5), timedelta(days=-1, minutes=2), True),
        (timedelta(hours=11), timedelta(days=-1), True),
        (timedelta(hours=13), timedelta(days=-1), False),
    ],
)
def test_it_is_due(after: timedelta, last: timedelta | None, *, expected: bool) -> None:
    sent = None if last is None else EIGHT + last
    assert due(EIGHT + after, sent, "08:00", "Europe/Berlin") is expected


def test_without_an_hour_it_is_never_due() -> None:
    assert not due(EIGHT, None, "", "Europe/Berlin")


def test_the_hour_stays_the_house_s_when_clocks_change() -> None:
    summer = datetime(2026, 3, 29, 6, 0, tzinfo=UTC)  # 08:00 in Berlin since that night
    assert due(summer, summer - timedelta(days=1), "08:00", "Europe/Berlin")
    assert not due(summer - timedelta(minutes=1), None, "08:00", "Europe/Berlin")
