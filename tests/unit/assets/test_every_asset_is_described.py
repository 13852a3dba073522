"""Every asset says who answers for it and what its page shows; the groups draw no loop."""

import re
import warnings
from graphlib import TopologicalSorter
from pathlib import Path

import dagster as dg
import pytest
import yaml

from swarm.observe.health import LOOKS, MEANING
from swarm_assets.assets.health import HEALTH
from swarm_assets.definitions import build_definitions
from swarm_assets.lanes import LOOK_LANE, missing_tags
from swarm_assets.schedules.health import request

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def nodes() -> list[dg.AssetSpec]:
    """Every asset of the code location; building it warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        built = build_definitions()
        return [spec for asset in built.assets or () for spec in asset.specs]  # type: ignore[union-attr]


def test_every_asset_has_owner_kind_description_tag_and_group(nodes: list[dg.AssetSpec]) -> None:
    assert len(nodes) == 17
    for spec in nodes:
        assert spec.owners, spec.key
        assert spec.kinds, spec.key
        assert spec.description, spec.key
        assert spec.tags["swarm/shows"] in ("mail-text", "numbers"), spec.key
        assert spec.group_name not in (None, "default"), spec.key


def test_owners_are_those_of_the_alert_rules(nodes: list[dg.AssetSpec]) -> None:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus-rules.yml").read_text())["groups"]
    woken = {f"team:{rule['labels']['owner']}" for group in groups for rule in group["rules"]}
    assert {owner for spec in nodes for owner in spec.owners} == woken


def test_no_group_points_at_a_group_that_points_at_it(nodes: list[dg.AssetSpec]) -> None:
    """The UI draws groups as boxes: two that pointed at each other were drawn as a loop."""
    group = {spec.key: spec.group_name for spec in nodes}
    leans: dict[str | None, set[str | None]] = {name: set() for name in group.values()}
    for spec in nodes:
        leans[group[spec.key]] |= {
            group[dep.asset_key] for dep in spec.deps if group[dep.asset_key] != group[spec.key]
        }
    order = [*TopologicalSorter(leans).static_order()]
    assert order.index("intake") < order.index("reply") < order.index("publishing")


def test_what_quotes_a_mail_is_partitioned_so_that_an_erasure_finds_it(
    nodes: list[dg.AssetSpec],
) -> None:
    quoting = {spec.key for spec in nodes if spec.tags["swarm/shows"] == "mail-text"}
    assert all(spec.partitions_def is not None for spec in nodes if spec.key in quoting)
    assert len(quoting) == 11


def test_the_look_takes_the_lane_of_what_hurries_nobody() -> None:
    assert missing_tags("health", {}) == dict(LOOK_LANE)
    assert missing_tags("__ASSET_JOB", {}, {HEALTH.path[0]}) == dict(LOOK_LANE)


def test_a_look_is_asked_for_once_and_never_beside_another() -> None:
    asked = request("2026-11-27T05:05", in_hand=False)
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "health:2026-11-27T05:05"
    assert isinstance(request("2026-11-27T05:05", in_hand=True), dg.SkipReason)


def test_every_check_of_health_says_what_it_means() -> None:
    assert set(LOOKS) == set(MEANING)
    assert all(re.fullmatch(r"[a-z_]+", name) for name in LOOKS)
