"""Mails made to take a worker: 400 kB of one thing, in the shapes that cost readers most.

What lives here: the shapes and their raw mails. Who is attacked with them: the tests of the whole
path, the acceptance test, and ``bench/hostile_mail.py``.
"""

import base64
from collections.abc import Callable, Mapping
from email.message import EmailMessage

SIZE = 400_000  # the longest body an intake line carries


def _filled(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


def _question(unit: str) -> Callable[[int], str]:
    """A harmless question with a run of ``unit`` in its middle."""
    return lambda size: f"Where is order 10482 {_filled(unit, size - 30)} thanks"


TEXTS: Mapping[str, Callable[[int], str]] = {
    "dashes": _question("-"),
    "equals signs": _question("="),
    "hashes": _question("#"),
    "blanks": _question(" "),
    "digits": _question("4"),
    "one word": _question("a"),
    "one capital word": _question("A"),
    "opened brackets": _question("<"),
    "quote marks": _question(">"),
    "quoted lines": _question("\n>"),
    "at signs": _question("@"),
    "dots": _question("."),
    "underscores": _question("_"),
    "line breaks": _question("\n"),
    "blank lines": _question(" \n"),
    "carriage returns": _question("\r"),
    "zero-width letters": _question("\u200b"),
    "zero-width between letters": _question("a\u200b"),
    "tag characters": _question("\U000e0041"),
    "combining accents": _question("e\u0301\u0327"),
    "nothing but accents": _question("\u0301"),
    "percent signs": _question("%41"),
    "escapes": _question("\\x41"),
    "base64": _question("aGVsbG8gd29ybGQ"),
    "hex pairs": _question("41 "),
    "addresses": _question("a@b.c "),
    "half an address": _question("a."),
    "dashed digits": _question("1-"),
    "spaced digits": _question("1 "),
    "spaced letters": _question("f r a u d "),
    "threats": _question("my lawyer will sue. "),
    "idioms": _question("i want to cancel and speak to a manager about my account "),
    "leet": _question("l4wy3r m4n4g3r "),
    "misspelt words": _question("lawwyer attornney managger "),
    "unknown words": lambda size: " ".join(f"qz{i:06x}vk" for i in range(size // 11)),
    "questions": _question("where is it? "),
    "headers": _question("\nFrom: a\nSent: b\n"),
    "attributions": _question("\nOn 1.1.2026 a wrote\n"),
    "dates": _question("On 1/1/2026 10:10 "),
    "rules": _question("\n-----\n"),
    "labels": _question("\nFrom:"),
    "ampersands": _question("&amp;amp;"),
    "markdown images": _question("!["),
    "links": _question("http://a.b/c?d="),
    "attributes": _question('href="'),
    "chat marks": _question("<|"),
    "system marks": _question("[ system "),
    "braces": _question("{{"),
    "colons": _question(":"),
    "capitals and digits": _question("A1-"),
    "private keys": _question("-----BEGIN PRIVATE KEY-----"),
    "tokens": _question("eyJaaaaaaaaaa."),
    "Chinese": _question("\u4f60\u597d"),
    "emoji": _question("\U0001f469\u200d\U0001f469"),
    "flags": _question("\U0001f3f4"),
}

PAGES: Mapping[str, Callable[[int], str]] = {
    "nested divs": lambda size: _filled("<div>", size),
    "nested tables": lambda size: _filled("<table><tr><td>", size),
    "unclosed fonts": lambda size: _filled("<font>", size),
    "fonts in paragraphs": lambda size: _filled("<p><font>", size),
    "unclosed anchors": lambda size: _filled("<a><div>", size),
    "formatting in many blocks": lambda size: "<b>" * 30 + _filled("<p>x", size),
    "opened brackets": lambda size: _filled("<", size),
    "opened tags": lambda size: _filled("<a ", size),
    "one tag of many attributes": lambda size: (
        "<p " + " ".join(f"a{i}=1" for i in range(size // 8))
    ),
    "attributes that repeat": lambda size: "<p " + _filled("a=1 ", size),
    "comments": lambda size: _filled("<!--", size),
    "comment ends": lambda size: _filled("<!-- -->", size),
    "entities": lambda size: _filled("&amp;", size),
    "bare ampersands": lambda size: _filled("&", size),
    "numbers of letters": lambda size: _filled("&#x41;", size),
    "line breaks": lambda size: _filled("<br>", size),
    "inline elements": lambda size: _filled("<span>a</span>", size),
    "hidden spans": lambda size: _filled('<span style="display:none">a</span>', size),
    "styled spans": lambda size: _filled('<i style="a:b;c:d">a</i>', size),
    "one long style": lambda size: f'<p style="{_filled("a:", size)}">x</p>',
    "one style sheet": lambda size: f"<style>{_filled('{', size)}</style>x",
    "many rules": lambda size: f"<style>{_filled('.a{b:c}', size)}</style>x",
    "many selectors": lambda size: f"<style>{_filled('.a,', size - 30)}{{display:none}}</style>x",
    "many media": lambda size: f"<style>{_filled('@media{', size)}</style>x",
    "many styles": lambda size: _filled("<style>.a{display:none}</style>", size),
    "many classes": lambda size: (
        f"<style>.z{{display:none}}</style><p class='{_filled('a ', size)}'>x"
    ),
    "lists": lambda size: _filled("<li>a", size),
    "cells": lambda size: _filled("<td>a", size),
    "table text": lambda size: "<table>" + _filled("a<tr>", size),
    "quotes": lambda size: _filled("<blockquote>a</blockquote>", size),
    "preformatted": lambda size: f"<pre>{_filled(chr(10), size)}</pre>",
    "blanks": lambda size: f"<p>a{_filled(' ', size)}b</p>",
    "text without tags": lambda size: _filled("where is my order ", size),
    "scripts": lambda size: _filled("<script>", size),
    "selects": lambda size: _filled("<select><option>", size),
    "buttons": lambda size: _filled("<button><p>", size),
    "headings": lambda size: _filled("<h1><a>", size),
    "form and font": lambda size: _filled("<form><b>", size),
    "ends without begin": lambda size: _filled("</p>", size),
    "misnested": lambda size: _filled("<b><i></b></i>", size),
    "dashes": lambda size: f"<p>Where is order 10482 {'-' * (size - 40)} thanks</p>",
    "svg": lambda size: _filled("<svg><p>", size),
    "templates": lambda size: _filled("<template>", size),
}


# Of each kind of trouble one: what the bench and the acceptance test send.
TEN_SHAPES = (
    ("text", "dashes"), ("text", "equals signs"), ("text", "hashes"), ("text", "blank lines"),
    ("text", "quoted lines"), ("text", "combining accents"), ("text", "spaced letters"),
    ("page", "nested divs"), ("page", "formatting in many blocks"), ("page", "many selectors"),
)  # fmt: skip


def plain(body: str) -> bytes:
    """A mail with this text as its only part, as a mail program would send it."""
    return _mail(body, "plain")


def page(body: str) -> bytes:
    """A mail with this HTML as its only part."""
    return _mail(body, "html")


def _mail(body: str, subtype: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Ada <ada@example.org>", "service@example.com"
    message["Subject"], message["Message-ID"] = "Order 10482", "<hostile@example.org>"
    head = message.as_bytes().rstrip(b"\n")
    coded = base64.encodebytes(body.encode())
    kind = f"Content-Type: text/{subtype}; charset=utf-8\nContent-Transfer-Encoding: base64"
    return head + b"\nMIME-Version: 1.0\n" + kind.encode() + b"\n\n" + coded
