"""What the operator's book says is there: every command with its options, every setting, every
link, a section for every alert and for every reason why something is held.
"""

import re
import shlex
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from swarm.cli.app import app
from swarm.models import WorkOrderState
from swarm.publishing.ledger.payload import StoredPayload
from swarm.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / "deploy").glob("*.md")])
PAGES = [pytest.param(page, id=page.name) for page in DOCS]

_FENCE = re.compile(r"^\s*```[a-z]*\n(.*?)^\s*```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(swarm [^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SHELL = re.compile(r"^(?:[A-Z_]+=\S+ )*(swarm( .*)?)$")
_SETTING = re.compile(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`")
_OURS_BUT_NO_SETTING = re.compile(
    r"^(DAGSTER|CELERY|LANG[A-Z]*|POSTGRES|RAILWAY|MAIL|LC)_|^(PORT|PATH|SWARM_SANDBOX_URL|KEY_OR_ID|OPENAI_.*)$"
)


@cache
def root() -> Any:
    """The whole tree of commands, as a shell enters it."""
    return typer.main.get_command(app)


def commands(page: Path) -> list[str]:
    """Return every command a page names, in its text and in its fenced blocks."""
    text = page.read_text("utf-8")
    found = [inline.split(" · ")[0] for inline in _INLINE.findall(_FENCE.sub("", text))]
    for block in _FENCE.findall(text):
        for line in block.splitlines():
            stripped = line.strip().partition("  #")[0].rstrip(" \\")
            if match := _SHELL.match(stripped.removeprefix("$ ")):
                found.append(match[1])
    return found


def words_of(command: str) -> list[str]:
    """Return the words of a command; what a synopsis leaves open is taken away."""
    plain = re.sub(r"\[[^\]]*\]\.{0,3}", lambda m: m[0].strip("[].").partition(" ")[0], command)
    plain = plain.replace("...", "X").replace("…", "X").replace("$(", "(")
    try:
        return shlex.split(plain.split(" && ")[0].split(" > ")[0].split(" | ")[0])[1:]
    except ValueError:
        return plain.split()[1:]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_it_names_is_there_with_these_options(page: Path) -> None:
    for command in commands(page):
        here = root()
        for word in words_of(command):
            if hasattr(here, "commands"):
                for name in word.split("|"):
                    if name.startswith("-"):
                        continue
                    assert name in here.commands, f"`{command}`: there is no `{name}`"
                if not word.startswith("-"):
                    here = here.commands[word.split("|")[0]]
                continue
            if word.startswith("--"):
                known = {o for p in here.params for o in (*p.opts, *p.secondary_opts)}
                for option in word.split("|"):
                    name = option.strip().partition("=")[0].partition("]")[0]
                    assert name in {*known, "--help"}, f"`{command}`: there is no `{name}`"


def test_a_command_that_is_not_there_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for wrong in ("`swarm send KEY`", "```\nswarm up --fast\n```", "```\nX=1 swarm dead burn\n```"):
        page.write_text(wrong)
        with pytest.raises(AssertionError, match="there is no"):
            test_every_command_it_names_is_there_with_these_options(page)


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_it_names_is_one(page: Path) -> None:
    known = {
        f"{part.type.model_config.get('env_prefix', '')}{name}".upper()  # type: ignore[union-attr]
        for part in fields(Settings)
        for name in part.type.model_fields  # type: ignore[union-attr]
    }
    text = page.read_text("utf-8")
    in_blocks = re.findall(r"\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)=", "".join(_FENCE.findall(text)))
    for name in (*_SETTING.findall(text), *in_blocks):
        if _OURS_BUT_NO_SETTING.match(name) or name.endswith("_"):
            continue
        assert name in known, f"{name} is no setting"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text("utf-8")):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{link}: no such section"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: those written down, and those made of headings."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


# --- alerts and ends ------------------------------------------------------------------------------

_ROOMS = "work_order|escalation|queue|runs|model|intake|publication|publishing|legacy|cutover"
_KIND = re.compile(rf'"((?:{_ROOMS}|database|installation|alerts|dagster|digest)\.[a-z_]+)"')
_NO_ALERT = {
    "work_order.accepted", "work_order.released",  # events of the chain
    "database.dump",  # a file of a backup
    "cutover.judge", "work_order.html",  # a module, and a page
    "alerts.test",  # a test of the ways out, told and not raised
    "dagster.yaml", "dagster._daemon",  # a file and a module
}  # fmt: skip


def kinds_in_code() -> set[str]:
    found = set[str]()
    for source in (*(ROOT / "swarm").rglob("*.py"), *(ROOT / "swarm_assets").rglob("*.py")):
        if "sandbox" not in source.parts:
            found |= set(_KIND.findall(source.read_text("utf-8")))
    return {kind for kind in found if kind not in _NO_ALERT and not kind.endswith(".py")}


def test_every_kind_of_alert_has_a_section_with_what_to_do_and_what_not() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text("utf-8")
    missing = {kind for kind in kinds_in_code() if f'<a id="{kind}">' not in page}
    assert not missing
    for section in page.split("<a id=")[1:]:
        for part in ("- **Means:**", "- **Do:**", "- **Not:**", "- **Ends when:**"):
            assert part in section, section.splitlines()[0]


HOLDS = {
    "swarm/publishing/dispatch/reconciler.py": {"no-draft-appeared"},
    "swarm/publishing/dispatch/sweeper.py": {"attempts-used-up", "decided-against"},
    "swarm/publishing/dispatch/reaper.py": {"sender-elsewhere", "sender-not-ours"},
    "swarm/publishing/dispatch/dispatcher.py": {"tampered", "ES-20"},
    "swarm/legacy/publishing/shim.py": {"legacy-refuses"},
    "swarm/installation/adoption.py": {"adopted"},
    "swarm/lifecycle/backup/reconciling.py": {"restored"},
    "swarm/stages/publish.py": {"no-ledger"},
    "swarm/intake/stream/rows.py": {"revised"},
}
"""Where something is held -> the sections that tell why. A new place needs a line and a section."""

_HOLDS = re.compile(r"endings\.hold\(|record_held\(|WorkOrderState\.HELD, (?!why)")


def test_every_place_that_holds_has_its_sections() -> None:
    page = (ROOT / "docs" / "held.md").read_text("utf-8")
    ledger = {
        "swarm/publishing/ledger/endings.py",
        "swarm/publishing/ledger/transitions.py",
        "swarm/store/transitions.py",
    }
    places = {
        source.relative_to(ROOT).as_posix()
        for source in (ROOT / "swarm").rglob("*.py")
        if _HOLDS.search(source.read_text("utf-8"))
    }
    assert places - ledger <= HOLDS.keys()
    for sections in HOLDS.values():
        for section in sections:
            assert f'<a id="{section}">' in page, section


def test_every_rule_of_the_last_look_and_every_final_state_has_its_section() -> None:
    page = (ROOT / "docs" / "held.md").read_text("utf-8")
    looks = [
        (ROOT / "swarm/safety/preflight_rules.py").read_text("utf-8"),
        (ROOT / "swarm/publishing/dispatch/preflight.py").read_text("utf-8"),
    ]
    rules = {rule for look in looks for rule in re.findall(r'"(ES-\d+)"', look)}
    for name in (*rules, *(state.value for state in WorkOrderState if state.final)):
        assert f'<a id="{name}">' in page, name


def test_every_field_of_the_hook_is_explained() -> None:
    page = (ROOT / "docs" / "connect-a-tenant.md").read_text("utf-8")
    for field in (*StoredPayload.model_fields, "fence", "epoch", "attempt"):
        assert f"`{field}`" in page, field
