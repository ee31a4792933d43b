"""The runbook as a page: docs/runbook.md, whose links to other files lead nowhere here, and are only text."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_FILE = Path(__file__).parents[1] / "docs" / "runbook.md"
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True, slots=True)
class Part:
    """What is below a heading of the second level; the first part is what stands above them all, without ``title``."""

    id: str
    title: str
    html: Markup


@cache
def parts() -> tuple[Part, ...]:
    """Return the runbook. Each entry's heading has an id: its text in lower case, with hyphens, as in links of alerts."""
    tokens = _MARKDOWN.parse(_FILE.read_text(encoding="utf-8"))[3:]  # without the file's own title
    ends = [at for at, each in enumerate(tokens) if each.type == "heading_open" and each.tag == "h2"]
    return tuple(_part(tokens[begin:end]) for begin, end in pairwise([0, *ends, len(tokens)]))


def _part(tokens: list[Token]) -> Part:
    title = ""
    if tokens[0].tag == "h2":
        title, tokens = tokens[1].content, tokens[3:]
    for token, inner in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _slug(inner.content))
        if inner.children:
            inner.children = [each for each in inner.children if each.type not in ("link_open", "link_close")]
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Part(_slug(title), title, Markup(html))  # noqa: S704 - of our own file, and its HTML is escaped


def _slug(title: str) -> str:
    return "".join(each for each in title.lower().replace(" ", "-") if each.isalnum() or each == "-")
