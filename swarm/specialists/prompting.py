"""How a prompt is made: our instructions apart from other people's text, what is known first.

All prompts of one work order begin with the same bytes: the rules of the data, the house's style,
the mail; and all but the first (``classify`` is asked before anything is looked up) go on with the
same evidence. The task stands last. So a provider reads what it has read before from its cache.

Spotlighting (ES-12): every foreign text stands inside a boundary nobody outside can guess (it hangs
on the opaque work-order key), and each of its lines carries a mark, so that no line of it can pass
for ours. Quotes stay exact, because a mark stands before a line, never inside it. No clock is read:
a run that is driven again asks with the same bytes and finds its answers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from swarm.errors import ConfigurationError
from swarm.models import Draft, Evidence, Received, canonical_sha256
from swarm.patterns import linear
from swarm.safety.masking import mask
from swarm.safety.spotlight import boundary_of, canary_of
from swarm.settings import LONGEST_STYLE, ModelSettings
from swarm.specialists.protocol import Brief

PURPOSES = ("classify", "propose", "tone", "fact", "qa")

_LONGEST_HISTORY = 20_000  # characters; what we wrote ourselves is evidence besides

_LONGEST_SECRET = 200
# What moves a cursor or turns the direction of text says nothing to a model, and hides from people.
_UNSEEN = linear(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SLOT = linear(r"\{\{[a-z_]{1,40}\}\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent: our words, what is known, the task; ``known`` is the same for every purpose."""

    purpose: str
    system: str
    known: str
    task: str

    @property
    def data(self) -> str:
        """What is known and, last, the task."""
        return f"{self.known}\n\n{self.task}"


@dataclass(frozen=True, slots=True)
class Prompts:
    """Makes the prompts of a house with its style."""

    style: str

    def classify(self, received: Received) -> Prompt:
        """Ask for escalation classes of a mail; secrets are masked (ES-14)."""
        return self._prompt("classify", received, _mail(received), {})

    def propose(self, brief: Brief, previous: Draft | None, findings: Iterable[str]) -> Prompt:
        """Ask for a reply, or for a better one."""
        blocks = {}
        if previous is not None:
            blocks = {"previous": previous.body_text, "finding": "\n".join(findings)}
        return self._prompt("propose", brief.received, _known(brief), blocks)

    def review(self, purpose: str, brief: Brief, draft: Draft) -> Prompt:
        """Ask for a judgement about one draft."""
        return self._prompt(purpose, brief.received, _known(brief), {"reply": draft.body_text})

    def _prompt(
        self, purpose: str, received: Received, known: str, blocks: Mapping[str, str]
    ) -> Prompt:
        order = received.work_order
        system = _fill(
            _template("data"),
            {
                "style": self.style.strip(),
                "mailbox": order.ref.mailbox,
                "boundary": boundary_of(order.key),
                "canary": canary_of(order.key),
            },
        )
        task = _fill(_template(purpose), {"language": received.language}).strip()
        about = _blocks(order.key, blocks)
        return Prompt(purpose, system, known, f"# Task\n{task}" + (f"\n\n{about}" if about else ""))


def style_of(settings: ModelSettings) -> str:
    """Return the house's style; raises ``ConfigurationError`` when its file cannot be used."""
    if settings.style_file is None:
        return _template("style")
    try:
        return settings.style_file.read_text("utf-8")[:LONGEST_STYLE]
    except (OSError, ValueError):  # it was there when the settings were read
        raise ConfigurationError(
            f"MODEL_STYLE_FILE: {settings.style_file} cannot be read any more"
        ) from None


@cache
def prompts_sha256(style: str | None = None) -> str:
    """Hash of every prompt and the house's style: part of the specialist's version (ES-25)."""
    files = {name: _template(name) for name in (*PURPOSES, "data")}
    return canonical_sha256({**files, "style": _template("style") if style is None else style})


def _mail(received: Received) -> str:
    """Return what every purpose is told of the mail."""
    order = received.work_order
    blocks = {
        "subject": _masked(order.subject),
        "attachments": _masked("\n".join(_described(received))),
        "mail": _masked(received.text),
        "signature": _masked(received.signature),
        "history": _history(received.quoted),
        **{f"ask{n}": _masked(ask) for n, ask in enumerate(received.asks, 1)},
    }
    about = (
        f"# The e-mail\nIt came on {order.received_at:%A, %d %B %Y, %H:%M %Z}; take that as today."
        f" Its language is `{received.language}`."
    )
    return f"{about}\n\n{_blocks(order.key, blocks)}"


def _history(quoted: str) -> str:
    """Mask before the cut: most of a card's digits would stand at the end, and be no card."""
    return _masked(quoted[: _LONGEST_HISTORY + _LONGEST_SECRET])[:_LONGEST_HISTORY]


def _described(received: Received) -> Iterator[str]:
    for each in received.work_order.attachments:
        yield f"{each.name} ({each.content_type}, {each.size} bytes)"


def _known(brief: Brief) -> str:
    """Return what is known, the same for whoever writes or judges; begins with the mail."""
    received = brief.received
    mail = _masked(received.text)
    blocks = {
        f"{e.id} {e.kind.value} {_token(e.source)}": _evidence(e, mail)
        for e in brief.context.evidence
    }
    gaps = {"gaps": _masked("\n".join(brief.context.gaps))}
    who = f"# What is known\nThe reply is signed by us as `{_token(brief.signature, ' ')}`."
    evidence = _blocks(received.work_order.key, {**blocks, **gaps})
    return f"{_mail(received)}\n\n{who}\n\n{evidence}"


def _evidence(item: Evidence, mail: str) -> str:
    if item.source == "graph:inbound" and item.text in mail:
        return "(this is the block `mail` above; quote its words)"
    text = _masked(item.text)
    return f"({_masked(item.title)})\n{text}" if item.title else text


def _token(text: str, others: str = "") -> str:
    """Return a name of ours as it may stand outside a block: one line, no mark-up."""
    allowed = "-_.:@/&+," + others
    return "".join(each if each.isalnum() or each in allowed else "_" for each in text)[:120]


def _blocks(key: str, blocks: Mapping[str, str]) -> str:
    boundary = boundary_of(key)
    return "\n\n".join(
        f"{title}\n<<<{boundary}\n{_marked(title.split()[0], text)}\n{boundary}>>>"
        for title, text in blocks.items()
        if text
    )


def _masked(text: str) -> str:
    return mask(text)[0]


def _marked(mark: str, text: str) -> str:
    return "\n".join(f"{mark}| {_UNSEEN.sub(' ', line)}" for line in text.splitlines())


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Fill every slot in one pass: what is filled in is never read for slots again."""
    return _SLOT.sub(lambda slot: values.get(slot.group()[2:-2], slot.group()), template)


@cache
def _template(name: str) -> str:
    return (resources.files("swarm.specialists") / "prompts" / f"{name}.md").read_text("utf-8")
