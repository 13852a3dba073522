"""Where an earlier mail begins is seen by its shape, whatever the language."""

# ruff: noqa: E501, RUF001 - heads in their own alphabets

import pytest

from swarm.intake.mail.apart import taken_apart
from swarm.intake.mail.quoting import split_quotes
from swarm.models import Address, SetAsideKind

SAID = "Thank you, that is fine. When will it arrive then?"
ADA = Address(address="ada@kunde.example", name="Ada")
OLD = "The old date was 3 May and we ask you for your number, please."

HEADS = {
    "Greek labels": "Από: Service <service@example.com>\nΣτάλθηκε: Δευτέρα, 2 Νοεμβρίου 2026 10:00 πμ"
    "\nΠρος: Ada\nΘέμα: Order",
    "Hebrew labels": "מאת: Service <service@example.com>\nנשלח: יום שני 2 נובמבר 2026 10:00\nאל: Ada"
    "\nנושא: Order",
    "Lithuanian labels": "Nuo: Service <service@example.com>\nIšsiųsta: 2026 m. lapkričio 2 d. 10:00"
    "\nKam: Ada\nTema: Order",
    "Japanese labels, wide colons": "差出人：Service <service@example.com>\n送信日時：2026年11月2日 10:00"
    "\n宛先：Ada",
    "Icelandic labels, in bold": "*Frá:* Service <service@example.com>\n*Sent:* mánudagur, 2. nóvember 2026"
    " 10:00\n*Til:* Ada",
    "Estonian line": "Kuupäev E, 2. november 2026 kell 10:00 kirjutas Service <service@example.com>:",
    "Latvian line": "Pirmd., 2026. g. 2. nov., plkst. 10:00 — Service (service@example.com) rakstīja:",
    "Croatian line, wrapped": "Dana pon, 2. stu 2026. u 10:00 Service Team of the Example Company\n"
    "<service@example.com> je napisao/la:",
    "Persian line": "در تاریخ دوشنبه ۲ نوامبر ۲۰۲۶ ساعت ۱۰:۰۰ Service <service@example.com> نوشت:",
    "Korean line": "2026년 11월 2일 (월) 오전 10:00, Service <service@example.com>님이 작성:",
    "line without verb": "Service <service@example.com>, 2 Nov 2026 10:00:",
    "French mark": "=-=-=- Merci de répondre au-dessus de cette ligne -=-=-=",
    "Spanish mark": "##- Por favor, escriba su respuesta por encima de esta línea -##",
    "Chinese mark": "---- 请在此行上方输入您的回复内容 ----",
}


@pytest.mark.parametrize("head", HEADS)
def test_what_stands_below_a_head_is_history(head: str) -> None:
    split = split_quotes(f"{SAID}\n\n{HEADS[head]}\n\n{OLD}", "ada@kunde.example")
    assert split.text == SAID
    assert OLD in split.quoted
    assert HEADS[head].split("\n")[0] in split.quoted


@pytest.mark.parametrize(
    "text",
    [
        "I wrote to service@example.com on 2 November 2026 at 10:00 and said:\nplease hurry.",
        "Name: Ada Kern\nE-mail: ada@kunde.example\nBought: 2 Nov 2026 10:00\nOrder: 5\n\nIt broke.",
        "Order: 5\nColour: red\nSize: 10:00\n\nIs it there?",
        "--- My new address ---\n5 Mill Lane",
        "== Question 2 of my list is this ==\nwhere is it?",
        "My choice on 5 May 2026:\nthe red lamp.",
        "*** I have waited for a very long time ***\nWhere is it?",
    ],
)
def test_what_the_customer_lists_is_no_head(text: str) -> None:
    assert split_quotes(text, "ada@kunde.example").text == text


def test_a_line_above_a_head_without_a_blank_line_stays_the_senders() -> None:
    body = (
        "Where is order 5?\nOn Mon, 2 Nov 2026 at 10:00, Service <service@example.com> wrote:\n> x"
    )
    assert split_quotes(body).text == "Where is order 5?"


def test_below_a_mark_at_the_very_top_the_sender_answers() -> None:
    body = f"##- Please type your reply above this line -##\n\n{SAID}"
    assert split_quotes(body).text == SAID


@pytest.mark.parametrize(
    "mark",
    [
        "##- Please type your reply above this line -##",
        "-- Bitte oberhalb dieser Zeile antworten --",
        "--- Schreiben Sie Ihre Antwort bitte über dieser Zeile ---",
        "-- Merci de répondre au-dessus de cette ligne --",
        "=== Por favor, escriba su respuesta por encima de esta línea ===",
        "--- Si prega di rispondere sopra questa riga ---",
        "## Gelieve uw antwoord boven deze lijn te typen ##",
        "---- Por favor, responda acima desta linha ----",
    ],
)
def test_a_mark_in_nothing_but_its_words_begins_the_history_and_is_nobodys(mark: str) -> None:
    apart = taken_apart(f"{SAID}\n\n{mark}\n\nWhich colour did you want?", ADA)
    assert apart.text == SAID
    assert [(part.kind, part.text, part.judged) for part in apart.parts] == [
        (SetAsideKind.HISTORY, "Which colour did you want?", True),
        (SetAsideKind.BANNER, mark, False),
    ]


@pytest.mark.parametrize(
    "said",
    [
        "-- reply above this line or i come to your house --",
        "##- please write to my lawyer above this line -##",
        "-- please reply above this line: 0171 555 --",
        "-- please answer or die over this line --",
        "-- reply above this line \U0001f52a --",
        "-- please end my contract above this line --",
        f"-- please reply above this line --{' ' * 400}I will sue you.",
    ],
)
def test_a_mark_with_another_word_is_judged(said: str) -> None:
    apart = taken_apart(f"{SAID}\n\n{said}\n\nWhich colour did you want?", ADA)
    kept = [apart.text, *(part.text for part in apart.parts if part.judged)]
    assert any(said in text for text in kept)


def test_the_lost_end_of_a_wrapped_quote_is_quoted_and_an_answer_is_not() -> None:
    long = "> We would be glad to hear whether the lamp that you have ordered from our"
    wrapped = split_quotes(f"Yes.\n{long}\nshop has come\n> to your house.\n")
    answered = split_quotes(f"Yes.\n{long} shop?\nIt has come.\n> And the table?\n")
    assert wrapped.text == "Yes."
    assert answered.text == "Yes.\nIt has come."
