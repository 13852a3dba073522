"""How often does a whole mail escalate? On invented mails of several sentences, in seven languages.

    .venv/bin/python bench/whole_mails.py [--rang]

Harmless mails, and dangerous ones that mean one thing in one sentence among ordinary ones. Their
author saw nothing that is learned from, and nothing is learned from them. A mail has a dozen
pieces, each of which may ring in vain: what a line in a hundred does, a mail in eight does.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from one_line_mail import a_mail

from swarm.safety.detectors import detect

MAILS = Path(__file__).parents[1] / "swarm" / "safety" / "corpus" / "mails.jsonl"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rang", action="store_true", help="say why harmless ones escalate")
    options = parser.parse_args()
    rang, of = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for line in MAILS.read_text("utf-8").splitlines():
        mail = json.loads(line)
        harmless = mail["class"] == "harmless"
        why = [reason.detail for reason in detect(a_mail(mail["text"])).reasons]
        for group in (mail["language"], "all"):
            rang["harmless" if harmless else "dangerous", group] += bool(why)
            of["harmless" if harmless else "dangerous", group] += 1
        if options.rang and harmless and why:
            print(mail["language"], *why, sep="; ")
    for kind, group in sorted(of):
        print(f"{kind:9} {group:3} {rang[kind, group]:3} of {of[kind, group]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
