"""The lines that are learned from and set on: what the training scripts share.

What a line's label means, and where the thresholds stand, is the scripts' business.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from swarm.safety.detectors.detection import lexicon_is_silent
from swarm.safety.learned.pieces import Piece, pieces_of
from swarm.safety.words import words_of

Row = Mapping[str, str]

CORPUS = Path("swarm/safety/corpus")
SEED = 20261126
MOST_BACKGROUND = 1200
PUBLIC = ("public domain", "CC0")
LEARNED = (
    "train-??.jsonl",
    "mails-train-??.jsonl",
    "promises-train-??.jsonl",
    "promises.jsonl",
    "promises-harmless.jsonl",
)


def lines(part: str) -> Iterator[Row]:
    """Yield the lines of customers of one part of the corpus."""
    for path in sorted(CORPUS.glob(f"{part}-??.jsonl")):
        yield from map(json.loads, path.read_text("utf-8").splitlines())


def mail_lines(part: str) -> Iterator[Row]:
    """Yield the pieces of the whole mails of one part, as the detector scores them."""
    for mail in lines(f"mails-{part}"):
        alone, joined = pieces_of(mail["text"])
        for piece in (*alone, *joined):
            if kind := _kind_of(piece, mail):
                text = mail["text"][piece.start : piece.end]
                yield {**mail, "class": kind, "manner": "mail", "text": text}


def is_harmless_of_a_mail(row: Row) -> bool:
    """Whether a line is one of the many harmless pieces of whole mails."""
    return row["manner"] == "mail" and row["class"] == "harmless"


def _kind_of(piece: Piece, mail: Row) -> str | None:
    """Return the mail's kind where a piece holds all of its dangerous words; none where some."""
    if mail["class"] == "harmless":
        return mail["class"]
    start = mail["text"].index(mail["danger"])
    end = start + len(mail["danger"])
    said = [word for word in words_of(mail["text"]) if start <= word.start < end]
    held = sum(piece.start <= word.start < piece.end for word in said)
    return {0: "harmless", len(said): mail["class"]}.get(held)


def promise_lines(part: str) -> Iterator[Row]:
    """Yield sentences of ours; those to train on have the plain ones that are not held back."""
    yield from lines(f"promises-{part}")
    if part != "train":
        return
    for name, given in (("promises-harmless", "harmless"), ("promises", "promise")):
        for line in (CORPUS / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            if not row.get("held"):
                yield {"class": given, "manner": "written", **row}


def background(path: Path | None) -> list[Row]:
    """Return sentences of free mails on which the lexicon is silent; their text stays there."""
    if path is None:
        return []
    mails = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    free = (mail for mail in mails if any(word in mail["licence"] for word in PUBLIC))
    plain = sorted(
        {
            mail["body"][piece.start : piece.end]
            for mail in free
            for piece in pieces_of(mail["body"][:2000]).alone[:6]
            if len(piece.words) > 4 and lexicon_is_silent(mail["body"][piece.start : piece.end])  # noqa: PLR2004 - a sentence
        }
    )
    chosen = np.random.default_rng(SEED).permutation(len(plain))[:MOST_BACKGROUND]
    return [
        {"language": "en", "class": "harmless", "manner": "background", "text": plain[n]}
        for n in chosen
    ]


def learned_from() -> str:
    """Return the hash of all that the encoder learns from."""
    files = (path for part in LEARNED for path in sorted(CORPUS.glob(part)))
    return sha256_of(*files)


def sha256_of(*paths: Path) -> str:
    """Return the hash of files, one after another."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
