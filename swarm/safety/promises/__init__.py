"""The learned part of the commitment detector: it finds promises that no phrase names (ES-08).

It stands beside the phrases of ``lexicon/commitments.txt`` and only ever adds. Weights are data
with a hash, made by ``training/train_promises.py`` from ``corpus/promises*.jsonl``. Cutting a reply
into sentences is in ``sentences``, the score in ``head``; features are ``swarm.safety.learned``'s.
How a promise is built, by rule and not learned, is in ``grammar``.
"""

from swarm.safety.promises.grammar import built, reported
from swarm.safety.promises.head import promising, version

__all__ = ["built", "promising", "reported", "version"]
