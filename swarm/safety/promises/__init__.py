"""The learned part of the commitment detector: it finds promises that no phrase names (ES-08).

It stands beside the phrases of ``lexicon/commitments.txt`` and only ever adds. What reads it is the
encoder of ``swarm.safety.learned``, which was tuned on ``corpus/promises*.jsonl``, too. Cutting a
reply into sentences is in ``sentences``, the score in ``head``. How a promise is built, by rule and
not learned, is in ``grammar``.
"""

from swarm.safety.promises.grammar import built, reported
from swarm.safety.promises.head import promising, version

__all__ = ["built", "promising", "reported", "version"]
