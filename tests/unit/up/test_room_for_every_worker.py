"""Dagster's queue has room for three work orders for each worker on all hosts."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from swarm.installation.home import Home
from swarm.up.programs import write_dagster_settings

SHIPPED = Path(__file__).parents[3] / "dagster.yaml"


def settings(folder: Path, workers: int) -> dict[str, Any]:
    home = Home(folder)
    home.prepare()
    write_dagster_settings(home, workers)
    loaded: dict[str, Any] = yaml.safe_load((home.dagster / "dagster.yaml").read_text())
    return loaded


def lane(loaded: dict[str, Any]) -> int:
    limits = loaded["concurrency"]["runs"]["tag_concurrency_limits"]
    return int(next(each["limit"] for each in limits if each["value"] == "work_order"))


@pytest.mark.parametrize(("workers", "room"), [(0, 3), (1, 3), (2, 6), (8, 24)])
def test_room_is_made_for_the_workers_there_are(tmp_path: Path, workers: int, room: int) -> None:
    loaded = settings(tmp_path, workers)
    assert lane(loaded) == room
    assert loaded["concurrency"]["runs"]["max_concurrent_runs"] == room + 4


def test_two_workers_get_the_file_as_it_is_shipped_but_that_no_program_makes_tables(
    tmp_path: Path,
) -> None:
    ours, shipped = settings(tmp_path, 2), yaml.safe_load(SHIPPED.read_text())
    assert ours["storage"]["custom"]["config"].pop("should_autocreate_tables") is False
    assert ours == shipped
