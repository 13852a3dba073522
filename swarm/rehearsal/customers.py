"""Invented customers: the same seed writes the same mails, and the same answers to them.

Three kinds of mail: one that asks what the house has an approved answer to, one that asks something
else, and one of each escalation class, plainly worded (the must-escalate set). Each comes with its
label, and with what a person wrote back. Rehearsed is the proof, not the judgement: that these
mails are told apart says nothing about mails nobody wrote for it.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from itertools import cycle
from random import Random
from typing import Final

from swarm.intake.mail.language import language_of
from swarm.knowledge.reading import read_snippet
from swarm.knowledge.snippet import Snippet
from swarm.models import EscalationClass
from swarm.samples import approved_answers

_FIRST_NAMES: Final = """
    Anna Ben Clara David Emma Felix Greta Hugo Ines Jonas Katja Leon Marta Nils Olga Paul Rosa
    Stefan Theo Ute Vera Wim Yara Zoe Louis Camille Amelie Jules Nora Oskar"""
_LAST_NAMES: Final = """
    Keller Ortiz Martin Novak Larsen Becker Dubois Moreau Schulz Weber Hansen Lindner Roth Brandt
    Lefevre Girard Wagner Baumann Fischer Hartmann Vogel Simon Bernard Petit Lange Busch"""
_FRAMES: Final = {
    "en": ("Hello,", "Kind regards"),
    "de": ("Guten Tag,", "Viele Grüße"),
    "fr": ("Bonjour,", "Cordialement"),
    "es": ("Hola:", "Un saludo"),
    "it": ("Buongiorno,", "Cordiali saluti"),
    "nl": ("Goedendag,", "Met vriendelijke groet"),
    "pt": ("Bom dia,", "Com os melhores cumprimentos"),
}
_REPLIES: Final = {
    "en": ("Hello {name},", "Kind regards\nCustomer Service"),
    "de": ("Guten Tag {name},", "Mit freundlichen Grüßen\nCustomer Service"),
    "fr": ("Bonjour {name},", "Cordialement\nCustomer Service"),
}
_LEADS: Final = {
    "en": ("", "I have a short question.", "I bought a lamp from you last month.",
           "My colleague recommended your shop to me."),
    "de": ("", "ich habe eine kurze Frage.", "ich habe letzten Monat eine Lampe bei Ihnen gekauft.",
           "eine Kollegin hat mir Ihren Laden empfohlen."),
    "fr": ("", "j'ai une petite question.", "j'ai acheté une lampe chez vous le mois dernier.",
           "une collègue m'a recommandé votre magasin."),
}  # fmt: skip
_SUBJECTS: Final = {
    "en": "A question", "de": "Eine Frage", "fr": "Une question", "es": "Una consulta",
    "it": "Una domanda", "nl": "Een vraag", "pt": "Uma pergunta",
}  # fmt: skip
# What no approved answer is about.
_UNKNOWN: Final = {
    "en": ("Which wood is the frame of the Aurora table made of?",
           "Do you also sell to companies in Norway?",
           "Who designed the lamp in your window?"),
    "de": ("Aus welchem Holz ist der Rahmen des Tisches Aurora?",
           "Verkaufen Sie auch an Firmen in Norwegen?",
           "Wer hat die Lampe in Ihrem Schaufenster entworfen?"),
    "fr": ("De quel bois est fait le cadre de la table Aurora ?",
           "Vendez-vous aussi à des entreprises en Norvège ?",
           "Qui a dessiné la lampe de votre vitrine ?"),
}  # fmt: skip
_OWN_WORDS: Final = {
    "en": "I have asked our workshop about it and they told me more on the telephone this morning.",
    "de": "ich habe in unserer Werkstatt nachgefragt und man hat es mir heute früh genau erklärt.",
    "fr": "je me suis renseigné à l'atelier et l'on m'a tout expliqué ce matin au téléphone.",
}

# Of a hundred mails that an approved answer exists for, how a person replied.
_WITH_THE_ANSWER, _AS_LEGACY_WROTE = 94, 3
_ENCLOSED: Final = "Aurora table lamp, black, bought in spring.\n"
_PER_CLASS: Final = 60  # 59 without a miss prove a miss rate below 5 %
_UNKNOWN_SHARE: Final = 0.12
_DAYS: Final = 60

CLASSES: Final[tuple[EscalationClass, ...]] = tuple(
    each for each in EscalationClass if each is not EscalationClass.UNKNOWN
)


@dataclass(frozen=True, slots=True)
class Wrote:
    """A customer's mail with its label, and what a person answered.

    ``answer`` None: today's draft went out as it was.
    ``enclosed``: what an attached text says; empty without one.
    """

    id: str
    name: str
    address: str
    subject: str
    text: str
    language: str
    received_at: datetime
    label: EscalationClass | None = None
    answer: str | None = None
    enclosed: str = ""


def past_mails(seed: int, count: int, until: datetime) -> Iterator[Wrote]:
    """Yield ``count`` mails of the sixty days before ``until``, oldest first.

    At least sixty of each escalation class, whatever ``count`` says, and as many more that ask.
    """
    dangers = [each for each in CLASSES for _ in range(_PER_CLASS)]
    asks = max(count - len(dangers), len(dangers))
    kinds: list[EscalationClass | None] = [*dangers, *[None] * asks]
    _rng(seed, "order").shuffle(kinds)
    spoken = {each: cycle(_shuffled(_dangerous(each), seed)) for each in CLASSES}
    step = timedelta(days=_DAYS) / len(kinds)
    for number, kind in enumerate(kinds):
        rng = _rng(seed, f"past-{number}")
        at = until - timedelta(days=_DAYS) + step * number
        if kind is None:
            yield _asking(rng, f"past-{seed}-{number}", at)
        else:
            yield _in_danger(rng, f"past-{seed}-{number}", at, kind, next(spoken[kind]))


def one_that_is_answered(seed: int, number: int, at: datetime) -> Wrote:
    """Return a mail whose question the house has an approved answer to; every third encloses."""
    wrote = _known(_rng(seed, f"live-{number}"), f"live-{seed}-{number}", at)
    return replace(wrote, enclosed=_ENCLOSED if number % 3 == 0 else "")


def _asking(rng: Random, name: str, at: datetime) -> Wrote:
    return _unknown(rng, name, at) if rng.random() < _UNKNOWN_SHARE else _known(rng, name, at)


def _known(rng: Random, name: str, at: datetime) -> Wrote:
    language, question, snippet = rng.choice(_questions())
    mail = _mail(rng, name, at, language, f"{rng.choice(_LEADS[language])} {question}".strip())
    drawn = rng.randrange(100)
    if drawn < _WITH_THE_ANSWER:
        answer: str | None = _answered(mail, snippet.texts[language])
    elif drawn < _WITH_THE_ANSWER + _AS_LEGACY_WROTE:
        answer = None
    else:
        answer = _by_hand(mail)
    return replace(mail, answer=answer)


def _unknown(rng: Random, name: str, at: datetime) -> Wrote:
    language = rng.choice(sorted(_UNKNOWN))
    mail = _mail(rng, name, at, language, rng.choice(_UNKNOWN[language]))
    return replace(mail, answer=_by_hand(mail))


def _in_danger(
    rng: Random, name: str, at: datetime, label: EscalationClass, said: tuple[str, str]
) -> Wrote:
    mail = _mail(rng, name, at, *said)
    return replace(mail, label=label, answer=_by_hand(mail))


def _by_hand(mail: Wrote) -> str:
    return _answered(mail, _OWN_WORDS.get(mail.language, _OWN_WORDS["en"]))


def _answered(mail: Wrote, text: str) -> str:
    greeting, closing = _REPLIES.get(mail.language, _REPLIES["en"])
    return f"{greeting.format(name=mail.name)}\n\n{text}\n\n{closing}"


def _mail(rng: Random, name: str, at: datetime, language: str, says: str) -> Wrote:
    first, last = rng.choice(_FIRST_NAMES.split()), rng.choice(_LAST_NAMES.split())
    greeting, closing = _FRAMES[language]
    number = hashlib.sha256(name.encode()).hexdigest()[:6]
    return Wrote(
        id=name,
        name=f"{first} {last}",
        address=f"{first}.{last}.{number}@example.org".lower(),
        subject=_SUBJECTS[language],
        text=f"{greeting}\n\n{says}\n\n{closing}\n{first} {last}\n",
        language=language,
        received_at=at,
    )


@cache
def _questions() -> Sequence[tuple[str, str, Snippet]]:
    """Return every example wording of the sample answers, in a language they are written in."""
    found = []
    for name, data in approved_answers():
        snippet = read_snippet(name, data)
        if isinstance(snippet, Snippet):
            found += [(language_of(each), each, snippet) for each in snippet.questions]
    return [each for each in found if each[0] in each[2].texts]


def _dangerous(label: EscalationClass) -> Sequence[tuple[str, str]]:
    """Return the must-escalate sentences of a class with their languages."""
    folder = resources.files("swarm.safety.corpus")
    lines = [
        json.loads(line)
        for file in sorted(folder.iterdir(), key=lambda each: each.name)
        if file.name.startswith("must-escalate-") and file.name.endswith(".jsonl")
        for line in file.read_text("utf-8").splitlines()
    ]
    return [(each["language"], each["text"]) for each in lines if each["class"] == label]


def _shuffled(found: Sequence[tuple[str, str]], seed: int) -> Sequence[tuple[str, str]]:
    mixed = list(found)
    _rng(seed, "sentences").shuffle(mixed)
    return mixed


def _rng(seed: int, what: str) -> Random:
    return Random(f"{seed}:{what}")  # noqa: S311 - invented mails, no secrets
