"""What is an address in a header and what is none, however a program or an attacker writes it."""

import time
from datetime import UTC, datetime

import pytest

from swarm.legacy.graph_events import event_from_graph
from swarm.legacy.mime import (
    REPLY_UNREAD,
    SENDERS_UNREAD,
    SEVERAL_SENDERS,
    ParsedMail,
    parse_mail,
)
from swarm.legacy.mime_headers import MAX_HEADER

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
        "Ada <boss,a@evil.example>",
        "Ada <boss)a@evil.example>",
        "Ada <boss[a@evil.example>",
        "boss)a@evil.example",
        "boss[a@evil.example",
        "Ada boss{a@evil.example",
        "Ada boss}a@evil.example",
        'boss"a@evil.example',
        'Ada boss"a@evil.example',
        r"boss@bank.example\.evil.example",
        "Ada <boss@bank,evil.example>",
        "Ada <boss@bank.example;evil.example>",
        "boss@bank.example]evil.example",
        "boss@[192.0.2.1]evil.example",
        "boss@bank.example:8080",
        "=?utf-8?Q?boss?=a@evil.example",
        '"boss@bank.example".evil.example',
        "=?utf-8?Q?Boss,boss=40victim.example?=",
        "boss . a@evil.example",
        "boss .a@evil.example",
        "Dr. ada@bank.example",
        "Ada <boss . a@evil.example>",
        "Ada <a@evil.example?subject=x>",
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
        (f'"{ADA}", bob@y.example', [ADA, "bob@y.example"]),
        (f"Dr. Ada Kern {ADA}", [ADA]),
        ("Ada <ada@kunde. example>", [ADA]),
        ("ada@kunde.example(Ada Kern)", [ADA]),
        (f"{ADA} (Kern, Ada), bob@y.example (Bob)", [ADA, "bob@y.example"]),
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


@pytest.mark.parametrize(
    "written",
    [
        "boss@bank.example(x)evil.example",
        "Ada <boss@bank.example(x)evil.example>",
        "boss(x)y@bank.example",
        "boss@bank.example(x)(y)evil.example",
    ],
)
def test_a_remark_joins_no_two_halves(written: str) -> None:
    found = of(written, Reply_To=written)
    assert (found.sender, found.reply_to) == (None, ())


@pytest.mark.parametrize(
    "written",
    [
        f"'{ADA}'",
        f"Ada <'{ADA}'>",
        f"\"'{ADA}'\"",
        f"Ada <mailto:{ADA}>",
        f"Ada [mailto:{ADA}]",
        f"Ada [SMTP:{ADA}]",
        f'"mailto:{ADA}"',
        f'Ada" <mailto:{ADA}>',
    ],
)
def test_what_programs_put_around_an_address_is_taken_off(written: str) -> None:
    found = of(written, Cc=f"{written}; 'bob@y.example'")
    assert found.sender is not None
    assert found.sender[1] == ADA
    assert found.unread == ()
    assert [address for _, address in found.cc] == [ADA, "bob@y.example"]


@pytest.mark.parametrize("sign", ["\u200b", "\u202e", "\u2066", "\ufeff", "\u00ad"])
def test_an_address_with_a_sign_nobody_sees_is_nobodys(sign: str) -> None:
    for written in (f"ada@kunde{sign}.example", f"Ada <{ADA}{sign}>", f"Ada <{sign}{ADA}>"):
        assert of(written).sender is None


@pytest.mark.parametrize(
    "written",
    [
        f'"Boss" <{BOSS}>" <{EVIL}>',
        f'"Boss" <{BOSS}>, Eve" <{EVIL}>',
        f"Boss <{BOSS}> (x <{EVIL}>",
        f"Boss <{BOSS}>, Eve :( <{EVIL}>",
        f'"A" <{BOSS}>; "B <{EVIL}>',
    ],
)
def test_what_never_ends_hides_no_second_sender(written: str) -> None:
    assert of(written).unread == (SEVERAL_SENDERS,)


@pytest.mark.parametrize(
    "more",
    [
        "boss@bank.example@evil.example",
        "Boss <boss@bank.example@evil.example>",
        '"Kern" </O=KUNDE/CN=KERN>',
        "boss@bank\u202e.example",
    ],
)
def test_a_mail_is_unread_where_one_beside_its_sender_cannot_be_told(more: str) -> None:
    found = of(f"Ada <{ADA}>, {more}", Reply_To=f"{more}, {ADA}")
    assert found.sender == ("Ada", ADA)
    assert [address for _, address in found.reply_to] == [ADA]
    assert found.unread == (SENDERS_UNREAD, REPLY_UNREAD)
    assert of(f"Ada <{ADA}>", To=more, Cc=more).unread == ()


@pytest.mark.parametrize(
    "written", ["boss@bank.example@evil.example", f'"{BOSS}" <>', "Ada </O=KUNDE/CN=ADA>", "Ada"]
)
def test_a_from_that_cannot_be_told_is_not_the_senders(written: str) -> None:
    assert of(written, Sender="m@list.example").sender is None
    assert of("", Sender="m@list.example").sender == ("", "m@list.example")


@pytest.mark.parametrize("mark", ["<", ", ", ",<", "; <"])
def test_an_address_at_the_cut_of_a_long_header_is_nobodys(mark: str) -> None:
    behind = f"{mark}ada@bank.example"
    cut = "Ada" + " " * (MAX_HEADER - 3 - len(behind)) + behind + ".evil.example>"
    assert of(cut).sender is None
    assert SENDERS_UNREAD in of(cut).unread
    assert of(ADA, Cc=cut).cc == ()
    assert of(ADA, Cc=cut).unread == ()


def test_of_a_list_that_is_cut_every_address_is_whole() -> None:
    many = ", ".join(f"r{n:05}@kunde.example" for n in range(2000))
    found = of(ADA, Cc=many).cc
    assert len(found) > 400
    assert {len(address) for _, address in found} == {20}


@pytest.mark.parametrize("piece", ["(", "((", "a(", ":", "a:", "re: ", "a@b.example:", "["])
def test_a_header_of_open_signs_is_nobodys_and_the_mail_is_read(piece: str) -> None:
    found = of(ADA, To=piece * 8000)
    assert (found.sender, found.to, found.unread) == (("", ADA), (), ())


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
     "\\(", "x\\(", "(\\)", "(", ":", "a@b.example:", "=?a?q?\\(", "{", "'", ";", "a . ",
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


def told(author: object, **more: object) -> tuple[str | None, list[str]]:
    raw = {"from": author, "receivedDateTime": "2026-11-03T08:00:00Z", **more}
    event = event_from_graph(
        raw, "service@example.com", message="m1", now=datetime(2026, 11, 3, tzinfo=UTC)
    )
    return (event["sender"]["address"] if event["sender"] else None), event["unread"]


def person(address: str) -> dict[str, object]:
    return {"emailAddress": {"address": address, "name": "Ada"}}


@pytest.mark.parametrize(
    "address",
    [
        "/O=EXCHANGELABS/OU=X (FYDIBOHF23SPDLT)/CN=RECIPIENTS/CN=ADA",
        "/o=kunde/cn=ada@kunde.example",
        "Ada Kern",
        "boss@bank.example@evil.example",
        f"{ADA}; bob@y.example",
        f"Ada <{ADA}>",
        "@",
        "",
        "x" * 400,
    ],
)
def test_what_a_mailbox_says_that_is_not_one_address_is_nobodys(address: str) -> None:
    assert told(person(address)) == (None, [])
    assert told(person(address), sender=person("m@list.example")) == (None, [])
    assert told(person(ADA), replyTo=[person(address)]) == (ADA, [REPLY_UNREAD])


def test_what_a_mailbox_says_is_read_as_in_a_header() -> None:
    assert told(person(f"'{ADA}'"), replyTo=[person(f"SMTP:{ADA}")]) == (ADA, [])
    assert told(None, sender=person(ADA)) == (ADA, [])


@pytest.mark.parametrize(
    "written",
    [
        "boss@bank.example <ada@evil.example>",
        '"boss@bank.example" <ada@evil.example>',
        "=?utf-8?Q?boss=40bank.example?= <ada@evil.example>",
        "'boss@bank.example' <ada@evil.example>",
        "ada@evil.example (=?utf-8?Q?boss=40bank.example?=)",
    ],
)
def test_a_name_that_is_an_address_of_another_house_goes_to_a_person(written: str) -> None:
    found = of(written)
    assert found.sender is not None
    assert found.sender[1] == "ada@evil.example"
    assert SEVERAL_SENDERS in found.unread


@pytest.mark.parametrize(
    "written",
    [
        "ada@kunde.example <Ada@Kunde.example>",
        "ada@kunde.example <service@kunde.example>",
        '"Ada Kern (ada@kunde.example)" <forms@house.example>',
        "Ada @ Kunde <ada@kunde.example>",
    ],
)
def test_a_name_with_an_address_in_it_is_a_name(written: str) -> None:
    assert of(written).unread == ()
