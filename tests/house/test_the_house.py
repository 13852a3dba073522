"""The rules of the house that no linter of the field knows: doors, names in prose, names once."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import typer

from swarm.cli.app import COMMANDS, app
from swarm.up.programs import workers

ROOT = Path(__file__).parents[2]
PACKAGES = ("swarm", "swarm_assets")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
PROSE = [
    *SOURCES,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "bench").glob("*.py")),
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "pyproject.toml", "dagster.yaml")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "swarm").rglob("*.md")),
]

# Where a person, a program or a file starts: everything else is entered from these.
ENTRIES = (
    "swarm.cli.app",
    "swarm.cli.__main__",
    *(f"swarm.cli.{place.partition(':')[0]}" for place in COMMANDS.values()),
    "swarm.sandbox.__main__",
    "swarm.desk.__main__",
    "swarm.legacy.email_work_order_service",
    "swarm.legacy.intake_stream_processor",
    "swarm.legacy.pipeline_daemon",
    "swarm.legacy.publish_sender",
    "swarm.prefetch.__main__",
    "swarm.up.postgres_keeper",
    "swarm.up.postgres_server",
    "swarm.up.die_with_parent",
    "swarm.up.fork_server",
    "swarm.watchman.__main__",
    "swarm.cutover.judge",
    "swarm.shadow.replay.__main__",
    "swarm_assets.definitions",
    "swarm_assets.runtime.coordinator",
    "swarm_assets.runtime.dagster_tables",
    "swarm_assets.runtime.folder_transport",  # named in the broker's URL
    "swarm_assets.runtime.launcher",
    "swarm_assets.runtime.one_daemon",
    "swarm_assets.runtime.preload",
    "swarm_assets.runtime.storage",
    "swarm_assets.runtime.worker",
)
# Finished rooms whose door another room builds; each leaves this list when it has one.
DOOR_OWED: dict[str, str] = {}


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES)


def _reached() -> set[str]:
    graph, seen, todo = _graph(), set[str](), list(ENTRIES)
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo.extend(graph.find_modules_directly_imported_by(module))
            todo.extend(filter(None, [module.rpartition(".")[0]]))
    return seen


def test_every_module_is_entered_from_somewhere_or_its_door_is_owed_by_name() -> None:
    modules = {_module(path) for path in SOURCES if path.name not in ("__init__.py", "__main__.py")}
    assert modules - _reached() == set(DOOR_OWED)


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _mentions(pattern: str) -> Iterator[tuple[Path, str]]:
    for path in PROSE:
        for found in re.finditer(pattern, path.read_text("utf-8")):
            yield path, found.group(1)


def test_a_module_named_in_prose_exists() -> None:
    pattern = r"``?(swarm(?:_assets)?(?:\.[a-z_]\w*)+)(?:\(\))?``?"
    wrong = [f"{path.name}: {name}" for path, name in _mentions(pattern) if not _exists(name)]
    assert wrong == []


def _exists(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:length])
        source = (
            base.with_suffix(".py") if base.with_suffix(".py").exists() else base / "__init__.py"
        )
        if source.exists():
            rest = parts[length:]
            return not rest or re.search(rf"\b{rest[0]}\b", source.read_text("utf-8")) is not None
    return False


def test_a_path_named_in_prose_exists() -> None:
    pattern = r"[`( ]((?:swarm|swarm_assets|tests|bench|docs|deploy)/[\w./-]*\w)"
    files = [(path, name) for path, name in _mentions(pattern) if path.suffix == ".md"]
    assert files
    assert [f"{path.name}: {name}" for path, name in files if not (ROOT / name).exists()] == []


def _commands(command: object, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found = {path} if path else set[tuple[str, ...]]()
    for name, part in getattr(command, "commands", {}).items():
        found |= _commands(part, (*path, name))
    return found


def test_a_command_named_in_prose_or_in_a_hint_exists() -> None:
    known = _commands(typer.main.get_command(app))
    assert ("publisher", "cutover") in known
    groups = {path[0] for path in known if len(path) > 1}
    wrong = []
    for path, said in _mentions(r"`swarm ((?:[a-z-]+)(?: [a-z-]+)?)"):
        words = tuple(said.split())
        named = words if words[0] in groups else words[:1]
        if named not in known and "tests" not in path.parts:
            wrong.append(f"{path.name}: swarm {said}")
    assert wrong == []


def test_more_than_one_machine_starts_workers_for_every_queue() -> None:
    """Those of the intake host by `swarm up`, which always has the one that publishes."""
    told = (ROOT / "docs" / "many-machines.md").read_text("utf-8")
    assert {"swarm up", "swarm worker"} <= set(re.findall(r"^ +(swarm \w+)", told, re.MULTILINE))
    queues = {each.argv[each.argv.index("--queue") + 1] for each in workers({}, {}, concurrency=0)}
    assert queues == {"publishing", "shadow"}


def test_no_two_classes_have_one_name() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in SOURCES]
    names = Counter(
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_a_ledger_row_is_inserted_by_enqueue_and_moved_by_transitions_and_by_nobody_else() -> None:
    writes = r"(UPDATE|INSERT INTO|DELETE FROM)\s+publication_ledger"
    writers = {_module(path) for path in SOURCES if re.search(writes, path.read_text("utf-8"))}
    assert writers == {"swarm.publishing.ledger.enqueue", "swarm.publishing.ledger.transitions"}


def test_no_import_of_ours_hides_in_a_function() -> None:
    """It would dodge the layers: what must not be imported must not be needed."""
    hidden = [
        f"{_module(path)}:{inner.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.ImportFrom) and (inner.module or "").split(".")[0] in PACKAGES
    ]
    assert hidden == []
