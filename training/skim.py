"""Trains what says which pieces of a mail are read; writes ``learned/skimming.npz``.

    pip install scikit-learn==1.9.1
    .venv/bin/python training/skim.py [--background FILE.jsonl]

A linear model over n-grams, of the same lines as the encoder (``tune.py``), a minute on one core.
``--background`` adds sentences of public-domain or CC0 mails on which the lexicon is silent, as
harmless; their text stays where it is. The same lines give the same weights. Afterwards:
``calibrate.py``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from corpus import background, learned_from, lines, mail_lines
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from swarm.safety.learned.skimming import BUCKETS, WEIGHTS, grams
from swarm.safety.words import words_of

TARGET = Path("swarm/safety/learned") / WEIGHTS
COST = 10.0


def main() -> int:
    options = _arguments()
    free = background(options.background)
    rows = [*lines("train"), *mail_lines("train"), *free]
    wanted = [row["class"] != "harmless" for row in rows]
    model = LogisticRegression(C=COST, solver="liblinear", max_iter=300)
    weights = model.fit(_matrix([row["text"] for row in rows]), wanted).coef_[0]
    scale = np.abs(weights).max() / 127  # 8-bit numbers: a quarter of the bytes, the same findings
    small = np.rint(weights / scale).astype(np.int8)
    told = {"learned_from": learned_from(), "background": len(free)}
    np.savez_compressed(TARGET, weights=small, scale=np.float32(scale), **told)
    print(f"{len(rows)} lines, {sum(wanted)} of them dangerous")
    return 0


def _matrix(texts: Sequence[str]) -> Any:
    found = [grams([word.text for word in words_of(text)]) for text in texts]
    lengths = [len(each) for each in found]
    values = np.concatenate([np.full(n, 1 / np.sqrt(max(n, 1))) for n in lengths])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return csr_matrix((values, np.concatenate(found), starts), shape=(len(found), BUCKETS))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--background", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
