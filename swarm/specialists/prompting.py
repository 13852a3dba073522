"""How a prompt is made: our instructions apart from other people's text.

Spotlighting (ES-12): every foreign text stands inside a boundary nobody outside can guess (it hangs
on the opaque work-order key), and each of its lines carries a mark, so that no line of it can pass
for ours. Quotes stay exact, because a mark stands before a line, never inside it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from swarm.models import Draft, Received, canonical_sha256
from swarm.safety.masking import mask
from swarm.specialists.protocol import Brief

PURPOSES = ("classify", "propose", "tone", "fact", "qa")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent: our words, their words, and the word that must not come back."""

    purpose: str
    system: str
    data: str
    canary: str


def classify_prompt(received: Received) -> Prompt:
    """Ask for escalation classes of a mail; secrets are masked (ES-14)."""
    key = received.work_order.key
    blocks = {
        "subject": _masked(received.work_order.subject),
        "mail": _masked(received.text),
        "history": _masked(received.quoted),
    }
    return _prompt("classify", key, received.language, _blocks(key, blocks))


def propose_prompt(brief: Brief, previous: Draft | None, findings: Iterable[str]) -> Prompt:
    """Ask for a reply, or for a better one."""
    blocks = {**_evidence(brief), **_asks(brief)}
    if previous is not None:
        blocks["previous"] = previous.body_text
        blocks["finding"] = "\n".join(findings)
    return _prompt("propose", _key(brief), brief.received.language, _blocks(_key(brief), blocks))


def review_prompt(purpose: str, brief: Brief, draft: Draft) -> Prompt:
    """Ask for a judgement about one draft."""
    blocks = {**_evidence(brief), **_asks(brief), "reply": draft.body_text}
    return _prompt(purpose, _key(brief), brief.received.language, _blocks(_key(brief), blocks))


@cache
def prompts_sha256() -> str:
    """Hash of every prompt file: part of the specialist's version (ES-25)."""
    return canonical_sha256({name: _template(name) for name in (*PURPOSES, "data")})


def _prompt(purpose: str, key: str, language: str, data: str) -> Prompt:
    canary = f"ref-{_secret('canary', key)}"
    rules = _fill(_template("data"), {"boundary": _secret("boundary", key), "canary": canary})
    system = _fill(_template(purpose), {"data_rules": rules, "language": language})
    return Prompt(purpose, system, data, canary)


def _evidence(brief: Brief) -> dict[str, str]:
    return {
        f"{e.id} {e.kind.value} {e.source}": f"({e.title})\n{e.text}" if e.title else e.text
        for e in brief.context.evidence
    }


def _asks(brief: Brief) -> dict[str, str]:
    return {f"ask{n}": _masked(ask) for n, ask in enumerate(brief.received.asks, 1)}


def _blocks(key: str, blocks: Mapping[str, str]) -> str:
    boundary = _secret("boundary", key)
    return "\n\n".join(
        f"{title}\n<<<{boundary}\n{_marked(title.split()[0], text)}\n{boundary}>>>"
        for title, text in blocks.items()
    )


def _masked(text: str) -> str:
    return mask(text)[0]


def _marked(mark: str, text: str) -> str:
    return "\n".join(f"{mark}| {line}" for line in text.splitlines())


def _fill(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        template = template.replace("{{" + name + "}}", value)
    return template


def _secret(use: str, key: str) -> str:
    return hashlib.sha256(f"{use}:{key}".encode()).hexdigest()[:16]


def _key(brief: Brief) -> str:
    return brief.received.work_order.key


@cache
def _template(name: str) -> str:
    return (resources.files("swarm.specialists") / "prompts" / f"{name}.md").read_text("utf-8")
