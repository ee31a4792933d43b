"""Judges a page, or a piece of one, by parsing it: does anything in it act, fetch, leave its place or hide what is ours?"""

from html.parser import HTMLParser
from urllib.parse import urlsplit

from transports.html import SCHEMES, TAGS, declarations, keeps

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "wbr"}
_OURS = {  # what our templates have and emails may not
    "article", "aside", "body", "button", "dialog", "details", "footer", "form", "head", "header", "html", "img", "input", "label", "link", "main", "meta", "nav", "optgroup",
    "option", "script", "section", "select", "summary", "svg", "path", "textarea", "time", "title", "bdi", "use", "kbd",
}  # fmt: skip
_FETCHES = {
    "src",
    "srcset",
    "background",
    "poster",
    "data",
    "action",
    "formaction",
    "ping",
    "xlink:href",
    "srcdoc",
}


class Judge(HTMLParser):
    """``wrong``: what is, in words."""

    def __init__(self, *, whole_page: bool) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self._open: list[tuple[str, bool]] = []  # tag, and whether it holds what a stranger wrote
        self._strangers = not whole_page

    def judge(self, page: str) -> "Judge":
        """Read it all."""
        self.feed(page)
        self.close()
        self.wrong += [f"<{tag}> is not closed" for tag, _ in self._open]
        return self

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        inside = self._strangers or any(holds for _, holds in self._open)
        if tag not in TAGS | (set() if inside else _OURS):
            self.wrong.append(f"<{tag}> in {'an email' if inside else 'the page'}")
        for name, value in given.items():
            self._attribute(tag, name, value, inside=inside)
        if tag == "script" and not given.get("src"):
            self.wrong.append("a script of its own")
        if tag == "meta" and given.get("http-equiv"):
            self.wrong.append("a meta that acts")
        if tag not in _VOID:
            self._open.append((tag, "formatted" in given.get("class", "").split()))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.wrong.append(f"</{tag}> closes {self._open[-1][0] if self._open else 'nothing'}")
            return
        self._open.pop()

    def _attribute(self, tag: str, name: str, value: str, *, inside: bool) -> None:
        if name.startswith("on"):
            self.wrong.append(f"{tag} {name}")
        elif name in _FETCHES | {"href"} and (tag != "a" or name != "href"):
            if inside or not value.startswith("/") or value.startswith("//"):
                self.wrong.append(f"{tag} {name}={value[:60]}")
        elif name == "href":
            scheme = urlsplit(value.strip()).scheme.lower()
            if scheme not in SCHEMES and (inside or not value.startswith(("/", "#", "?"))):
                self.wrong.append(f"a href={value[:60]}")
        elif name == "style":
            self.wrong += [f"style {each}" for each in declarations(value) if not keeps(*each)]
        elif inside and name in ("id", "class", "name", "target"):
            self.wrong.append(f"{tag} {name}={value[:60]}")


def wrong_with(page: str) -> list[str]:
    """Return what is wrong with a whole page."""
    return Judge(whole_page=True).judge(page).wrong


def wrong_within(piece: str) -> list[str]:
    """Return what is wrong with the HTML of an email that a page would show."""
    return Judge(whole_page=False).judge(piece).wrong
