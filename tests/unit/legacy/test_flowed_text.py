"""``format=flowed``: lines that a program broke are one paragraph again."""

import pytest

from swarm.legacy.mime import parse_mail
from swarm.legacy.mime_flowed import unflowed

HEAD = (
    "From: Ada <ada@kunde.example>\nTo: service@example.com\nSubject: x\n"
    "Content-Type: text/plain; charset=utf-8; {}\n\n"
)


def body(parameters: str, text: str) -> str:
    return parse_mail((HEAD.format(parameters) + text).encode()).body_text.rstrip("\n")


def test_a_line_that_ends_in_a_blank_flows_into_the_next() -> None:
    assert body("format=flowed", "I want \nto know.\nThanks") == "I want to know.\nThanks"


def test_a_blank_that_the_program_put_in_goes() -> None:
    assert body('Format="Flowed"; DelSp=Yes', "my or \nder 20417") == "my order 20417"


def test_a_mail_that_does_not_flow_stays_as_it_is() -> None:
    assert body("format=fixed", "one \ntwo") == "one \ntwo"


@pytest.mark.parametrize(
    ("text", "flowed"),
    [
        ("> a \n> b\nc", "> a b\nc"),
        (">> a \n> b", ">> a \n> b"),
        ("text \n-- \nAda", "text \n-- \nAda"),
        (" >not quoted", ">not quoted"),
        ("ends with a blank ", "ends with a blank "),
    ],
)
def test_quotes_signatures_and_stuffing_are_kept_apart(text: str, flowed: str) -> None:
    assert unflowed(text, delsp=False) == flowed
