"""Sets from which value on a text counts, for both questions that the encoder was tuned on.

    .venv/bin/python training/calibrate.py

After ``tune.py`` and ``skim.py``. The thresholds stand on harmless lines, most of which tempt, of
authors neither the encoder nor its readers have seen (``*calibrate-*``); the held-back part is for
judging. What was learned from is told beside them, in ``calibration.json`` of each
detector. A minute on one core; the same corpus and encoder give the same values.
"""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from corpus import CORPUS, Row, learned_from, lines, promise_lines, sha256_of

from swarm.safety.learned import encoder, reader, skimming
from swarm.safety.learned.skimming import likelihoods
from swarm.safety.promises import head
from swarm.safety.words import words_of

SAFETY = Path("swarm/safety")
# Shares of harmless lines that lie above; the first two of the everyday ones.
SKIMMED, DOUBT, LEANING, LOUD, SELF_HARM = 0.60, 0.30, 0.15, 0.09, 0.01
PROMISE = 0.05  # the least at which nine of ten promises of unseen authors are found


def main() -> int:
    write(SAFETY / "learned" / reader.CALIBRATION, of_mails())
    write(SAFETY / "promises" / head.CALIBRATION, of_promises())
    return 0


def of_mails() -> dict[str, Any]:
    """Return what to write about pieces of mails."""
    rows, others = [*lines("train"), *lines("mails-train")], [*lines("calibrate")]
    texts = [row["text"] for row in others]
    likely = likelihoods([[word.text for word in words_of(text)] for text in texts])
    of_kinds = reader.values_of_kinds("escalation", encoder.vectors(texts))
    harmless = np.array([row["class"] == "harmless" for row in others])
    everyday = harmless & np.array([row["manner"] == "everyday" for row in others])
    odds, harm = reader.odds(of_kinds), reader.odds_of_self_harm(of_kinds)
    bars = {
        "skimmed": _above(likely[everyday], SKIMMED),
        "doubt": _above(odds[everyday], DOUBT),
        "leaning": _above(odds[harmless], LEANING),
        "loud": _above(odds[harmless], LOUD),
        "self_harm": _above(harm[harmless], SELF_HARM),
    }
    rings = (likely > bars["skimmed"]) & ((odds > bars["loud"]) | (harm > bars["self_harm"]))
    return _told(bars, rows, others, "calibrate", rings[~harmless])


def of_promises() -> dict[str, Any]:
    """Return what to write about sentences of ours."""
    rows, others = [*promise_lines("train")], [*promise_lines("calibrate")]
    odds = np.array(head.values([row["text"] for row in others]))
    harmless = np.array([row["class"] == "harmless" for row in others])
    bars = {"loud": _above(odds[harmless], PROMISE)}
    return _told(bars, rows, others, "promises-calibrate", odds[~harmless] > bars["loud"])


def _above(values: npt.NDArray[np.floating[Any]], share: float) -> float:
    return round(float(np.quantile(values, 1 - share)), 4)


def _told(
    bars: Mapping[str, float],
    rows: Sequence[Row],
    others: Sequence[Row],
    part: str,
    found: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    return {
        "thresholds": bars,
        "found_of_unseen_authors": round(float(found.mean()), 4),
        "calibrated_on": len(others),
        "learned_from": len(rows),
        "by_language": dict(sorted(Counter(row["language"] for row in rows).items())),
        "by_class": dict(sorted(Counter(row["class"] for row in rows).items())),
        "background_sentences": _background(),
        "learned_from_sha256": learned_from(),
        "calibrated_on_sha256": sha256_of(*sorted(CORPUS.glob(f"{part}-??.jsonl"))),
        "encoder_sha256": encoder.digest(),
        "skimming_sha256": hashlib.sha256(skimming.content()).hexdigest(),
    }


def _background() -> int:
    """Return how many free sentences were learned from; ends where what learned is another's."""
    counts = set()
    for name in (encoder.TUNED, skimming.WEIGHTS):
        with np.load(SAFETY / "learned" / name) as stored:
            if str(stored["learned_from"]) != learned_from():
                sys.exit(f"{name} was not made from this corpus: run tune.py and skim.py first")
            counts.add(int(stored["background"]))
    (count,) = counts
    return count


def write(path: Path, told: Mapping[str, Any]) -> None:
    """Write and show it."""
    text = json.dumps(told, indent=2)
    path.write_text(f"{text}\n", "utf-8")
    print(path, text)


if __name__ == "__main__":
    sys.exit(main())
