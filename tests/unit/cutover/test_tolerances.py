"""Tolerances: a closed set, an owner, an end; never a danger."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from swarm.cutover import tolerances
from swarm.cutover.tolerances import Tolerance
from swarm.errors import ConfigurationError
from swarm.models import EscalationClass

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GOOD = {
    "name": "no_sign",
    "owner": "anna",
    "reason": "legacy writes none",
    "expires": "2026-11-20",
    "predicate": "subject_prefix",
}


def written(home: Path, *entries: dict[str, str], more: str = "") -> None:
    lines = []
    for entry in entries:
        lines.append("[[tolerance]]")
        for name, value in entry.items():
            lines.append(f"{name} = {value}" if name == "expires" else f'{name} = "{value}"')
    (home / tolerances.FILE).write_text("\n".join([*lines, more]))


def test_no_file_tolerates_nothing(tmp_path: Path) -> None:
    assert tolerances.load(tmp_path) == ()


def test_a_good_one_is_read_and_lasts_through_its_last_day(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    (found,) = tolerances.load(tmp_path)
    assert found.in_force(NOW)
    assert not found.in_force(NOW.replace(day=21, hour=0))


@pytest.mark.parametrize("missing", ["name", "owner", "reason", "expires", "predicate"])
def test_each_part_is_asked_for(tmp_path: Path, missing: str) -> None:
    written(tmp_path, {name: value for name, value in GOOD.items() if name != missing})
    with pytest.raises(ConfigurationError, match=missing):
        tolerances.load(tmp_path)


@pytest.mark.parametrize("escalation", EscalationClass)
@pytest.mark.parametrize("where", ["name", "predicate"])
def test_no_escalation_class_is_tolerated(
    tmp_path: Path, escalation: EscalationClass, where: str
) -> None:
    written(tmp_path, GOOD | {where: escalation.value})
    with pytest.raises(ConfigurationError):
        tolerances.load(tmp_path)


def test_a_class_in_a_field_of_its_own_is_refused(tmp_path: Path) -> None:
    written(tmp_path, GOOD | {"class": "legal"})
    with pytest.raises(ConfigurationError):
        tolerances.load(tmp_path)


def test_a_name_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    written(tmp_path, GOOD, GOOD)
    with pytest.raises(ConfigurationError, match="twice"):
        tolerances.load(tmp_path)


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"tolerance = 3", b"[[tolerance]"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / tolerances.FILE).write_bytes(bad)
    with pytest.raises(ConfigurationError):
        tolerances.load(tmp_path)


def test_any_byte_changes_the_fingerprint(tmp_path: Path) -> None:
    none = tolerances.fingerprint(tmp_path)
    written(tmp_path, GOOD)
    once = tolerances.fingerprint(tmp_path)
    written(tmp_path, GOOD, more="# a remark")
    assert len({none, once, tolerances.fingerprint(tmp_path)}) == 3


def known(predicate: str) -> Tolerance:
    return Tolerance.model_validate(GOOD | {"predicate": predicate})


@pytest.mark.parametrize(
    ("predicate", "field", "one", "other", "covered"),
    [
        ("subject_prefix", "subject", "Re: My parcel", "AW: re: My parcel", True),
        ("subject_prefix", "subject", "My parcel", "Re: My parcel", True),
        ("subject_prefix", "subject", "My parcel", "Re: My lawyer", False),
        ("subject_prefix", "to", "Re: a", "a", False),
        ("subject_spacing", "subject", "my  parcel ", "My parcel", True),
        ("subject_spacing", "subject", "my parcels", "My parcel", False),
        ("recipient_order", "to", "a@x.org,B@x.org", "b@x.org, A@x.org", True),
        ("recipient_order", "cc", "a@x.org", "a@x.org,b@x.org", False),
        ("recipient_order", "subject", "a", "A", False),
    ],
)
def test_each_predicate_covers_its_own_difference_alone(
    predicate: str, field: str, one: str, other: str, covered: bool
) -> None:
    assert known(predicate).covers(field, one, other) is covered


def test_what_is_over_is_passed_by() -> None:
    over = NOW.replace(day=21)
    assert tolerances.tolerated_by([known("subject_prefix")], NOW, "subject", "Re: a", "a")
    assert not tolerances.tolerated_by([known("subject_prefix")], over, "subject", "Re: a", "a")
