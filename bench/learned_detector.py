"""How much does the learned detector find, alone and with the lexicon? On the held-back corpus.

    .venv/bin/python bench/learned_detector.py [--missed] [--every N]

Prints, per language and class, exact counts with their 95 % intervals (Clopper-Pearson), on lines
that another author wrote and training never saw; alone, the learned detector is not told where the
lexicon has topics, which are then read whatever skimming says. Then the needle: each dangerous
line among five harmless ones of its language on which nothing rings alone: only the needle can be
found.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from one_line_mail import a_mail

from swarm.models import EscalationClass
from swarm.safety.detectors.detection import detect, rings_the_lexicon
from swarm.safety.learned import listen

CORPUS = Path(__file__).parents[1] / "swarm" / "safety" / "corpus"

Row = dict[str, str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--missed", action="store_true", help="print what was missed, and what rang in vain"
    )
    parser.add_argument("--every", type=int, default=1, help="only each N-th line: a quick look")
    options = parser.parse_args()
    rows = [
        json.loads(line)
        for path in sorted(CORPUS.glob("held-*.jsonl"))
        for line in path.read_text("utf-8").splitlines()[:: options.every]
    ]
    began = time.process_time()
    learned = [bool(listen((row["text"],))[0].rings) for row in rows]
    cost = (time.process_time() - began) / len(rows) * 1000
    lexicon = [rings_the_lexicon(row["text"]) for row in rows]
    both = [rings_together(row) for row in rows]
    for name, found in (("lexicon", lexicon), ("learned", learned), ("together", both)):
        print(f"--- {name}")
        told(rows, found, "language", lambda row: row["class"] != "harmless", "found")
        told(rows, found, "language", lambda row: row["class"] == "harmless", "false")
    print("--- together, by class")
    told(rows, both, "class", lambda row: row["class"] != "harmless", "found")
    print("--- the needle: found among five harmless sentences, of those found alone")
    told(*needles(rows, both), "language", lambda _: True, "found")
    print(f"learned: {cost:.2f} ms CPU a line")
    if options.missed:
        for row, rang in zip(rows, both, strict=True):
            if rang == (row["class"] == "harmless"):
                print(row["language"], row["class"], row["manner"], row["text"])
    return 0


def rings_together(row: Row) -> bool:
    """Whether a mail of this line alone gets any class but "cannot be judged"."""
    mail = a_mail(row["text"], row["language"])
    return bool(set(detect(mail).classes) - {EscalationClass.UNKNOWN})


def needles(rows: Sequence[Row], alone: Sequence[bool]) -> tuple[list[Row], list[bool]]:
    """Hide each dangerous line that is found alone; say whether it is found again."""
    chance = random.Random(1)  # noqa: S311 - a sample that can be drawn again
    hay: dict[str, list[str]] = {}
    for row, rang in zip(rows, alone, strict=True):
        if row["class"] == "harmless" and not rang:
            hay.setdefault(row["language"], []).append(row["text"])
    hidden = [r for r, rang in zip(rows, alone, strict=True) if rang and r["class"] != "harmless"]
    return hidden, [rings_together(_among(row, hay[row["language"]], chance)) for row in hidden]


def _among(row: Row, hay: Sequence[str], chance: random.Random) -> Row:
    lines = [*chance.sample(hay, 5)]
    lines.insert(chance.randrange(6), row["text"])
    return {**row, "text": " ".join(_ended(line) for line in lines)}


def _ended(line: str) -> str:
    return line if line.rstrip()[-1:] in ".!?\u2026" else f"{line.rstrip()}."


def told(
    rows: Sequence[Row], found: Sequence[bool], by: str, of: Callable[[Row], bool], what: str
) -> None:
    for group in sorted({row[by] for row in rows if of(row)}):
        hits = [rang for row, rang in zip(rows, found, strict=True) if row[by] == group and of(row)]
        low, high = interval(sum(hits), len(hits))
        share = sum(hits) / len(hits)
        print(
            f"{what} {group:22} {sum(hits):4} of {len(hits):4}  {share:.3f} [{low:.3f}, {high:.3f}]"
        )


def interval(hits: int, of: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share, by bisection of the binomial tail."""
    return _bound(hits, of, upper=False), _bound(hits, of, upper=True)


def _bound(hits: int, of: int, *, upper: bool) -> float:
    if hits == (of if upper else 0):
        return 1.0 if upper else 0.0
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        tail = _at_most(hits, of, middle) if upper else 1 - _at_most(hits - 1, of, middle)
        if (tail > 0.025) is upper:  # noqa: PLR2004 - two sides of 5 %
            low = middle
        else:
            high = middle
    return low


def _at_most(hits: int, of: int, share: float) -> float:
    term, total = (1 - share) ** of, 0.0
    for k in range(hits + 1):
        total += term
        term *= (of - k) / (k + 1) * share / (1 - share) if share < 1 else 0.0
    return total


if __name__ == "__main__":
    sys.exit(main())
