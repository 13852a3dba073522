"""What people press in the Dagster UI: sensors off, runs again, terminated, wiped, deleted."""

from collections.abc import Callable
from contextlib import suppress
from random import Random

import httpx
import psycopg
from dagster_ui import REPOSITORY, DagsterUI

from weather.house import House, NotNow
from weather.kinds import Undo, World, kind, nothing

_SENSORS = ("intake", "publications", "reaper", "alerts")
_STAGES = ("context", "draft", "policy", "publish")
_CURSOR = """
mutation SetCursor($sensorSelector: SensorSelector!, $cursor: String) {
  setSensorCursor(sensorSelector: $sensorSelector, cursor: $cursor) { __typename }
}"""
_TERMINATE = """
mutation Terminate($runIds: [String!]!) {
  terminateRuns(runIds: $runIds, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) { __typename }
}"""
_DELETE = "mutation Delete($runId: String!) { deletePipelineRun(runId: $runId) { __typename } }"

_AT_WORK = "SELECT run_id FROM runs WHERE status IN ('QUEUED', 'STARTING', 'STARTED') LIMIT 20"
_ENDED = "SELECT run_id FROM runs WHERE status IN ('SUCCESS', 'FAILURE') ORDER BY id DESC LIMIT 50"
_FINAL = "SELECT key FROM work_orders WHERE final_at IS NOT NULL ORDER BY final_at DESC LIMIT 50"


def _chosen(house: House, sql: str, column: str, chance: Random, count: int = 1) -> list[str]:
    try:
        found = [str(row[column]) for row in house.rows(sql)]
    except psycopg.Error as error:
        raise NotNow("Postgres is away") from error
    if not found:
        raise NotNow("there is none yet")
    return chance.sample(found, min(count, len(found)))


def _pressing(world: World, press: Callable[[DagsterUI], object]) -> None:
    """Press a button; a page that does not come at this moment is no fault that was injected."""
    try:
        with world.house.ui() as ui:
            press(ui)
    except (httpx.HTTPError, AssertionError, ValueError) as error:
        raise NotNow("the page does not answer") from error


@kind("T55", seconds=(8, 25), group="sensors")
def sensor_switched_off(world: World, chance: Random) -> Undo:
    name = chance.choice(_SENSORS)
    _pressing(world, lambda ui: ui.sensor_off(name))

    def on() -> None:
        for _ in range(120):
            with suppress(NotNow):
                _pressing(world, lambda ui: ui.sensor_on(name))
                return
        raise RuntimeError(f"the sensor {name} could not be switched on again")

    return on


@kind("T55", group="sensors")
def cursor_reset(world: World, _: Random) -> Undo:
    selector = {**REPOSITORY, "sensorName": "intake"}
    _pressing(world, lambda ui: ui._ask(_CURSOR, {"sensorSelector": selector, "cursor": None}))
    return nothing


@kind("T44")
def published_again_by_hand(world: World, chance: Random) -> Undo:
    """*Materialize* of stages of what is final, `publish` alone among them."""
    (key,) = _chosen(world.house, _FINAL, "key", chance)
    stage = chance.choice(_STAGES)
    _pressing(world, lambda ui: ui.materialize(key, stage))
    return nothing


@kind("T44")
def backfill_over_what_is_final(world: World, chance: Random) -> Undo:
    keys = _chosen(world.house, _FINAL, "key", chance, count=4)
    _pressing(world, lambda ui: ui.begin_backfill(keys, *_STAGES))
    return nothing


@kind("T55")
def run_executed_again(world: World, chance: Random) -> Undo:
    (run,) = _chosen(world.house, _ENDED, "run_id", chance)
    _pressing(world, lambda ui: ui.reexecute(run, "ALL_STEPS"))
    return nothing


@kind("T12")
def run_terminated(world: World, chance: Random) -> Undo:
    """Marked as cancelled while its worker goes on."""
    runs = _chosen(world.house, _AT_WORK, "run_id", chance)
    _pressing(world, lambda ui: ui._ask(_TERMINATE, {"runIds": runs}))
    return nothing


@kind("T55")
def run_deleted(world: World, chance: Random) -> Undo:
    """One that ended, or one that waits or works."""
    sql = chance.choice((_ENDED, _AT_WORK))
    (run,) = _chosen(world.house, sql, "run_id", chance)
    _pressing(world, lambda ui: ui._ask(_DELETE, {"runId": run}))
    return nothing


@kind("T55")
def partitions_wiped(world: World, _: Random) -> Undo:
    _pressing(world, lambda ui: ui.wipe(*_STAGES))
    return nothing
