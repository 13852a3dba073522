"""What is an address in a header and what is none, however a program or an attacker writes it."""

import time
from datetime import UTC, datetime

import pytest

from swarm.legacy.graph_events import event_from_graph
from swarm.legacy.mime import ParsedMail, parse_mail

ADA = "ada@kunde.example"


def of(sender: str, **more: str) -> ParsedMail:
    lines = [f"From: {sender}", "Subject: Lamp"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return parse_mail("\n".join((*lines, "", "Hello\n")).encode())


@pytest.mark.parametrize(
    "address",
    [
        ADA,
        "o'neil+lamp@kunde.example",
        '"ada kern"@kunde.example',
        '"ada@home"@kunde.example',
        "ada@[192.0.2.1]",
        "ada@xn--mller-kva.example",
        "ädä@müller.example",
        "a" * 80 + "@kunde.example",
    ],
)
def test_an_odd_address_is_one_alone_and_behind_a_name(address: str) -> None:
    assert of(address).sender == ("", address)
    assert of(f"Ada Kern <{address}>").sender == ("Ada Kern", address)


@pytest.mark.parametrize(
    "written",
    [
        f"<<{ADA}>>",
        f"Ada Kern <<{ADA}>>",
        f"<{ADA}> Ada Kern",
        f"Ada Kern <{ADA}",
        f"{ADA}>",
        f"Ada Kern [{ADA}]",
        f"Ada Kern (at {ADA})",
        f"Ada <Kern <{ADA}>",
        f"(for bob@kunde.example <{ADA}>",
        f'Ada bob@kunde.example" <{ADA}>',
        f"mailto:{ADA}",
        f"Ada Kern <{ADA}> Ada@",
        f"<@relay.example:{ADA}>",
    ],
)
def test_an_address_the_grammar_refuses_is_found_all_the_same(written: str) -> None:
    found = of(written)
    assert found.sender is not None
    assert found.sender[1] == ADA
    assert found.unread == ()


@pytest.mark.parametrize(
    "written",
    [
        "",
        "Ada Kern",
        "ada at kunde.example",
        "ada@",
        "@kunde.example",
        '"@"',
        "ada@@kunde.example",
        'ada."kern"@kunde.example',
        "undisclosed-recipients:;",
        "<>",
        "Ada Kern <>",
        "a" * 80 + "@" + "x" * 240,  # longer than any address may be
    ],
)
def test_what_is_no_address_is_nobodys(written: str) -> None:
    found = of(written, Reply_To=written, To=written)
    assert (found.sender, found.reply_to, found.to) == (None, (), ())


def test_a_name_is_no_address_where_the_place_for_one_is_empty() -> None:
    """Programs that bounce write ``<>``: the mail is nobody's, whoever its name says it is of."""
    name = '"boss@victim.example"'
    found = of(f"{name} <>", Reply_To=f"{name} <>")
    assert (found.sender, found.reply_to) == (None, ())


BOSS = "boss@victim.example"
EVIL = "a@evil.example"


@pytest.mark.parametrize("place", ["<>", "< >", "<nobody>", "<mailto:>", "<", "<=?utf-8?Q??=>"])
@pytest.mark.parametrize(
    "name",
    [
        f'"{BOSS}"',
        f'"Boss <{BOSS}>"',
        f'"Boss \\"<{BOSS}>"',
        f"Boss {BOSS}",
        f"Boss ({BOSS})",
        f"Boss (<{BOSS}>)",
        f"=?utf-8?Q?{BOSS}?=",
        "=?utf-8?Q?boss=40victim.example?=",
        "=?utf-8?Q?Boss_=3Cboss=40victim.example=3E?=",
        '"=?utf-8?B?Ym9zc0B2aWN0aW0uZXhhbXBsZQ==?="',
    ],
)
def test_nor_is_any_other_name_where_the_place_holds_no_address(name: str, place: str) -> None:
    for written in (f"{name} {place}", f"{name}{place}"):
        found = of(written, Reply_To=written, Cc=written)
        assert (found.sender, found.reply_to, found.cc) == (None, (), ())


@pytest.mark.parametrize(
    "written",
    [
        f'"{BOSS}" Support',
        f'Support "{BOSS}"',
        f'Support "Boss <{BOSS}>"',
        "=?utf-8?Q?boss=40victim.example?= Support",
        f"=?utf-8?Q?{BOSS}_Support?=",
        f"{BOSS}: ;",
        f"<> {BOSS}",
        f'< > "{BOSS}"',
        f'"{BOSS}"@',
    ],
)
def test_a_name_without_any_place_for_an_address_is_none(written: str) -> None:
    found = of(written, Reply_To=written)
    assert (found.sender, found.reply_to) == (None, ())


@pytest.mark.parametrize(
    "name",
    [
        f"=?utf-8?Q?{BOSS}?=",
        f"=?utf-8?Q?{BOSS} or so?=",
        f"=?utf-8?Q?Boss, {BOSS}?=",
        f"=?utf-8?Q?<{BOSS}>?=",
        f'"=?utf-8?Q?{BOSS}?="',
        f"=?utf-8?Q?Boss?= =?utf-8?Q?{BOSS}?=",
        f"{BOSS}",
        f"{BOSS} (at work)",
        f'"{BOSS}"',
    ],
)
def test_a_name_that_looks_like_an_address_is_none_beside_one(name: str) -> None:
    found = of(f"{name} <{EVIL}>", Reply_To=f"{name} <{EVIL}>")
    assert found.sender is not None
    assert [address for _, address in (found.sender, *found.reply_to)] == [EVIL, EVIL]
    assert BOSS in found.sender[0]


@pytest.mark.parametrize(
    "written",
    [
        "victim@bank.example@evil.example",
        "<victim@bank.example@evil.example>",
        "Ada <victim@bank.example@evil.example>",
        "victim@bank.example @evil.example",
        "victim@bank.example @ evil.example",
        "Ada (victim@bank.example@evil.example)",
        "Ada [victim@bank.example@evil.example]",
        "mailto:victim@bank.example@evil.example",
        "=?utf-8?Q?victim=40bank.example=40evil.example?=",
        "=?utf-8?Q?victim=40bank.example?=@evil.example",
        "a" * 17 + "b" * 64 + "@x.example",
        "<" + "a" * 17 + "b" * 64 + "@x.example>",
        "Ada [" + "a" * 17 + "b" * 64 + "@x.example]",
        "a@" + "x" * 250 + ".example",
        "Ada <a@" + "x" * 250 + ".example>",
        "Ada (a@" + "x" * 250 + ".example)",
        r"Ada\"victim@bank.example",
        '"ada".kern@bank.example',
        '"ada@x"kern@bank.example',
    ],
)
def test_a_part_of_what_is_no_address_is_none_either(written: str) -> None:
    found = of(written, Reply_To=written, To=written)
    assert (found.sender, found.reply_to, found.to) == (None, (), ())


@pytest.mark.parametrize(
    "written",
    [
        f'Ada Kern <"{ADA}">',
        f'Ada Kern < "{ADA}" >',
        f'=?utf-8?Q?Ada?= Kern <"{ADA}">',
        "Ada Kern <=?utf-8?Q?ada=40kunde.example?=>",
        f"Ada Kern <{ADA}>",
        f'"Ada Kern"<"{ADA}">',
        f'"Ada Kern <{ADA}>"',
        "=?utf-8?Q?Ada_Kern_=3Cada=40kunde.example=3E?=",
        "Ada =?utf-8?Q?Kern_=3Cada=40kunde.example=3E?=",
    ],
)
def test_quotes_or_words_that_hold_all_of_an_address_are_no_part_of_it(written: str) -> None:
    found = of(written, Cc=f"{written}, Bob <bob@y.example>")
    assert found.sender == ("Ada Kern", ADA)
    assert ("Bob", "bob@y.example") in found.cc


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (f"{ADA} Ada Kern", [ADA]),
        (f"'{ADA}' Ada", [ADA]),
        (f'"{ADA}"', [ADA]),
        (f'"{ADA}", "bob@y.example"', [ADA, "bob@y.example"]),
        (f"Ada <Sales> <{ADA}>", [ADA]),
        ("ada (at home) @ kunde (the firm) . example", [ADA]),
        (f'Ada" <{ADA}>, "Bob" <bob@y.example>', [ADA, "bob@y.example"]),
        (f'"Kern (Ada" <{ADA}>, "Bob) Kern" <bob@y.example>', [ADA, "bob@y.example"]),
        (f"=?utf-8?Q?Ada <{ADA}>, =?utf-8?Q?Bob?= <bob@y.example>", [ADA, "bob@y.example"]),
        (f"{ADA} <{ADA}>", [ADA]),
        ("Ada [o'neil+lamp@kunde.example]", ["o'neil+lamp@kunde.example"]),
    ],
)
def test_what_only_looks_odd_is_read(written: str, found: list[str]) -> None:
    assert [address for _, address in of(ADA, Cc=written).cc] == found


def test_of_several_recipients_the_good_ones_are_kept() -> None:
    found = of(ADA, Cc=f"Team: bob@kunde.example, nobody, @x.example, Eve <eve@y.example>;, {ADA}")
    assert [address for _, address in found.cc] == ["bob@kunde.example", "eve@y.example", ADA]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("=?utf-8?Q?Why??=", "Why?"),
        ("=?utf-8?Q?Wer_ist_da??= =?utf-8?Q?_Ada?=", "Wer ist da? Ada"),
        ("=?utf-8?Q?A?B?=", "A?B"),
    ],
)
def test_a_bare_question_mark_ends_no_encoded_word(written: str, name: str) -> None:
    found = of(f"{written} <{ADA}>", Subject=written)
    assert found.sender == (name, ADA)
    assert found.subject == f"Lamp {name}"


@pytest.mark.parametrize(
    "piece",
    ["<", '"', '\\"', '"a', "<a@b>", "a@b.example <x", " @", '"a" ', "()", "a@", "a ",
     "=?utf-8?q?", "=?utf-8?q?a?= ", "=?utf-8?q??=x", "=?", '"a"@b.example, '],
)  # fmt: skip
def test_no_header_takes_long(piece: str) -> None:
    header = piece * (32_000 // len(piece))
    begin = time.process_time()
    assert parse_mail(f"Subject: x\nCc: {header}\n\nHello\n".encode()).subject == "x"
    assert time.process_time() - begin < 1.0


@pytest.mark.parametrize("extra", [1, 40, 10_000])
def test_nor_does_a_mailbox_name_a_part_of_an_address_that_is_too_long(extra: int) -> None:
    long = {"emailAddress": {"address": "a@" + "x" * 310 + ".example" + "s" * extra, "name": "Ada"}}
    good = {"emailAddress": {"address": ADA, "name": "Ada"}}
    now = datetime(2026, 11, 3, tzinfo=UTC)
    raw = {"from": long, "replyTo": [long, good]}
    event = event_from_graph(raw, "service@example.com", message="m1", now=now)
    assert event["sender"] is None
    assert event["reply_to"] == [{"address": ADA, "name": "Ada"}]
