"""How many promises of a reply does the commitment detector find, and how often is it wrong?

    .venv/bin/python bench/commitments.py [--missed]

200 invented promises and 400 harmless sentences of replies in six languages; a third of each was
held back (``held``), written last and in another style: look at the open part only.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from swarm.safety.commitments import commitments

CORPUS = Path(__file__).parents[1] / "swarm" / "safety" / "corpus"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missed", action="store_true", help="print what is wrong, open part only")
    options = parser.parse_args()
    for name, wanted in (("promises", True), ("promises-harmless", False)):
        rang, of = Counter[str](), Counter[str]()
        for line in (CORPUS / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            found = bool(commitments(row["text"]))
            for group in (row["language"], "held" if row.get("held") else "open"):
                rang[group] += found
                of[group] += 1
            if options.missed and found is not wanted and not row.get("held"):
                print(row["language"], row["text"])
        told = ", ".join(f"{group} {rang[group]}/{of[group]}" for group in sorted(of))
        print(f"{name}: rang on {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
