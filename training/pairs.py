"""Trains a pair of kernel machines on lines with two labels; what the training scripts share.

What a line's label means, and where the thresholds stand, is the scripts' business.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.svm import SVC

from swarm.safety.learned.features import BUCKETS, closely_embedded, embedded, frames, grams
from swarm.safety.learned.machines import along
from swarm.safety.words import words_of

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.bool_]

LITTLE = 250  # words of a language that a frame keeps
AXES = 320  # of the 512 of the quick embedding: what it finds stays the same, to a tenth of a point


@dataclass(frozen=True)
class Shape:
    """How near is near, what n-grams, frames and the quick embedding weigh beside the close one,
    and what a line on the wrong side costs.
    """

    gamma: float
    grams: float
    quick: float
    cost: float
    balanced: bool = False
    frames: float = 0.0


class Corpus:
    """Lines with the three views of them."""

    def __init__(self, rows: Sequence[Mapping[str, str]], cache: Path | None) -> None:
        self.rows = rows
        texts = [row["text"] for row in rows]
        self.vectors = _kept(cache, "quick", texts, embedded)
        self.close = _kept(cache, "close", texts, closely_embedded)
        self.words = [tuple(word.text for word in words_of(text)) for text in texts]
        self.grams = _as_matrix([grams(words) for words in self.words])

    def frames(self, lines: Any) -> tuple[frozenset[str], Any]:
        """Return the little words: of each language those that most of these lines have; and the
        frames of all lines, read with them.
        """
        languages = self.column("language")[lines]
        own = [self.words[n] for n in np.arange(len(self.rows))[lines]]
        little: set[str] = set()
        for language in sorted({*languages}):
            told = (set(words) for words, of in zip(own, languages, strict=True) if of == language)
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


def trained(
    corpus: Corpus, wanted: Labels, shape: Shape, lines: Any = slice(None)
) -> dict[str, Any]:
    """Return the arrays of ``machines.pair_of``, trained on these lines of a corpus."""
    wanted, own = wanted[lines], corpus.grams[lines]
    vectors, close = corpus.vectors[lines], corpus.close[lines]
    centre = close.mean(axis=0)
    near = close - centre
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    letters = (shape.grams * (own @ own.T).toarray()).astype(np.float32)
    little, framed = corpus.frames(lines) if shape.frames else (frozenset[str](), None)
    if framed is not None:
        framed = framed[lines]
        letters += (shape.frames * (framed @ framed.T).toarray()).astype(np.float32)
    kernel = _rbf(vectors, shape)
    kernel *= shape.quick
    kernel += _rbf(near, shape)
    kernel += letters
    closely = _machine(shape).fit(kernel, wanted)
    leant_on = closely.support_
    del kernel
    quick = _machine(shape).fit(
        _rbf(vectors[leant_on], shape) + letters[np.ix_(leant_on, leant_on)], wanted[leant_on]
    )
    quickly = leant_on[quick.support_]
    axes = axes_of(vectors[quickly])
    told = own if framed is None else hstack([own, framed]).tocsr()
    return {
        **small("support", vectors[leant_on]),
        **small("close_support", near[leant_on]),
        **_of("close", told[leant_on], closely.dual_coef_[0], closely.intercept_[0], shape),
        **small("quick_support", along(axes, vectors[quickly])),
        "quick_axes": axes,
        **_of("quick", told[quickly], quick.dual_coef_[0], quick.intercept_[0], shape),
        "little": np.array(sorted(little)),
        "close_centre": centre,
        "gamma": shape.gamma,
        "share_of_quick": shape.quick,
    }


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


def _machine(shape: Shape) -> SVC:
    weight = "balanced" if shape.balanced else None
    return SVC(C=shape.cost, kernel="precomputed", class_weight=weight)


def _rbf(vectors: Floats, shape: Shape) -> Floats:
    """Return the similarity of every line with every other, in place: it takes 2 GB."""
    kernel = vectors @ vectors.T
    kernel -= 1
    kernel *= 2 * shape.gamma
    return np.asarray(np.exp(kernel, out=kernel), dtype=np.float32)


def axes_of(vectors: Floats) -> Floats:
    """Return the directions along which vectors differ most, one a column: enough to be near by."""
    _, found = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    return np.asarray(found[:, : -AXES - 1 : -1], dtype=np.float32)


def _of(name: str, own: Any, alphas: Floats, bias: float, shape: Shape) -> dict[str, Any]:
    told = np.asarray(own.T @ alphas, dtype=np.float32).ravel()
    framed = told[BUCKETS:]
    return {
        f"{name}_alphas": alphas.astype(np.float32),
        f"{name}_bias": float(bias),
        **small(f"{name}_buckets", shape.grams * told[:BUCKETS]),
        **(small(f"{name}_frames", shape.frames * framed) if len(framed) else {}),
    }


def _as_matrix(found: Sequence[npt.NDArray[np.int64]]) -> Any:
    lengths = [len(each) for each in found]
    values = np.concatenate([np.full(n, 1 / np.sqrt(max(n, 1))) for n in lengths])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return csr_matrix((values, np.concatenate(found), starts), shape=(len(found), BUCKETS))
