"""What we say was removed from a body is what the sanitiser removes."""

import pytest

from transports.html import sanitise
from transports.removed import removed


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<p>a<img src="https://x.example/logo.png" alt="Acme"></p>', "image"),
        ("<p>a<img src=x></p>", "image"),
        ("<p>a<script>b</script></p>", "<script>"),
        ("<style>p {}</style><p>a</p>", "<style>"),
        ("<p onclick=x>a</p>", "onclick"),
        ('<p style="display:none;color:red">a</p>', "display"),
        ('<p style="background:url(https://x.example/pixel)">a</p>', "background"),
        ("<p style='font-size:0'>a</p>", "font-size"),
        ('<p>a<a href="javascript:x">b</a></p>', "javascript"),
        ('<p>a<a href="ftp://x.example">b</a></p>', "ftp"),
        ("<p>a<a>b</a></p>", "without an address"),
        ("<form action=x>a<button>b</button></form>", "<form>"),
        ("<p>a<iframe src=x></iframe></p>", "<iframe>"),
        ("<p>a<video src=x>b</video></p>", "<video>"),
    ],
)
def test_what_goes_is_named(body: str, words: str) -> None:
    assert any(words in each for each in removed(body))


@pytest.mark.parametrize(
    "body",
    [
        "plain <https://cal.example> text with <hans@acme.example> and <a small team>",
        '<div style="font-family:Calibri,sans-serif;font-size:11pt;color:#1f3864">Hi {{first_name|there}}</div>',
        '<p>Call <a href="tel:+4930123456">+49 30 123456</a>, <a href="{{url}}">here</a> or <a href="mailto:a@b.example">b</a></p>',
        '<table border="0" cellpadding="0"><tr><td valign="top" width="80" style="padding:0 4pt">a</td></tr></table>',
        '<html><head><title>t</title><meta charset="utf-8"></head><body class="x"><p dir="rtl">a<o:p></o:p></p></body></html>',
        '<font face="Aptos" size="2" color="red">a</font><br>b',
    ],
)
def test_nothing_is_said_where_nothing_is_lost(body: str) -> None:
    assert removed(body) == []


def test_ordinary_styles_of_a_signature_stay() -> None:
    for style in (
        "font-family:Calibri,sans-serif;font-size:11pt", "color:#1F3864", "color:rgb(31, 56, 100)", "font-family:'Segoe UI',Arial",
        "font-weight:bold;font-style:italic;text-decoration:underline", "margin:0 0 8pt", "line-height:1.5", "font-size:0.9em",
        "border-top:1px solid #ccc;padding-top:4px", "text-align:right", "background-color:#ffff00",
    ):  # fmt: skip
        assert sanitise(f'<p style="{style}">a</p>').replace("&quot;", "'") == f'<p style="{style}">a</p>'
