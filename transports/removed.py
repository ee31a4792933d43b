"""What the sanitizer removes from a step's body, described for its author."""

import re
from collections.abc import Sequence
from html import unescape
from html.parser import HTMLParser

from domain.markup import is_html, tidy_html
from transports.html import ATTRIBUTES, GONE, SCHEMES, TAGS, declarations, keeps

# Tags whose removal changes nothing that a reader would see.
_SILENT_TAGS = {"html", "body", "head", "meta", "title", "tbody", "colgroup", "col", "wbr", "img", "section", "main", "article", "header", "footer"}  # fmt: skip
_SILENT = {
    "class",
    "id",
    "name",
    "target",
    "rel",
    "role",
    "start",
    "type",
    "nowrap",
    "src",
    "width",
    "height",
}
_FIELD = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def removed(body: str) -> list[str]:
    """List what is removed, each thing once, in order; empty if everything is sent. ``body``: a step's, with its fields."""
    if not is_html(body):
        return []
    found = _Found()
    found.feed(_FIELD.sub("x", tidy_html(body)))
    found.close()
    return list(found.things)


def removed_from_steps(sequence: str, bodies: Sequence[str]) -> list[str]:
    """List what is removed from all steps of a sequence, each with its place."""
    return [
        f"{sequence}, step {number}: {each}"
        for number, body in enumerate(bodies, start=1)
        for each in removed(body)
    ]


class _Found(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.things: dict[str, None] = {}
        self._inside: list[str] = []  # open tags that are removed with their contents

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in GONE:
            self._inside.append(tag)
            if tag not in ("head", "title"):
                self._gone(f"<{tag}> and what is in it" + _INSTEAD.get(tag, ""))
            return
        if self._inside:
            return
        if tag == "img":
            words = (dict(attrs).get("alt") or "").strip()
            self._gone(
                "an image"
                + (f"; its words “{words[:60]}” stay" if words else " without words that describe it")
            )
        elif tag not in TAGS and tag not in _SILENT_TAGS and ":" not in tag:
            self._gone(f"<{tag}>; its text stays")
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        if tag == "a" and not dict(attrs).get("href"):
            self._gone("a link without an address; its text stays")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            del self._inside[self._inside.index(tag) :]

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name == "style":
            for declared, wanted in declarations(value):
                if not keeps(declared, wanted) and not declared.startswith(("mso-", "-webkit-", "-ms-")):
                    self._gone(f"the style {declared}: {wanted[:40]}")
        elif name == "href" and tag == "a":
            scheme = re.match(r"([a-z][a-z0-9+.-]*):", re.sub(r"[\x00-\x20]", "", unescape(value)).lower())
            if scheme and scheme[1] not in SCHEMES:
                self._gone(f"a link to {scheme[1]}:; its text stays")
        elif name.startswith(("data-", "aria-", "xml")):
            return
        elif name.startswith("on"):
            self._gone(f"the script {name}")
        elif tag in TAGS and name not in _SILENT | ATTRIBUTES.get(tag, set()) | ATTRIBUTES["*"]:
            self._gone(f"{name} of <{tag}>")

    def _gone(self, thing: str) -> None:
        self.things.setdefault(thing)


_INSTEAD = {"style": " (write the style into the tags instead)"}
