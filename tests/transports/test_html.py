"""What may stay in an email's HTML, whoever wrote it, and how it becomes plain text."""

import re
import time
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transports.html import sanitise, sanitise_received, to_text

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_MORE = "abbr address article aside caption cite del figcaption figure footer header ins kbd main mark nav q samp section tt var"
HARMLESS_TAGS = set(_MORE.split()) | {
    "a",
    "b",
    "big",
    "blockquote",
    "br",
    "center",
    "dd",
    "dl",
    "dt",
    "font",
    "h4",
    "h5",
    "h6",
    "small",
    "strike",
    "tfoot",
    "code",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "hr",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
}
CELL = {"align", "bgcolor", "colspan", "height", "rowspan", "valign", "width"}
HARMLESS_ATTRIBUTES = {
    "ol": {"start", "type"},
    "li": {"value"},
    "a": {"href", "title"},
    "font": {"color", "face", "size"},
    "p": {"align"},
    "table": {"align", "bgcolor", "border", "cellpadding", "cellspacing", "width"},
    "td": CELL,
    "th": CELL,
    "tr": {"align", "bgcolor", "valign"},
}
ANYWHERE = {"dir", "lang", "style"}
SCHEMES = {"http", "https", "mailto", "tel"}

FRAGMENTS = [
    "<script>", "</script>", "<script src=//evil.example>", "<style>", "</style>", "<p style=", "<p onclick=", "<b ",
    '<a href="', "<a href=", "javascript:alert(1)", "java\tscript:alert(1)", "&#106;avascript:x", "data:text/html,x",
    "vbscript:x", "https://x.example/", '">', "'>", ">", "<", "/", "</a>", "<svg>", "</svg>", "<svg onload=alert(1)>",
    "<math>", "<mtext>", "<mglyph>", "<img src=x onerror=alert(1)>", "<iframe srcdoc='", "<object>", "<embed>",
    "<form action=x>", "<input>", "<button formaction=x>", "<base href=x>", "<meta http-equiv=refresh>", "<link>",
    "<table>", "<td>", "<tr>", "<li>", "<noscript>", "</noscript>", "<template>", "<title>", "</title>", "<textarea>",
    "</textarea>", "<xmp>", "<plaintext>", "<select>", "<!--", "-->", "<![CDATA[", "]]>", "<?php", "?>", "\x00", "`",
    '"', "'", "=", " ", "\n", "x", "&lt;script&gt;", "&", "expression(1)", "url(x)",
    "<p style='color:red;", "background:url(x)", "position:fixed", "font-size:", "https://a.example", "www.b.example", "</p>",
    "<img alt='", "<a href='tel:1'>",
]  # fmt: skip
hostile = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


class Elements(HTMLParser):
    """The tags and attributes that a reader of the HTML would see."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.others: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)


def assert_harmless(html: str) -> None:
    seen = Elements(html)
    assert not seen.others
    for tag, attributes in seen.tags:
        assert tag in HARMLESS_TAGS
        assert set(attributes) <= HARMLESS_ATTRIBUTES.get(tag, set()) | ANYWHERE
        assert not re.search(
            r"url|expression|position|display|import|[\\<>{}@]", attributes.get("style") or ""
        )
        # A browser drops white space and control characters before it reads the scheme.
        target = re.sub(r"[\x00-\x20\x7f-\xa0]", "", attributes.get("href") or "").lower()
        scheme = re.match(r"([a-z][a-z0-9+.-]*):", target)
        assert scheme is None or scheme[1] in SCHEMES


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("a<script>alert(1)</script>b", "ab"),
        ("a<SCRIPT SRC=//evil.example></SCRIPT>b", "ab"),
        ("a<style>p { display: none }</style>b", "ab"),
        ('<p onclick="alert(1)" ONMOUSEOVER=x>a</p>', "<p>a</p>"),
        ("<b/onclick=alert(1)>a</b>", "<b>a</b>"),
        ('<p style="background: url(https://evil.example/pixel)">a</p>', "<p>a</p>"),
        ('<span style="font-size:0">hidden</span>', "<span>hidden</span>"),
        ('<p class="x" id="y" data-z="1">a</p>', "<p>a</p>"),
        ('a<img src="https://evil.example/pixel" onerror="alert(1)">b', "ab"),
        ("a<iframe src=https://evil.example></iframe>b", "ab"),
        ("<form action=https://evil.example><input name=p><button>a</button></form>", "a"),
        ("<svg onload=alert(1)></svg>a", "a"),
        ("a<!-- secret -->b", "ab"),
        ("<base href=https://evil.example>a", "a"),
        ("<meta http-equiv=refresh content='0;url=https://evil.example'>a", "a"),
        ("<b><i>a</b></i>", "<b><i>a</i></b>"),
        ("<p>a", "<p>a</p>"),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
    ],
)
def test_what_an_email_does_not_need_is_taken_out(html: str, clean: str) -> None:
    assert sanitise(html) == clean


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "\x01javascript:alert(1)",
        "java\tscript:alert(1)", "java\nscript:alert(1)", "&#106;avascript:alert(1)", "&#x6A;avascript&colon;alert(1)",
        "java&Tab;script:alert(1)", "vbscript:x", "data:text/html,<script>alert(1)</script>", "file:///etc/passwd",
        "ftp://x.example", "blob:x", "sms:123", "ms-word:ofe|u|https://evil.example", "about:blank",
    ],
)  # fmt: skip
def test_links_elsewhere_than_to_the_web_mail_and_telephones_leave_their_text(target: str) -> None:
    assert sanitise(f'<a href="{target}">a</a>') == "a"


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://x.example/?a=1&amp;b=2#c" title="T">a</a>',
        '<a href="http://x.example">a</a>',
        '<a href="mailto:ann@x.example">a</a>',
        "<h1>a</h1><p>b<br>c <b>d</b> <em>e</em></p><hr><ul><li>f</li></ul>",
        '<table><tbody><tr><th rowspan="2">a</th><td colspan="2">b</td></tr></tbody></table>',
        "<blockquote>a</blockquote><pre>b\n  c</pre><code>d</code>",
        "Gr\u00fc\u00dfe \u2014 \u4f60\u597d \U0001f600",
    ],
)
def test_plain_formatting_and_links_stay_as_they_are(html: str) -> None:
    assert sanitise(html) == html


@settings(CALM, max_examples=300)
@given(hostile)
def test_whatever_is_put_together_the_result_is_harmless(html: str) -> None:
    clean = sanitise(html)
    assert_harmless(clean)
    assert_harmless(sanitise(clean))


@CALM
@given(words)
def test_any_text_becomes_harmless_html(text: str) -> None:
    assert_harmless(sanitise(text))


@CALM
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60))
def test_escaped_text_survives_as_the_same_text(text: str) -> None:
    assert to_text(sanitise(f"<p>{escape(text)}</p>")).split() == text.split()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hi Ann,</p><p>how are you?</p>", "Hi Ann,\n\nhow are you?"),
        ("<p>a<br>b</p>", "a\nb"),
        ("a<br><br>b", "a\n\nb"),
        ("<b>a</b><i>b</i>", "ab"),
        ("a\n  b\t c", "a b c"),
        ("a&nbsp;&nbsp;b", "a b"),
        ("1 &lt; 2 &amp; &quot;3&quot; &#8364;", '1 < 2 & "3" \u20ac'),
        ("&lt;p&gt;a&lt;/p&gt;", "<p>a</p>"),
        ('See <a href="https://x.example/?a=1&amp;b=2">this</a>.', "See this <https://x.example/?a=1&b=2>."),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example"),
        (
            '<a href="https://evil.example">https://good.example</a>',
            "https://good.example <https://evil.example>",
        ),
        ('<a href="mailto:ann@x.example">ann@x.example</a>', "ann@x.example"),
        ('<a href="mailto:ann@x.example">Ann</a>', "Ann <mailto:ann@x.example>"),
        ('<a href="https://x.example"><b>a</b> b</a>', "a b <https://x.example>"),
        ("<a>a</a>", "a"),
        ("", ""),
        ("<p> </p>", ""),
        ("<div><div><p>a</p></div></div><p></p><p></p><p>b</p>", "a\n\nb"),
    ],
)
def test_html_reads_as_plain_text(html: str, text: str) -> None:
    assert to_text(html) == text


def test_list_items_stand_on_their_own_lines_with_a_dash() -> None:
    lines = to_text("<p>Two things:</p><ul><li>one</li><li><b>two</b></li></ul>").splitlines()
    assert [line for line in lines if line] == ["Two things:", "- one", "- two"]


@pytest.mark.parametrize(
    "html", ["</a></a>", "a</p></li>", "<a href=x", "<a href='x'>a", "&#xFFFFFFFF;", "<", "&"]
)
def test_broken_html_has_a_text_too(html: str) -> None:
    assert isinstance(to_text(html), str)
    assert isinstance(to_text(sanitise(html)), str)


@CALM
@given(words)
def test_the_text_part_holds_every_word(text: str) -> None:
    assert to_text(escape(text)).split() == text.split()


@CALM
@given(hostile)
def test_the_text_part_is_tidy(html: str) -> None:
    text = to_text(sanitise(html))
    assert text == text.strip()
    assert "\n\n\n" not in text
    assert "  " not in text
    assert "\t" not in text


@pytest.mark.parametrize(
    ("text", "shown", "target"),
    [
        ("Book: https://cal.example/hans", "https://cal.example/hans", "https://cal.example/hans"),
        ("(see https://a.example/x).", "https://a.example/x", "https://a.example/x"),
        ("at https://a.example/x_(y)!", "https://a.example/x_(y)", "https://a.example/x_(y)"),
        ("www.acme.example, or", "www.acme.example", "https://www.acme.example"),
        ("http://a.example?", "http://a.example", "http://a.example"),
        ("\u201ehttps://a.example/\u00fc\u201c", "https://a.example/\u00fc", "https://a.example/\u00fc"),
        (
            "&lt;https://a.example/?a=1&amp;b=2&gt;",
            "https://a.example/?a=1&b=2",
            "https://a.example/?a=1&b=2",
        ),
        ("https://a.example:8443/x#y;", "https://a.example:8443/x#y", "https://a.example:8443/x#y"),
        ("\u8bf7\u770bhttps://a.example\u3002", "", ""),
        ("see https://a.example\u3002", "https://a.example", "https://a.example"),
    ],
)
def test_addresses_written_out_become_links_without_the_punctuation_around_them(
    text: str, shown: str, target: str
) -> None:
    clean = sanitise(f"<p>{text}</p>")
    link = f'<a href="{escape(target)}">{escape(shown)}</a>' if target else ""
    assert link in clean
    assert clean.count("<a") == bool(target)
    assert to_text(clean) == to_text(f"<p>{text}</p>")


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "http://a",
        "www.",
        "www.x",
        "ann@www.acme.example",
        "xhttps://a.example",
        "ftp://a.example",
        "https://-/",
    ],
)
def test_what_is_no_address_stays_text(text: str) -> None:
    assert "<a" not in sanitise(f"<p>{text}</p>")


def test_links_inside_links_are_not_made() -> None:
    for html in (
        '<a href="https://a.example">https://b.example</a>',
        '<a href="https://a.example"><b>see www.b.example</b> there</a>',
    ):
        assert sanitise(html) == html


def test_an_image_leaves_its_words_and_a_link_to_nothing_goes() -> None:
    assert (
        sanitise('<a href="https://acme.example"><img src="x.png" alt="Acme &amp; Co"></a>')
        == '<a href="https://acme.example">Acme &amp; Co</a>'
    )
    assert sanitise('a<a href="https://acme.example"><img src="x.png"></a>b') == "ab"
    assert sanitise("a<a name='x'>b</a>c") == "abc"


def test_parts_of_a_page_stay_apart_and_what_marks_words_stays() -> None:
    clean = sanitise("<section>One</section><section>Two</section><footer><mark>Three</mark></footer>")
    assert clean == "<section>One</section><section>Two</section><footer><mark>Three</mark></footer>"
    assert to_text(clean) == "One\n\nTwo\n\nThree"
    assert sanitise('<ol start="3"><li value="4">x</li></ol>') == '<ol start="3"><li value="4">x</li></ol>'


@pytest.mark.parametrize("piece", ["<div>", "<p><b><a>", "<ul><li>", "<blockquote><font>", "<b><i><u><s>"])
def test_a_strangers_html_that_would_take_minutes_is_left_out(piece: str) -> None:
    began = time.process_time()
    assert sanitise_received(piece * (399_999 // len(piece))) == ""
    assert time.process_time() - began < 3


def test_a_strangers_long_ordinary_html_stays() -> None:
    rows = "<tr><td><p>Hello <b>you</b></p></td></tr>" * 5_000
    table = "<table>" * 20 + "<tr><td>" + f"<table><tbody>{rows}</tbody></table>"
    assert sanitise_received(table).count("<b>you</b>") == 5_000


@pytest.mark.parametrize(
    "target", ["/settings/sequences", "//evil.example", "people", "?next=1", "#main", " /x", "\u00e4http://x"]
)
def test_a_strangers_link_leads_to_no_page_of_ours(target: str) -> None:
    assert sanitise_received(f"<p><a href='{target}'>here</a></p>") == "<p>here</p>"
    assert 'href="https://example.org"' in sanitise_received("<a href='https://example.org'>there</a>")
