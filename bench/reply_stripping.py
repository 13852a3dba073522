"""Which reply parser? Quoted history and signatures over the reply corpus, and hostile input.

    python bench/reply_stripping.py [--with /folder/with/other/parsers]

The corpus is found through SWARM_SHARED (default ``../shared``) and never copied. ``--with`` names
a folder that holds installed copies of quotequail and email-reply-parser; absent ones are left out.
"""

# ruff: noqa: PLC0415, FBT001, FBT003 - candidates are optional imports of one plain signature

import argparse
import contextlib
import email
import email.policy
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from swarm.intake.mail.apart import said_apart
from swarm.intake.mail.html_text import read_html
from swarm.intake.mail.quoting import split_quotes
from swarm.models import Address

SHARED = Path(os.environ.get("SWARM_SHARED", Path(__file__).parents[2] / "shared"))
CORPUS = SHARED / "data" / "dev" / "replies"
LIMIT = 4
HOSTILE = {
    "1 MB of >": ">" * 1_000_000,
    "250,000 quoted lines": "> a\n" * 250_000,
    "1 MB of 'On '": "On " * 330_000,
    "100,000 From: lines": "From: x\n" * 100_000,
    "1 MB of line feeds": "\n" * 1_000_000,
}
Parser = Callable[[str, str, bool], str]


def ours(text: str, sender: str, keep_signature: bool) -> str:
    said = split_quotes(text).text
    return said if keep_signature else said_apart(said, Address(address="", name=sender)).text


def unjudged(row: dict[str, str]) -> str:
    """What of the sender's own text the product neither keeps as text nor judges as a part."""
    apart = said_apart(split_quotes(row["input"]).text, Address(address="", name=row["from"]))
    heard = packed(apart.text + "".join(part.text for part in apart.parts if part.judged))
    lines = (row["expected_without_signature"] or "").split("\n")
    return "".join(line for line in lines if packed(line) not in heard)


def candidates() -> dict[str, Parser]:
    found: dict[str, Parser] = {"swarm.intake": ours, "nothing": lambda t, *_: t}
    if find_spec("quotequail"):
        import quotequail

        def quail(text: str, *_: object) -> str:
            parts = quotequail.unwrap(text)
            return (parts.get("text_top") or "") if parts else text

        found["quotequail"] = quail
    if find_spec("email_reply_parser"):
        from email_reply_parser import EmailReplyParser

        found["email-reply-parser"] = lambda t, *_: EmailReplyParser.parse_reply(t)
    if find_spec("mailparser_reply"):
        from mailparser_reply import EmailReplyParser as MailParserReply
        from mailparser_reply.constants import MAIL_LANGUAGES

        def reply(text: str, _: str, keep_signature: bool) -> str:
            first = MailParserReply(languages=list(MAIL_LANGUAGES)).read(text).replies[0]
            return (first.full_body if keep_signature else first.body) or ""

        found["mail-parser-reply"] = reply
        found["swarm.intake, then mail-parser-reply"] = lambda t, s, k: reply(ours(t, s, k), s, k)
    return found


def packed(text: str | None) -> str:
    return re.sub(r"\s+", "", text or "")


def rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (CORPUS / name).open(encoding="utf-8")]


def plain(row: dict[str, str]) -> str:
    if row["format"] == "html":
        return read_html(row["input"]).text
    if row["format"] == "eml":
        message = email.message_from_string(row["input"], policy=email.policy.default)
        body = message.get_body(("plain",))
        return str(body.get_content()) if body else ""
    return row["input"]


def measure(name: str, parse: Parser) -> None:
    exact = kept = signed = cut = 0
    replies = [row for row in rows("replies.jsonl") if row["format"] != "html"]
    for row in replies:
        keep = (row["signature_policy"] or "").startswith("signature kept")
        out = attempt(parse, plain(row), "", keep)
        exact += packed(out) == packed(row["expected_visible"])
        lines = {line.strip() for line in out.split("\n")}
        kept += sum(
            bool(q.strip()) and q.strip() in lines
            for q in (row["expected_elided"] or "").split("\n")
        )
    signatures = rows("signatures.jsonl")
    for row in signatures:
        out = attempt(parse, row["input"], row["from"], False)
        signed += packed(out) == packed(row["expected_without_signature"])
        cut += len(packed(out)) < len(packed(row["expected_without_signature"]))
    slow = ", ".join(f"{seconds(parse, text):.1f}" for text in HOSTILE.values())
    print(
        f"| {name} | {exact}/{len(replies)} | {kept} |"
        f" {signed}/{len(signatures)} | {cut} | {slow} |"
    )


def attempt(parse: Parser, text: str, sender: str, keep: bool) -> str:
    try:
        return parse(text, sender, keep) or ""
    except Exception:  # noqa: BLE001 - a candidate's crash is an empty answer
        return ""


def seconds(parse: Parser, text: str) -> float:
    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    begin = time.perf_counter()
    with contextlib.suppress(Exception):  # too slow, or too deep
        parse(text, "", False)
    signal.alarm(0)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--with", dest="extra")
    options = parser.parse_args()
    if options.extra:
        sys.path.insert(0, options.extra)
    if not CORPUS.is_dir():
        sys.exit(f"no corpus at {CORPUS}; set SWARM_SHARED")
    print("hostile inputs:", "; ".join(HOSTILE), f"(cut off at {LIMIT} s)")
    print("| parser | reply exact | quoted lines kept | signature exact | text lost | hostile, s |")
    print("|---|---|---|---|---|---|")
    for name, parse in candidates().items():
        measure(name, parse)
    lost = sum(bool(unjudged(row)) for row in rows("signatures.jsonl"))
    print(f"mails of which swarm.intake leaves something said unjudged: {lost}")


if __name__ == "__main__":
    main()
