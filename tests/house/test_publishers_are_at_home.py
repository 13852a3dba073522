"""No program posts without having asked whether its hook and mailbox are those of its database.

Read from the source, so that a builder written tomorrow is judged as well. What asking does is
tested where it is entered (``tests/integration/publishing/test_no_draft_crosses_worlds.py``).
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.legacy.publishing.lease import LegacyLease
from swarm.legacy.publishing.shim import legacy_publisher
from swarm.publishing.dispatch.deps import PublishingDeps

ROOT = Path(__file__).parents[2]
TREES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8"))
    for package in ("swarm", "swarm_assets", "bench")
    for path in sorted((ROOT / package).rglob("*.py"))
}
ASKED = "at_home(settings)"
WIRING, SHIM, SENDER = (
    "swarm/publishing/dispatch/wiring.py",
    "swarm/legacy/publishing/shim.py",
    "swarm/legacy/publish_sender.py",
)


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of something with this name, whatever it is called on."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name:
                yield path, node


def given(call: ast.Call, name: str) -> str:
    found = [ast.unparse(word.value) for word in call.keywords if word.arg == name]
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("builder", "name"),
    [(PublishingDeps, "at_home"), (legacy_publisher, "at_home"), (LegacyLease, "world")],
)
def test_who_builds_a_publisher_cannot_forget_to_ask(builder: object, name: str) -> None:
    parameter = inspect.signature(builder).parameters[name]  # type: ignore[arg-type]
    assert parameter.default is inspect.Parameter.empty


def test_the_means_are_built_in_two_places_and_each_asks() -> None:
    built = {path: given(call, "at_home") for path, call in calls("PublishingDeps")}
    assert built == {WIRING: ASKED, SHIM: "at_home"}, "a new builder: does it ask?"
    assert {path: given(call, "at_home") for path, call in calls("legacy_publisher")} == {
        SENDER: ASKED
    }
    users = {path for path, _ in calls("swarm_publisher")}
    assert users == {"swarm_assets/resources/publishing.py"}


def test_what_they_ask_is_the_stored_world_and_nothing_made_up() -> None:
    for path in (WIRING, SENDER):
        imported = {
            f"{node.module}.{name.name}": name.asname
            for node in ast.walk(TREES[path])
            if isinstance(node, ast.ImportFrom)
            for name in node.names
        }
        assert imported["swarm.store.world_rows.at_home"] is None
        defined = {node.name for node in ast.walk(TREES[path]) if isinstance(node, ast.FunctionDef)}
        assert "at_home" not in defined


def test_nobody_changes_the_answer_afterwards() -> None:
    changed = [path for path, call in calls("replace") if given(call, "at_home")]
    assert changed == []


def test_a_hook_is_made_and_used_only_where_it_is_asked() -> None:
    """Whoever holds one could post: it is made for the two publishers, and posts in two places."""
    assert {path for path, _ in calls("ZapierHook")} == {
        SENDER,
        "swarm_assets/resources/process.py",
    }
    posts = {path for path, call in calls("post") if ast.unparse(call.func).endswith("hook.post")}
    assert posts == {
        "swarm/publishing/dispatch/dispatcher.py",
        "swarm/legacy/publishing/sender.py",
    }


@pytest.mark.parametrize(
    ("path", "asking"),
    [
        ("swarm/publishing/dispatch/dispatcher.py", ["_candidate"]),
        ("swarm/publishing/dispatch/round.py", ["_at_home"]),
        ("swarm/legacy/publishing/sender.py", ["_require_home"]),
        ("swarm/publishing/dispatch/deps.py", ["may_claim"]),
    ],
)
def test_who_posts_asks_first(path: str, asking: list[str]) -> None:
    found = [
        function.name
        for function in ast.walk(TREES[path])
        if isinstance(function, ast.FunctionDef)
        and any(
            isinstance(node, ast.Call) and ast.unparse(node.func).endswith("at_home")
            for node in ast.walk(function)
        )
    ]
    assert set(asking) <= set(found)


def test_a_claim_asks_both_questions() -> None:
    permitted = [given(call, "permitted") for path, call in calls("claim") if "dispatch" in path]
    assert permitted == ["self._deps.may_claim"]


def test_the_lease_that_posts_without_a_ledger_is_for_one_hook() -> None:
    [(path, call)] = calls("LegacyLease")
    assert path == SENDER
    assert given(call, "world") == "places(settings)[Service.HOOK].sha256 or ''"
