"""Promises that no phrase names: by how a sentence is built, and by what was learned; both add."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

import swarm.safety
from swarm.safety.commitments import commitments, phrases
from swarm.safety.learned import encoder
from swarm.safety.promises import built, head, promising, reported, version
from swarm.safety.promises.sentences import Clause, pieces_of

SAFETY = Path(swarm.safety.__file__).parent


@pytest.mark.parametrize(
    "said",
    [
        "The delivery van is bringing the wardrobe on Saturday.",
        "You need not pay the reminder fee.",
        "Our technician is going to ring you this evening.",
        "Die Versandkosten bekommen Sie selbstverständlich zurück.",
        "Eine Kollegin ruft Sie morgen an.",
        "Les frais de port vous seront rendus.",
        "Ma collègue vous téléphone demain matin.",
        "Le devolvemos los gastos de envío.",
        "El jueves recibe usted el armario.",
        "Le restituiamo le spese di spedizione.",
        "L'armadio le arriva giovedì.",
        "U krijgt de verzendkosten terug.",
        "Een collega belt u morgen.",
        "Devolvemos-lhe os portes.",
        "Um colega liga-lhe amanhã.",
    ],
)
def test_a_plain_promise_is_found(said: str) -> None:
    assert commitments(said)


@pytest.mark.parametrize(
    "said",
    [
        "You ask whether the reminder fee has to be paid.",
        "We cannot say when the wardrobe arrives.",
        "Would you like to keep the wardrobe?",
        "Die Bestellung umfasst einen Schrank und zwei Stühle.",
        "Sie schreiben, eine Kollegin habe Sie angerufen.",
        "Vous demandez si les frais de port vous seront rendus.",
        "La commande comprend une armoire.",
        "¿A qué dirección debía ir el armario?",
        "L'ordine comprende un armadio.",
        "U vraagt of de verzendkosten terugkomen.",
        "A encomenda tem um armário.",
    ],
)
def test_a_harmless_sentence_is_left_alone(said: str) -> None:
    assert commitments(said) == ()


@pytest.mark.parametrize(
    "said",
    [
        "We are putting a second lamp aside for you.",
        "The storage fee has been waived.",
        "You will not be charged for the visit.",
        "Den zweiten Besuch zahlen wir.",
        "Die Lagergebühr ist gestrichen.",
        "Sie müssen für den Besuch nichts bezahlen.",
        "Nous vous rendrons la lampe mardi.",
        "Les frais de garde sont annulés.",
        "Vous n'avez rien à régler.",
        "Mañana le llevaremos la lámpara.",
        "La comisión queda anulada.",
        "No debe usted nada.",
        "Domani le porteremo la lampada.",
        "La commissione è stata stornata.",
        "Non deve più nulla.",
        "De lamp leggen wij voor u opzij, wij houden hem vast.",
        "De opslagkosten zijn geschrapt.",
        "U hoeft niets te betalen.",
        "Amanhã entregaremos o candeeiro.",
        "A taxa foi anulada.",
    ],
)
def test_a_sentence_that_is_built_like_a_promise_is_found_by_rule(said: str) -> None:
    assert built(said)


@pytest.mark.parametrize(
    "said",
    [
        "You ask whether we waive the storage fee.",
        "We cannot waive the storage fee.",
        "Samstags bringen wir keine Lampen.",
        "Sie möchten, dass wir die Lagergebühr streichen.",
        "Wir haben sie erhalten.",
        "Vous demandez si nous annulons les frais de garde.",
        "Pregunta si le llevaremos la lámpara.",
        "Lei chiede se porteremo la lampada.",
        "U vraagt of wij de opslagkosten schrappen.",
        "Pergunta se entregaremos o candeeiro.",
    ],
)
def test_what_is_reported_denied_or_only_acknowledged_is_not_built_like_a_promise(
    said: str,
) -> None:
    assert built(said) == ()


def test_a_phrase_in_what_the_customer_says_binds_nobody() -> None:
    assert phrases("You want the visit to be free of charge.") == ()
    assert phrases("Sie möchten Ihr Geld innerhalb von drei Tagen bekommen.") == ()


def test_a_phrase_behind_a_comma_is_ours_again() -> None:
    assert phrases("As you wanted, the visit is free of charge.")
    assert phrases("You asked for it: the visit is free of charge.")


def test_a_report_is_marked_up_to_the_comma_and_no_further() -> None:
    said = "Thank you. As you asked us to, we do it."
    marked = "".join(c for c, mark in zip(said, reported(said), strict=True) if mark)
    assert marked == " us to"


def test_it_only_adds_to_what_the_phrases_find() -> None:
    said = "We guarantee it. The postage comes back to you."
    assert set(phrases(said)) <= set(commitments(said))


def test_what_it_found_is_the_sentence_and_stands_where_it_says() -> None:
    said = "Thank you for your letter. The postage goes back to your card."
    (span,) = commitments(said)
    assert said[span.start : span.end] == "The postage goes back to your card."


def test_a_promise_behind_an_and_is_a_piece_of_its_own() -> None:
    said = "The chair was delivered in May, and the postage goes back to your card."
    pieces = [said[piece.start : piece.end] for piece in pieces_of(said)]
    assert "and the postage goes back to your card." in pieces


def test_the_same_text_always_gives_the_same() -> None:
    said = "The postage goes back to your card. Is the chair red?"
    assert promising(said) == promising(said)


def test_what_stands_beyond_the_sentences_that_are_judged_counts_as_a_promise() -> None:
    text = "".join(f"Thank you for letter {n}. " for n in range(head.MOST))
    assert promising(text) == ()
    assert promising(f"{text}We wish you well. Goodbye.") == (Clause(len(text), len(text) + 26),)


@pytest.mark.parametrize("text", ["We pay you back letter {}. ", "and we pay you letter {} "])
def test_however_long_a_text_little_of_it_is_read(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def counted(texts: Sequence[str]) -> list[float]:
        seen.extend(texts)
        return [0.0] * len(texts)

    monkeypatch.setattr(head, "values", counted)
    promising("".join(text.format(n) for n in range(5000)))
    assert 0 < len(seen) <= head.MOST


def test_what_was_set_was_set_for_this_encoder() -> None:
    content = (SAFETY / "promises" / "calibration.json").read_bytes()
    told = json.loads(content)
    assert told["encoder_sha256"] == encoder.digest()
    assert version() == hashlib.sha256(content + encoder.digest().encode()).hexdigest()[:12]


def test_nothing_that_is_held_back_was_learned() -> None:
    """What is told counts exactly the lines that are neither held back nor for thresholds."""
    told = json.loads((SAFETY / "promises" / "calibration.json").read_text("utf-8"))
    rows = [
        json.loads(line)
        for path in sorted((SAFETY / "corpus").glob("promises*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    held = {row["text"] for row in rows if row.get("held")}
    open_ones = [row for row in rows if not row.get("held")]
    assert told["learned_from"] + told["calibrated_on"] == len(open_ones)
    assert held
    assert not held & {row["text"] for row in open_ones}
