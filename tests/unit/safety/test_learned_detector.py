"""The learned detector: finds what is meant and not named, adds only, and is the same every time."""

# ruff: noqa: E501 - sample sentences stay on one line

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from importlib import resources
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_line_mail import a_mail

import swarm.safety
from swarm.models import EscalationClass, Tier
from swarm.safety import learned
from swarm.safety.detectors.detection import DETECTORS, detect, rings_the_lexicon
from swarm.safety.learned import encoder, ring
from swarm.safety.learned.pieces import SHORT, WINDOW, pieces_of
from swarm.safety.learned.plain import plain
from swarm.safety.learned.reader import Scored, adding, odds_of_self_harm, thresholds
from swarm.safety.learned.ring import DESK, worth_reading
from swarm.safety.learned.skimming import grams
from swarm.safety.ruleset import _sources

SAFETY = Path(swarm.safety.__file__).parent
CORPUS = SAFETY / "corpus"
# What bench/learned_detector.py gave, less what a third of the lines may differ by.
LEAST_FOUND, FOUND, MOST_FALSE = 0.77, 0.88, 0.12

# Plainly meant, in no word of the lexicon.
NEEDLES = [
    (
        "en",
        "I have sorted my papers and written to the children, after Sunday nobody needs to worry about me.",
    ),
    (
        "en",
        "The heater gave off such fumes that we all had headaches and slept at the neighbours'.",
    ),
    ("de", "Ich habe die Katze zu meiner Mutter gebracht, ab Montag braucht mich keiner mehr."),
    ("de", "In dem Umschlag lag die Gehaltsabrechnung einer Frau, die ich gar nicht kenne."),
    ("fr", "La prise a noirci le mur et la petite a reçu une décharge dans la main."),
    ("es", "Me han llegado los análisis de sangre de otra señora con su nombre y su dirección."),
]
HARMLESS = {
    "en": "Hello there. I ordered the blue kettle last week. Could you tell me when it will come? I am at home on Friday. Many thanks for your help.",
    "de": "Guten Tag. Ich habe letzte Woche den blauen Kessel bestellt. Wann kommt er denn an? Am Freitag bin ich zu Hause. Vielen Dank für die Auskunft.",
    "fr": "Bonjour. J'ai commandé la bouilloire bleue la semaine dernière. Quand arrive-t-elle ? Je suis chez moi vendredi. Merci pour votre réponse.",
    "es": "Buenos días. Pedí el hervidor azul la semana pasada. ¿Cuándo llega? El viernes estoy en casa. Muchas gracias por la respuesta.",
}


def rows(part: str) -> list[dict[str, str]]:
    found = [
        json.loads(line)
        for path in sorted(CORPUS.glob(f"{part}-*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    assert found
    return found


@pytest.mark.parametrize(("language", "needle"), NEEDLES)
def test_what_is_meant_is_found_alone_and_among_harmless_sentences(
    language: str, needle: str
) -> None:
    assert not rings_the_lexicon(needle), "this one shows what the lexicon cannot"
    assert not learned.listen((HARMLESS[language],))[0].rings
    one, two, *rest = HARMLESS[language].split(". ")
    for mail in (needle, f"{one}. {two}. {needle} {'. '.join(rest)}"):
        found = detect(a_mail(mail, language))
        assert found.tier is Tier.ESCALATE
        assert any("learned" in reason.detail for reason in found.reasons)


def test_the_sentence_that_rang_and_the_words_that_told_are_shown_and_no_reason_quotes_them() -> (
    None
):
    language, needle = NEEDLES[0]
    text = f"Hello. {needle} Thanks."
    found = detect(a_mail(text, language))
    shown = [span for span in found.spans if span.label.startswith("learned")]
    assert all(text[span.start : span.end].startswith(span.excerpt[:20]) for span in shown)
    assert {span.label for span in shown} >= {"learned: told by"}
    words = {word.strip(".,") for word in needle.lower().split() if len(word) > 5}
    assert not words & set(" ".join(reason.detail for reason in found.reasons).lower().split())


def test_it_adds_classes_and_takes_none_away() -> None:
    text = "My lawyer will write to you. I have sorted my papers and after Sunday nobody needs me."
    found = detect(a_mail(text, "en"))
    assert EscalationClass.LEGAL in found.classes
    assert len(found.classes) > 1


def test_the_same_text_gives_the_same() -> None:
    for _, needle in NEEDLES:
        assert learned.listen((needle,)) == learned.listen((needle,))


def test_texts_listened_to_together_are_heard_each_by_itself() -> None:
    texts = (HARMLESS["en"], NEEDLES[0][1], "", "Order 20417", NEEDLES[2][1])
    assert learned.listen(texts) == tuple(learned.listen((text,))[0] for text in texts)
    topics = ((0, 3), (), (), (2,), (5,))
    told = tuple(
        learned.listen((text,), (places,))[0] for text, places in zip(texts, topics, strict=True)
    )
    assert learned.listen(texts, topics) == told


def test_what_holds_a_topic_is_read_whatever_skimming_says() -> None:
    text = "Many thanks for the tea. The blue kettle is here. Have a nice day."
    pieces = pieces_of(text).alone
    assert worth_reading(pieces) == []
    (read,) = worth_reading(pieces, [text.index("kettle")])
    assert text[read.start : read.end] == "The blue kettle is here"
    assert len(worth_reading(pieces_of("Lawyer!").alone, [0])) == 1


def test_a_sentence_is_read_with_its_neighbours_where_it_is_in_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def scored(texts: Sequence[str]) -> list[Scored]:
        read.extend(texts)
        return scores(texts)

    scores = ring.scored
    monkeypatch.setattr(ring, "scored", scored)
    one, two = "I have given the dog away and paid all the bills", "Nobody will miss me on Monday"
    learned.listen((f"{one}. {two}. The blue kettle came on time and it boils very well.",))
    assert f"{one}. {two}" in read
    read.clear()
    learned.listen(("Many thanks for the tea. The blue kettle is here.",))
    assert read == []


def test_a_text_of_more_doubt_than_is_read_in_time_cannot_be_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ring, "MOST_READ", 60)
    said = "I cannot sleep since the thing with the invoice number {}. "
    few, many = ("".join(said.format(n) for n in range(count)) for count in (1, 9))
    assert EscalationClass.UNKNOWN not in detect(a_mail(few)).classes
    found = detect(a_mail(many))
    assert EscalationClass.UNKNOWN in found.classes
    assert any("more sentences worth reading" in reason.detail for reason in found.reasons)


def test_a_text_of_nothing_but_topics_costs_no_square() -> None:
    began = time.process_time()
    detect(a_mail("bgb; " * 19_000))
    assert time.process_time() - began < 5


def test_what_is_said_again_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[list[int]] = []

    def counted(self: encoder._Encoder, tokens: list[int]) -> encoder.Vectors:
        read.append(tokens)
        return vector(self, tokens)

    vector = encoder._Encoder.vector
    monkeypatch.setattr(encoder._Encoder, "vector", counted)
    said = [text for _, text in NEEDLES]
    again = encoder.vectors([*said, *reversed(said)])
    assert np.array_equal(again[: len(said)], again[len(said) :][::-1])
    assert read == [encoder.tokens_of(plain(text)) for text in said]


def test_what_the_words_add_is_what_the_vector_is_made_of() -> None:
    said = NEEDLES[0][1]
    added = encoder.shares(said.split())
    assert added.shape == (len(said.split()), encoder.DIMENSIONS)
    assert float(added.sum(0) @ encoder.vectors([said])[0]) > 0.7  # the ends have a share, too


def test_what_a_word_is_made_of_is_the_same_in_every_piece() -> None:
    alone, among = ({*map(int, grams(words))} for words in (["kettle"], ["my", "kettle", "hisses"]))
    framed = {*map(int, grams(["kettle"]))} - among
    assert len(alone & among) > len("kettle")
    assert len(framed) == len(("^ kettle", "kettle $"))


@pytest.mark.parametrize("stop", [". ", "! ", "… ", ".\n", "\n"])
def test_words_made_sentences_are_read_together(stop: str) -> None:
    pieces = pieces_of(stop.join(["i", "cannot", "go", "on", "after", "friday"])).alone
    assert pieces
    assert any(len(piece.words) >= SHORT for piece in pieces)


@given(st.text(max_size=3000))
@settings(deadline=None)
def test_pieces_are_places_of_the_text_of_bounded_length(text: str) -> None:
    alone, joined = pieces_of(text)
    assert len({*alone, *joined}) == len(alone) + len(joined)
    for piece in (*alone, *joined):
        assert 0 <= piece.start < piece.end <= len(text)
        assert 0 < len(piece.words) <= WINDOW


@pytest.mark.parametrize("shape", ["no. ", "a b c\n", "word ", "Who? Me! ", "x;y;z; "])
def test_what_is_said_again_is_read_once_however_often(shape: str) -> None:
    alone, joined = pieces_of((shape * 50_000)[:100_000])
    assert len({piece.words for piece in (*alone, *joined)}) <= 12


def test_a_topic_that_is_calm_once_is_calm_wherever_it_is_said_again() -> None:
    said = "The hospital garden looks lovely with your green lamps. "
    (heard,) = learned.listen((said * 3,), ((4, 60, 116),))
    places = [4 + n * len(said) for n in range(3)]
    assert not any(heard.leans(place) for place in places)


def test_a_text_of_ever_other_words_is_cut_in_time() -> None:
    text = "".join(f"a{n} b c. " for n in range(9_000))
    began = time.process_time()
    assert len(pieces_of(text).alone) == 9_000
    assert time.process_time() - began < 5


def test_what_was_set_was_set_for_this_encoder_and_corpus_and_is_part_of_every_version() -> None:
    content = (SAFETY / "learned" / "calibration.json").read_bytes()
    told = json.loads(content)
    skimming = (SAFETY / "learned" / "skimming.npz").read_bytes()
    assert told["encoder_sha256"] == encoder.digest()
    assert told["skimming_sha256"] == hashlib.sha256(skimming).hexdigest()
    whole = hashlib.sha256(content + skimming + encoder.digest().encode()).hexdigest()
    assert DETECTORS["learned"] == whole[:12] == learned.version()


def test_what_learned_and_what_was_set_saw_the_corpus_that_is_here() -> None:
    learned_from = hashed(
        "train-??", "mails-train-??", "promises-train-??", "promises", "promises-harmless"
    )
    for name in ("encoder.npz", "skimming.npz"):
        with np.load(SAFETY / "learned" / name) as stored:
            assert str(stored["learned_from"]) == learned_from, f"the corpus changed: {name}"
    for folder, part in (("learned", "calibrate-??"), ("promises", "promises-calibrate-??")):
        told = json.loads((SAFETY / folder / "calibration.json").read_text("utf-8"))
        assert told["learned_from_sha256"] == learned_from
        assert told["calibrated_on_sha256"] == hashed(part), "the corpus changed: calibrate again"


def hashed(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        for path in sorted(CORPUS.glob(f"{part}.jsonl")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def test_each_bar_is_higher_than_the_one_before() -> None:
    bars = thresholds()
    assert bars.doubt < bars.leaning < bars.loud
    assert bars.self_harm < bars.loud


def test_self_harm_rings_below_the_bar_of_all_others() -> None:
    place, others = encoder.kinds().index("self_harm"), len(encoder.kinds())
    values = np.full((2, others + 1), -9.0, np.float32)
    values[:, -1] = 0.0
    values[0, place] = values[1, place - 1] = (thresholds().self_harm + thresholds().loud) / 2
    hurts, other = odds_of_self_harm(values) > thresholds().self_harm
    assert hurts
    assert not other


def test_the_words_that_tell_add_most() -> None:
    said = "my solicitor will take your lamp shop to court"
    added = dict(zip(said.split(), adding(said.split(), "legal"), strict=True))
    assert {"solicitor", "court"} & {*sorted(added, key=lambda word: -added[word])[:3]}


def test_every_byte_of_the_detector_is_part_of_the_ruleset_s_version() -> None:
    named = {name for name, _ in _sources(resources.files("swarm.safety"), "")}
    data = {"calibration.json", "encoder.npz", "encoder.onnx", "skimming.npz"}
    assert named >= {f"learned/{name}" for name in data} | {"promises/calibration.json"}


def test_every_line_of_the_corpus_is_of_a_known_kind_and_none_stands_in_two_parts() -> None:
    names = ("train", "calibrate", "held", "mails-train", "mails-calibrate")
    parts = {name: rows(name) for name in names}
    kinds = {*DESK, "harmless"}
    assert {row["class"] for part in parts.values() for row in part} == kinds
    assert Counter(row["language"] for row in parts["held"]) == dict.fromkeys(
        ("de", "en", "es", "fr", "it", "nl", "pt"), 360
    )
    said = {name: [_plain(row["text"]) for row in part] for name, part in parts.items()}
    for one, other in combinations(said, 2):
        assert not set(said[one]) & set(said[other]), (one, other)
    assert len(said["held"]) == len(set(said["held"]))


def test_a_dangerous_mail_says_which_of_its_words_are() -> None:
    for row in (*rows("mails-train"), *rows("mails-calibrate")):
        said = row["text"].count(row["danger"]) if "danger" in row else 0
        assert said == (row["class"] != "harmless"), row["text"]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def test_the_held_back_part_is_found_no_worse_than_when_it_was_measured() -> None:
    """A third of the must-escalate set (the bench judges all of it), by both detectors."""
    found, of = Counter[str](), Counter[str]()
    for row in rows("held")[::3]:
        part = "false" if row["class"] == "harmless" else "found"
        classes = set(detect(a_mail(row["text"], row["language"])).classes)
        found[f"{part} {row['language']}"] += bool(classes - {EscalationClass.UNKNOWN})
        of[f"{part} {row['language']}"] += 1
    recall = {name: found[name] / of[name] for name in of if name.startswith("found")}
    false = {name: found[name] / of[name] for name in of if name.startswith("false")}
    assert min(recall.values()) >= LEAST_FOUND, recall
    assert sum(recall.values()) / 7 >= FOUND, recall
    assert max(false.values()) <= MOST_FALSE, false
