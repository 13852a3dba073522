"""What does the inspection of one draft cost? Milliseconds of CPU, by rule.

    .venv/bin/python bench/draft_inspection.py [N]

Two drafts: one of the rules specialist, and a longer one as a model writes it, whose sentences are
new each time (the learned detector remembers the sentences it has scored).
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from replying import brief, services

from swarm.models import Draft
from swarm.safety.ruleset import rule
from swarm.specialists.protocol import Proposal
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.floor import case_of
from swarm.stages.reply.assemble import assemble
from swarm.stages.spoken import spoken_in

RULES = ("ES-07", "ES-08", "ES-09", "ES-11", "ES-14", "ES-26")
LONG = (
    "Thank you for message {n} about your order. We have looked at what our records say about it. "
    "The chair of lot {n} was handed to the carrier, and its tracking page names a depot.\n\n"
    "Whether parcel {n} was opened there we cannot tell from here. Could you let us know which of "
    "the two boxes arrived, and what the label of box {n} says? A photo of the label helps us.\n\n"
    "Your remark about packaging {n} has been noted as well."
)


def main(times: int) -> None:
    given = brief()
    print(f"{'':10}{'language':>10}" + "".join(f"{name:>8}" for name in RULES) + f"{'all':>8}")
    for what, said in (("rules", None), ("model", LONG)):
        spent = [0.0] * (len(RULES) + 1)
        for number in range(times + 1):
            draft = _draft(said, number)
            costs = _costs(given, draft)
            if number:  # the first one loads the weights
                spent = [a + b for a, b in zip(spent, costs, strict=True)]
        each = [total / times * 1000 for total in spent]
        print(
            f"{what:10}{each[0]:>10.2f}" + "".join(f"{one:>8.2f}" for one in (*each[1:], sum(each)))
        )


def _costs(given: object, draft: Draft) -> list[float]:
    began = time.process_time()
    spoken_in(draft, given.received.work_order.key)
    costs = [time.process_time() - began]
    case = case_of(given, draft, services())
    for name in RULES:
        began = time.process_time()
        rule(name).check(case)
        costs.append(time.process_time() - began)
    return costs


def _draft(said: str | None, number: int) -> Draft:
    given = brief()
    if said is None:
        proposal = RulesSpecialist().propose(given, None, ())
    else:
        proposal = Proposal(body_text=said.format(n=_word(number)), language="en")
    return assemble(proposal, given, author="bench", revision=0)


def _word(number: int) -> str:
    return "".join(chr(ord("a") + number // 26**n % 26) for n in range(3))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
