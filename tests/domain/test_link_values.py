"""A merge value in a link: encoded for its place, a whole address stays one, a script never becomes one."""

import html
from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.merge import MissingField, fill

NASTY = "Smith & Sons #1/2?x=y+z%20\u00fc\"'<>"


class Links(HTMLParser):
    """The addresses of all links."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(written)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name == "href"]


def link(template: str, **values: str) -> str:
    (found,) = Links(fill(template, values, escape=html.escape)).found
    return found


@pytest.mark.parametrize("quote", ['"', "'", ""])
def test_data_arrives_as_it_is_in_path_query_and_fragment(quote: str) -> None:
    found = urlsplit(
        link(
            f"<a href={quote}https://a.example/{{{{x}}}}/b?q={{{{x}}}}&amp;r=1#{{{{x}}}}{quote}>go</a>",
            x=NASTY,
        )
    )
    assert (found.scheme, found.netloc) == ("https", "a.example")
    assert [unquote(part) for part in found.path.split("/")] == ["", NASTY, "b"]
    assert parse_qs(found.query) == {"q": [NASTY], "r": ["1"]}
    assert unquote(found.fragment) == NASTY


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text.strip()))
def test_whatever_the_data_is_it_stays_one_value_of_the_query(value: str) -> None:
    found = urlsplit(link('<a href="https://a.example/?q={{x}}&r=1">go</a>', x=value))
    assert parse_qs(found.query, keep_blank_values=True) == {"q": [value.strip()], "r": ["1"]}
    assert found.netloc == "a.example"


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("https://ann.example/cv?a=1&b=2#c", "https://ann.example/cv?a=1&b=2#c"),
        ("http://ann.example", "http://ann.example"),
        ("HTTPS://Ann.example/CV", "HTTPS://Ann.example/CV"),
        ("https://ann.example/a%20b/\u00fc c", "https://ann.example/a%20b/%C3%BC%20c"),
        ("https://b\u00fccher.example/x", "https://xn--bcher-kva.example/x"),
        # Each of these is another domain than the one that IDNA 2003 makes of it.
        ("https://stra\u00dfe.de/x", "https://xn--strae-oqa.de/x"),
        ("https://Stra\u00dfe.DE:8443/\u00df?q=\u00df", "https://xn--strae-oqa.de:8443/%C3%9F?q=%C3%9F"),
        ("http://fu\u00dfball.example", "http://xn--fuball-cta.example"),
        ("fa\u00df.example/cv", "https://xn--fa-hia.example/cv"),
        ("https://\u03b2\u03cc\u03bb\u03bf\u03c2.example/", "https://xn--nxasmm1c.example/"),
        ("https://www.B\u00dcCHER.example/x", "https://www.xn--bcher-kva.example/x"),
        ("https://\u4f8b\u3048\u3002jp/x", "https://xn--r8jz45g.jp/x"),
        ("https://i\u2665ny.example/x", "https://xn--iny-zx5a.example/x"),
        ("https://my_cv.stra\u00dfe.de", "https://my_cv.xn--strae-oqa.de"),
        ("https://user@stra\u00dfe.de/stra\u00dfe.de", "https://user@xn--strae-oqa.de/stra%C3%9Fe.de"),
        ("ann.example/cv", "https://ann.example/cv"),
        ("www.linkedin.com/in/ann", "https://www.linkedin.com/in/ann"),
        ("ann@example.org", "mailto:ann@example.org"),
        ("mailto:ann@example.org", "mailto:ann@example.org"),
        ("tel:+49301234", "tel:+49301234"),
    ],
)
def test_a_field_that_is_a_whole_address_stays_one(value: str, target: str) -> None:
    assert link('<a href="{{url}}">you</a>', url=value) == target


@pytest.mark.parametrize(
    "value",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        " javascript:x",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc",
        "not an address",
        "\x01javascript:x",
    ],
)
def test_anything_else_is_no_address_and_the_fallback_counts(value: str) -> None:
    with pytest.raises(MissingField):
        fill('<a href="{{url}}">you</a>', {"url": value}, escape=html.escape)
    assert link('<a href="{{url|https://acme.example}}">you</a>', url=value) == "https://acme.example"


@pytest.mark.parametrize(
    ("template", "value", "target"),
    [
        ('<a href="https://{{x}}/jobs">', "acme.example", "https://acme.example/jobs"),
        ('<a href="https://{{x}}/jobs">', "https://acme.example", "https://acme.example/jobs"),
        ('<a href="https://{{x}}/jobs">', "stra\u00dfe.de", "https://xn--strae-oqa.de/jobs"),
        ('<a href="https://www.{{x}}">', "fa\u00df.example/cv", "https://www.xn--fa-hia.example/cv"),
        ('<a href="mailto:{{x}}">', "ann+jobs@example.org", "mailto:ann%2Bjobs@example.org"),
        ('<a href="mailto:a@b.example?subject={{x}}">', "R & D", "mailto:a@b.example?subject=R%20%26%20D"),
        ('<a href="tel:{{x}}">', "+49 (30) 123-456", "tel:+4930123-456"),
        (
            '<a href="https://a.example/?next={{x}}">',
            "https://b.example/?q=1",
            "https://a.example/?next=https%3A%2F%2Fb.example%2F%3Fq%3D1",
        ),
        ('<a title="{{x}}" href="https://a.example">', "R & D", "https://a.example"),
    ],
)
def test_each_place_has_its_own_rule(template: str, value: str, target: str) -> None:
    assert link(template, x=value) == target


def test_addresses_written_out_in_a_text_count_too_and_text_beside_them_does_not() -> None:
    template = "See https://a.example/{{x}}?q={{x|a b}}, {{x}} or www.a.example/{{x}}."
    assert fill(template, {"x": "R & D"}, escape=str) == (
        "See https://a.example/R%20%26%20D?q=R%20%26%20D, R & D or www.a.example/R%20%26%20D."
    )


@pytest.mark.parametrize(
    "host", ["\u00df" * 60_000, f"{'a.' * 200}stra\u00dfe.de", "a\u2488b.example", "a\ufffdb.example"]
)
def test_a_host_that_is_none_names_no_other_and_costs_no_time(host: str) -> None:
    found = link('<a href="{{url}}">you</a>', url=f"https://{host}/x")
    assert unquote(found) == f"https://{host}/x"
