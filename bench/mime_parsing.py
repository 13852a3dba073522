"""Which MIME parser? Crash rate, wall time and recovered text over the mail corpus.

    python bench/mime_parsing.py [--with /folder/with/other/parsers]

The corpus is found through SWARM_SHARED (default ``../shared``) and never copied. ``--with`` names
a folder that holds installed copies of fast-mail-parser and mail-parser; absent ones are left out.
"""

# ruff: noqa: PLC0415, S314 - candidates are optional imports; the corpus is trusted

import argparse
import contextlib
import email
import email.policy
import html
import json
import os
import re
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

from swarm.errors import MalformedInputError
from swarm.legacy.mime import parse_mail

SHARED = Path(os.environ.get("SWARM_SHARED", Path(__file__).parents[2] / "shared"))
CORPUS = SHARED / "data" / "dev" / "mime"
WORD = re.compile(r"\w{3,}")


def ours(data: bytes) -> str:
    try:
        mail = parse_mail(data)
    except MalformedInputError:
        return ""
    return f"{mail.subject} {mail.body_text} {mail.body_html}"


def policy_default(data: bytes) -> str:
    message = email.message_from_bytes(data, policy=email.policy.default)
    texts = [str(message["subject"] or "")]
    texts.extend(
        part.get_content()
        for part in message.walk()
        if part.get_content_maintype() == "text" and not part.is_attachment()
    )
    return " ".join(texts)


def candidates() -> dict[str, Callable[[bytes], str]]:
    found: dict[str, Callable[[bytes], str]] = {
        "swarm.legacy.mime": ours,
        "email, policy.default": policy_default,
    }
    try:
        import fast_mail_parser

        def fast(data: bytes) -> str:
            mail = fast_mail_parser.parse_email(data)
            return " ".join([mail.subject or "", *mail.text_plain, *mail.text_html])

        found["fast-mail-parser"] = fast
    except ImportError:
        pass
    try:
        import mailparser

        def spamscope(data: bytes) -> str:
            mail = mailparser.parse_from_bytes(data)
            return " ".join([mail.subject or "", *mail.text_plain, *mail.text_html])

        found["mail-parser"] = spamscope
    except ImportError:
        pass
    return found


def words(text: str) -> set[str]:
    return set(WORD.findall(html.unescape(re.sub(r"<[^<>]*>", " ", text)).lower()))


def expected(path: Path) -> set[str]:
    """Words of the texts that the mail's own project reads out of it (two formats)."""
    stem = CORPUS / "expected" / path.name.rsplit(".eml", 1)[0]
    if path.suffix == ".json":
        parts = json.loads(path.read_text("utf-8"))["parts"]
        texts = [str(b) for p in parts for k, b in p["body"].items() if k in ("Text", "Html")]
        return words(" ".join(texts))
    if path.suffix == ".xml":
        tree = ET.fromstring(path.read_bytes())
        return words(" ".join(b.text or "" for b in tree.iter("body")))
    raise ValueError(stem)


def pairs() -> list[tuple[bytes, set[str]]]:
    """Mails with an expected text, matched by source and name."""
    rows = [json.loads(line) for line in (CORPUS / "manifest.jsonl").open()]
    found = []
    for path in sorted((CORPUS / "expected").iterdir()):
        source, _, name = path.stem.partition("_")
        if path.suffix not in (".json", ".xml"):
            continue
        for row in rows:
            if source in row["source"].lower() and Path(row["file"]).name.endswith(name + ".eml"):
                with contextlib.suppress(ValueError, KeyError, ET.ParseError):
                    found.append(((CORPUS / row["file"]).read_bytes(), expected(path)))
                break
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--with", dest="extra")
    options = parser.parse_args()
    if options.extra:
        sys.path.insert(0, options.extra)
    if not CORPUS.is_dir():
        sys.exit(f"no corpus at {CORPUS}; set SWARM_SHARED")
    mails = sorted(p for p in CORPUS.rglob("*") if p.is_file() and "expected" not in p.parts)
    mails = [p for p in mails if p.name != "manifest.jsonl"]
    sample = pairs()
    print(f"{len(mails)} mails, {len(sample)} with an expected text")
    print("| parser | crashes | empty | words recovered | replacement characters | slowest | all |")
    print("|---|---|---|---|---|---|---|")
    for name, read in candidates().items():
        row(name, read, mails, sample)


def row(
    name: str,
    read: Callable[[bytes], str],
    mails: list[Path],
    sample: list[tuple[bytes, set[str]]],
) -> None:
    crashes = empty = spoilt = 0
    slowest = total = 0.0
    for path in mails:
        data = path.read_bytes()
        begin = time.perf_counter()
        try:
            text = read(data)
        except Exception:  # noqa: BLE001 - counting crashes is the point
            crashes, text = crashes + 1, "crash"
        took = time.perf_counter() - begin
        slowest, total = max(slowest, took), total + took
        empty += not text.strip()
        spoilt += "\ufffd" in text
    wanted = got = 0
    for data, words_wanted in sample:
        try:
            there = words(read(data))
        except Exception:  # noqa: BLE001 - as above
            there = set()
        wanted += len(words_wanted)
        got += len(words_wanted & there)
    print(
        f"| {name} | {crashes} | {empty} | {got}/{wanted} | {spoilt} |"
        f" {slowest * 1000:.0f} ms | {total:.1f} s |"
    )


if __name__ == "__main__":
    main()
