"""The corpus, and the quick machine on its lines with two labels: what the training scripts share.

What a line's label means, and where the thresholds stand, is the scripts' business.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.svm import SVC

from swarm.safety.detectors.detection import lexicon_is_silent
from swarm.safety.learned.features import BUCKETS, closely_embedded, embedded, frames, grams
from swarm.safety.learned.machines import Pair, along, close_decision, decision
from swarm.safety.learned.pieces import Piece, pieces_of
from swarm.safety.words import words_of

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.bool_]
Row = Mapping[str, str]

CORPUS = Path("swarm/safety/corpus")
SEED = 20261126
MOST_BACKGROUND = 1200
PUBLIC = ("public domain", "CC0")

_ROWS = 2000
LITTLE = 250  # words of a language that a frame keeps
AXES = 320  # of the 512 of the quick embedding: what it finds stays the same, to a tenth of a point


@dataclass(frozen=True)
class Shape:
    """How near is near, what n-grams and frames weigh beside the embedding, what a line on the
    wrong side costs; and what the machine's value counts beside the close reader's.
    """

    gamma: float
    grams: float
    cost: float
    share_of_quick: float
    balanced: bool = False
    frames: float = 0.0


# --- corpus ---------------------------------------------------------------------------------------


def lines(part: str) -> Iterator[Row]:
    """Yield the lines of customers of one part of the corpus."""
    for path in sorted(CORPUS.glob(f"{part}-??.jsonl")):
        yield from map(json.loads, path.read_text("utf-8").splitlines())


def mail_lines(part: str) -> Iterator[Row]:
    """Yield the pieces of the whole mails of one part, as the detector scores them."""
    for mail in lines(f"mails-{part}"):
        for piece in pieces_of(mail["text"]):
            if kind := _kind_of(piece, mail):
                text = mail["text"][piece.start : piece.end]
                yield {**mail, "class": kind, "manner": "mail", "text": text}


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
            for piece in pieces_of(mail["body"][:2000])[:6]
            if len(piece.words) > 4 and lexicon_is_silent(mail["body"][piece.start : piece.end])  # noqa: PLR2004 - a sentence
        }
    )
    chosen = np.random.default_rng(SEED).permutation(len(plain))[:MOST_BACKGROUND]
    return [
        {"language": "en", "class": "harmless", "manner": "background", "text": plain[n]}
        for n in chosen
    ]


class Corpus:
    """Lines with the quick views of them."""

    def __init__(self, rows: Sequence[Row], cache: Path | None) -> None:
        self.rows = rows
        self.texts = [row["text"] for row in rows]
        self.vectors = _kept(cache, "quick", self.texts, embedded)
        self.words = [tuple(word.text for word in words_of(text)) for text in self.texts]
        self.grams = _as_matrix([grams(words) for words in self.words])

    def frames(self) -> tuple[frozenset[str], Any]:
        """Return the little words: of each language those that most lines have; and the frames of
        all lines, read with them.
        """
        languages = self.column("language")
        little: set[str] = set()
        for language in sorted({*languages}):
            told = (
                set(words)
                for words, of in zip(self.words, languages, strict=True)
                if of == language
            )
            counts = Counter(word for words in told for word in words)
            ranked = sorted(counts, key=lambda word: (-counts[word], word))
            little.update(ranked[:LITTLE])
        known = frozenset(little)
        return known, _as_matrix([frames(words, known) for words in self.words])

    def column(self, name: str) -> npt.NDArray[np.str_]:
        """Return one field of every line."""
        return np.array([row[name] for row in self.rows])


def _kept(
    cache: Path | None, name: str, texts: Sequence[str], embed: Callable[[Sequence[str]], Floats]
) -> Floats:
    """Embed the texts that the cache has not seen."""
    if cache is None:
        return embed(texts)
    path = cache / f"{name}.npz"
    known: dict[str, Floats] = {}
    if path.exists():
        with np.load(path) as stored:
            known = dict(zip(map(str, stored["texts"]), stored["vectors"], strict=True))
    if fresh := [text for text in dict.fromkeys(texts) if text not in known]:
        known.update(zip(fresh, embed(fresh), strict=True))
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(path, texts=np.array([*known]), vectors=np.stack([*known.values()]))
    return np.stack([known[text] for text in texts]).astype(np.float32)


# --- training -------------------------------------------------------------------------------------


def trained(corpus: Corpus, wanted: Labels, shape: Shape) -> dict[str, Any]:
    """Return the arrays of ``machines.pair_of``, trained on the lines of a corpus."""
    kernel = _products(corpus.grams, shape.grams)
    told, little = corpus.grams, frozenset[str]()
    if shape.frames:
        little, framed = corpus.frames()
        kernel += _products(framed, shape.frames)
        told = hstack([told, framed]).tocsr()
    kernel += _rbf(corpus.vectors, shape)
    machine = SVC(
        C=shape.cost, kernel="precomputed", class_weight="balanced" if shape.balanced else None
    ).fit(kernel, wanted)
    leant_on = machine.support_
    axes = axes_of(corpus.vectors[leant_on])
    return {
        **small("support", along(axes, corpus.vectors[leant_on])),
        "axes": axes,
        **_weights(told[leant_on], machine.dual_coef_[0], shape),
        "bias": float(machine.intercept_[0]),
        "little": np.array(sorted(little)),
        "gamma": shape.gamma,
        "share_of_quick": shape.share_of_quick,
    }


def values(pair: Pair, corpus: Corpus) -> tuple[Floats, Floats]:
    """Return the quick and the close value of every line."""
    quick = decision(pair.quick, corpus.vectors, corpus.words)
    return quick, close_decision(pair.close, closely_embedded(corpus.texts), quick).values


def small(name: str, values: Floats) -> dict[str, Any]:
    """Keep large arrays as 8-bit numbers: a quarter of the bytes, the same findings."""
    scale = float(np.abs(values).max()) / 127
    return {name: np.rint(values / scale).astype(np.int8), f"{name}_scale": np.float32(scale)}


def sha256_of(*paths: Path) -> str:
    """Return the hash of files, one after another."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _products(lines_: Any, share: float = 1.0) -> Floats:
    """Return the product of every line with every other, some rows at a time: the sparse product
    of 33,000 lines takes 13 GB at once, and OpenBLAS crashed over the dense one.
    """
    whole = np.empty((lines_.shape[0], lines_.shape[0]), dtype=np.float32)
    for at in range(0, len(whole), _ROWS):
        some = lines_[at : at + _ROWS] @ lines_.T
        whole[at : at + _ROWS] = share * (some if isinstance(some, np.ndarray) else some.toarray())
    return whole


def _rbf(vectors: Floats, shape: Shape) -> Floats:
    """Return the similarity of every line with every other, in place: it takes 4 GB."""
    kernel = _products(vectors)
    kernel -= 1
    kernel *= 2 * shape.gamma
    return np.asarray(np.exp(kernel, out=kernel), dtype=np.float32)


def axes_of(vectors: Floats) -> Floats:
    """Return the directions along which vectors differ most, one a column: enough to be near by."""
    _, found = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    return np.asarray(found[:, : -AXES - 1 : -1], dtype=np.float32)


def _weights(own: Any, alphas: Floats, shape: Shape) -> dict[str, Any]:
    told = np.asarray(own.T @ alphas, dtype=np.float32).ravel()
    framed = told[BUCKETS:]
    return {
        "alphas": alphas.astype(np.float32),
        **small("buckets", shape.grams * told[:BUCKETS]),
        **(small("frames", shape.frames * framed) if len(framed) else {}),
    }


def _as_matrix(found: Sequence[npt.NDArray[np.int64]]) -> Any:
    lengths = [len(each) for each in found]
    values = np.concatenate([np.full(n, 1 / np.sqrt(max(n, 1))) for n in lengths])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return csr_matrix((values, np.concatenate(found), starts), shape=(len(found), BUCKETS))
