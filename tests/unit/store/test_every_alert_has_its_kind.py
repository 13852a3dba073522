"""The table of kinds knows every alert that any line of the product can raise, and no other."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import swarm
from swarm.store.alert_kinds import KINDS, Severity, known_kind

_ROOT = Path(swarm.__file__).parent.parent
# Who raises -> the place of the kind among the arguments.
_RAISERS = {"raise_alert": 1, "raise_growing": 1, "NewAlert": 0, "Trouble": 0, "known_kind": 0}


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for package in ("swarm", "swarm_assets"):
        for path in (_ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(_ROOT).with_suffix("").parts)
            text = path.read_text("utf-8")
            if any(raiser in text for raiser in _RAISERS):
                yield name.removesuffix(".__init__"), ast.parse(text)


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _values(module: str, tree: ast.Module, given: ast.expr) -> Iterator[str]:
    """Yield every value the expression can have: a text, a constant, a parameter's arguments."""
    if isinstance(given, ast.Constant):
        yield given.value
        return
    known = vars(importlib.import_module(module))
    if isinstance(given, ast.Subscript) and isinstance(given.value, ast.Name):
        yield from known.get(given.value.id, {}).values()  # {}: a row that was raised already
    elif isinstance(given, ast.Attribute) and isinstance(given.value, ast.Name):
        holder = known.get(given.value.id)
        if holder is not None:  # else an attribute of something that was made with a kind already
            yield getattr(holder, given.attr)
    elif isinstance(given, ast.Name) and given.id in known:
        yield known[given.id]
    elif isinstance(given, ast.Name):
        yield from _arguments(module, tree, given.id)


def _arguments(module: str, tree: ast.Module, parameter: str) -> Iterator[str]:
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        names = [argument.arg for argument in function.args.args]
        if parameter not in names:
            continue
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            if _called(call) == function.name:
                yield from _values(module, tree, call.args[names.index(parameter)])


def _raised() -> dict[str, str]:
    found = {}
    for module, tree in _sources():
        if module == "swarm.store.alerts":
            continue  # where the raisers are; what it raises itself is looked for by its constants
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            place = _RAISERS.get(_called(call))
            if place is not None and len(call.args) > place:
                found |= dict.fromkeys(_values(module, tree, call.args[place]), module)
    alerts = importlib.import_module("swarm.store.alerts")
    constants = (v for k, v in vars(alerts).items() if k.isupper() and isinstance(v, str))
    return found | {value: "swarm.store.alerts" for value in constants if "." in value[:30]}


def test_every_kind_that_is_raised_anywhere_stands_in_the_table() -> None:
    raised = _raised()
    assert len(raised) > 25
    assert {kind: where for kind, where in raised.items() if kind not in KINDS} == {}


def test_the_table_holds_no_kind_that_nothing_raises() -> None:
    assert sorted(KINDS.keys() - _raised().keys()) == []


def test_a_kind_nobody_described_pages() -> None:
    assert known_kind("new.trouble").severity is Severity.PAGE


def test_what_is_said_of_a_kind_fits_a_message() -> None:
    for kind in KINDS.values():
        assert kind.title[-1:] not in {"", "."}, kind.kind
        assert kind.meaning.endswith("."), kind.kind
        assert kind.ends.startswith("when "), kind.kind
        assert kind.documentation == f"docs/alerts.md#{kind.kind}"
