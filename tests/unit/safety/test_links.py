"""ES-11: whatever loads, runs or leads away is found, however it is spelled."""

import pytest

from swarm.safety.links import link_findings, links

ALLOWED = ("help.example.com", ".docs.example.com")

CLEAN = (
    "Hello,\nthe answer is 12.5 kg, i.e. more than before. Kind regards",
    "<p>Hello,<br>see <b>below</b>.</p>",
    "See https://help.example.com/returns for more.",
    "See https://eu.docs.example.com/a/b.",
    '<a href="https://help.example.com/returns">returns</a>',
)
REFUSED = (
    "https://evil.example/",
    "http://help.example.com/",
    "https://help.example.com/?name=anna",
    "https://help.example.com/#anna",
    "https://help.example.com:8443/",
    "https://anna@help.example.com/",
    "https://help.example.com@evil.example/",
    "https://help.example.com.evil.example/",
    "https://nothelp.example.com/",
    "https://help.example.com/" + "QUJD" * 12,
    "[here][1]\n\n[1]: https://evil.example/x",
    "[1]: evil.example.com/x",
    "//evil.example/x",
    "\\\\evil.example\\share",
    "www.evil-example.com",
    "evil-example.com/pay",
    "hxxps://evil[.]example/",
    "https%3A%2F%2Fevil.example%2F",
    "&#104;ttps://evil.example/",
    "https:/\u200b/evil.example/",
    "![logo](https://help.example.com/logo.png)",
    "<img src='https://help.example.com/x.png'>",
    "<IMG SRC=x onerror=alert(1)>",
    '<p style="background:url(https://help.example.com/x)">hi</p>',
    "<style>@import 'x'</style>",
    "<script>1</script>",
    "< script >1</script>",
    "<iframe src=x></iframe>",
    "<form action=x></form>",
    "<meta http-equiv=refresh>",
    "<svg onload=x>",
    "<a href=javascript:alert(1)>x</a>",
    '<a href="data:text/html,x">x</a>',
    "mailto:a@example.com?bcc=b@example.com",
    "&lt;script&gt;1&lt;/script&gt;",
)


@pytest.mark.parametrize("text", CLEAN)
def test_plain_text_and_allowed_links_are_clean(text: str) -> None:
    assert link_findings(text, ALLOWED) == ()


@pytest.mark.parametrize("text", REFUSED)
def test_what_leads_away_is_refused(text: str) -> None:
    assert link_findings(f"Hello {text} bye" if "[1]:" not in text else text, ALLOWED)


def test_without_an_allow_list_no_link_is_allowed() -> None:
    assert link_findings("https://help.example.com/returns", ())


def test_every_form_of_link_is_listed() -> None:
    text = (
        "https://a.example/1 [x]: //b.example/2\n<a href='https://c.example/3'>c</a> d-example.com"
    )
    hosts = " ".join(links(text))
    assert all(host in hosts for host in ("a.example", "b.example", "c.example", "d-example.com"))


def test_a_finding_names_the_host_and_nothing_more_of_the_link() -> None:
    (finding,) = link_findings("https://evil.example/secret-path?token=abc", ALLOWED)
    assert "evil.example" in finding
    assert "secret" not in finding
    assert "abc" not in finding
