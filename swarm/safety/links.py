"""Every way a draft could reach out or carry data away: links, images, styles, mark-up (ES-11).

A link is refused unless its host is on the allow-list, its scheme is https, and it carries nothing
but a path. Hidden spellings are undone first: entities, percent signs, zero-width letters,
``hxxp``, ``[.]``. Nothing here ever opens a link.
"""

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from swarm.patterns import linear
from swarm.safety.words import INVISIBLE

_HXXP = linear("hxxp", re.IGNORECASE)
_DOT = linear(r"[\[({]\s?(?:\.|dot)\s?[\])}]", re.IGNORECASE)
_URL = linear(
    r"(?P<url>(?:[a-z][a-z0-9+.\-]{1,20}:)?[/\\]{2}[^\s<>\"'()\[\]{}|^`]{2,2000})", re.IGNORECASE
)
_MAILTO = linear(r"mailto:[^\s<>\"']{1,500}", re.IGNORECASE)
_SCHEMES = linear(
    r"\b(?:javascript|vbscript|data|file|blob|cid|ms-[a-z-]{2,20}|tel|sms):\S", re.IGNORECASE
)
_BARE = linear(
    r"(?<![\w@./-])(?:www\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}"
    r"(?:com|net|org|info|biz|io|co|ai|app|dev|me|xyz|top|site|online|shop|store|link|click|live|tv|"
    r"cc|ru|cn|de|at|ch|fr|es|it|nl|be|pt|uk|eu|us|ca|br|pl|in|jp|au|tk|ml|ga|cf|gq|to|ly|gl|gov|edu)"
    r"(?![\w-])(?!\.[a-z])(?:[/?#:][^\s<>\"'()]{0,2000})?",
    re.IGNORECASE,
)
_ACTIVE = linear(
    r"<\s{0,4}/?\s{0,4}(script|iframe|frame|object|embed|applet|form|input|button|textarea|select|"
    r"svg|math|video|audio|source|picture|img|image|link|meta|base|style|template|portal|bgsound)\b",
    re.IGNORECASE,
)
_HANDLER = linear(r"<[^<>]{0,2000}?\son[a-z]{3,20}\s{0,4}=", re.IGNORECASE)
_REMOTE_STYLE = linear(
    r"url\s{0,4}\(|@import|expression\s{0,4}\(|background\s{0,4}=", re.IGNORECASE
)
_MARKDOWN_IMAGE = linear(r"!\[[^\]\n]{0,200}\]\s{0,3}[\[(]")
_REFERENCE = linear(r"^\s{0,3}\[[^\]\n]{1,200}\]:\s{0,4}(?P<url>\S{1,2000})", re.MULTILINE)
_ATTRIBUTE = linear(
    r"\b(?:href|src|srcset|action|formaction|poster|background|data|cite|longdesc|xlink:href)"
    r"\s{0,4}=\s{0,4}(?:\"(?P<a>[^\"]{0,2000})\"|'(?P<b>[^']{0,2000})'|(?P<c>[^\s<>\"']{1,2000}))",
    re.IGNORECASE,
)
_DATA_SEGMENT = 40  # a path segment this long carries something other than an address
_INVISIBLE = linear(f"[{INVISIBLE}]")


def plain_forms(text: str) -> tuple[str, ...]:
    """Return the text and what it becomes when its encodings are undone (twice at most)."""
    forms = [text]
    for _ in range(2):
        undone = _INVISIBLE.sub("", unquote(html.unescape(forms[-1])))
        undone = _HXXP.sub("http", undone)
        undone = _DOT.sub(".", undone)
        if undone == forms[-1]:
            break
        forms.append(undone)
    return tuple(forms)


def links(text: str) -> tuple[str, ...]:
    """List every link of a text or HTML: plain, bare, reference-style, attribute, encoded."""
    found: dict[str, None] = {}
    for form in plain_forms(text):
        for link in _links_in(form):
            found.setdefault(link.rstrip(".,;:!?*_"), None)
    return tuple(found)


def _links_in(form: str) -> Iterator[str]:
    yield from (match["url"] for match in _URL.finditer(form))
    yield from (match.group() for match in _MAILTO.finditer(form))
    yield from (match["url"] for match in _REFERENCE.finditer(form))
    yield from (match.group() for match in _BARE.finditer(form))
    for match in _ATTRIBUTE.finditer(form):
        value = (match["a"] or match["b"] or match["c"] or "").strip()
        if value and not value.startswith("#"):
            yield value


def link_findings(text: str, allow_list: tuple[str, ...]) -> tuple[str, ...]:
    """Say what ES-11 forbids in a draft's text or HTML; empty means clean.

    A finding never repeats more of a link than its host.
    """
    found: dict[str, None] = {}
    for form in plain_forms(text):
        for what in _markup(form):
            found.setdefault(what, None)
    for link in links(text):
        why = refusal(link, allow_list)
        if why:
            found.setdefault(why, None)
    return tuple(found)


def _markup(form: str) -> Iterator[str]:
    active = _ACTIVE.search(form)
    if active:
        yield f"active or remote element <{active[1].lower()}>"
    if _HANDLER.search(form):
        yield "an event handler attribute"
    if _REMOTE_STYLE.search(form):
        yield "a style that loads something"
    if _MARKDOWN_IMAGE.search(form):
        yield "a Markdown image"
    if _SCHEMES.search(form):
        yield "a link that runs or embeds something"


def refusal(link: str, allow_list: tuple[str, ...]) -> str | None:
    """Say why a link may not stand in a draft; None when it may."""
    if link.lower().startswith("mailto:"):
        return "a mailto link with fields" if "?" in link else None
    try:
        parts = urlsplit(
            link.replace("\\", "/") if "//" in link.replace("\\", "/") else f"https://{link}"
        )
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError:
        return "a link that cannot be read"
    if not _allowed(host, allow_list):
        return f"a link to {host or 'an unnamed host'}, which is not on the allow-list"
    if parts.scheme not in {"https", ""} or port not in {None, 443} or parts.username is not None:
        return f"a link to {host} that is not plain https"
    if parts.query or parts.fragment or _carries_data(parts.path):
        return f"a link to {host} that carries data"
    return None


def _allowed(host: str, allow_list: tuple[str, ...]) -> bool:
    """An entry allows its host alone; ``.example.com`` or ``*.example.com`` its sub-domains too."""
    for entry in (entry.lower().strip() for entry in allow_list):
        bare = entry.removeprefix("*").removeprefix(".")
        if bare and (host == bare or (entry != bare and host.endswith("." + bare))):
            return True
    return False


def _carries_data(path: str) -> bool:
    return any(len(segment) >= _DATA_SEGMENT for segment in path.split("/"))
