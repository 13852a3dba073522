"""A second, learned detector beside the lexicon: it finds what is meant and not named (ES-01).

It only ever adds classes. Small, deterministic and offline: an encoder, its readers and where they
stand are data with a hash (``encoder.onnx``, ``*.npz``, ``calibration.json``), which ``training/``
makes from the corpus (``swarm/safety/corpus``). What lives here: cutting a mail into pieces
(``pieces``), which of them are read (``skimming``), what a piece means (``encoder``, whose
vocabulary ``unigram`` cuts words into), what that tells (``reader``), and what the tier stage asks
(``ring``). The lexicon is in ``swarm.safety.detectors``.
"""

from swarm.safety.learned.reader import loaded_whole, version
from swarm.safety.learned.ring import Heard, Ring, listen

__all__ = ["Heard", "Ring", "listen", "loaded_whole", "version"]
