"""A second, learned detector beside the lexicon: it finds what is meant and not named (ES-01).

It only ever adds classes. Small, deterministic and offline: weights are data with a hash
(``weights.npz``, ``encoder.npz``), made by ``training/`` from the corpus (``swarm/safety/corpus``).
What lives here: cutting a mail into pieces (``pieces``), features of a piece (``features``,
``encoder``), the score (``model``), and what the tier stage asks (``ring``). The lexicon is in
``swarm.safety.detectors``.
"""

from swarm.safety.learned.model import loaded_whole, version
from swarm.safety.learned.ring import Heard, Ring, listen

__all__ = ["Heard", "Ring", "listen", "loaded_whole", "version"]
