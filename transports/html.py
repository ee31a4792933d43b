"""Email HTML: what may stay (an allow-list, by nh3), what is removed, and how it reads as plain text."""

import re
from collections.abc import Callable
from html import escape, unescape
from html.parser import HTMLParser

import nh3

from transports.links import bare_addresses

_BLOCKS = {
    "address", "article", "aside", "blockquote", "caption", "center", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
TAGS = _BLOCKS | {
    "a", "abbr", "b", "big", "br", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "samp", "small",
    "span", "strike", "strong", "sub", "sup", "tbody", "td", "tfoot", "th", "thead", "tt", "u", "var",
}  # fmt: skip
SCHEMES = {"http", "https", "mailto", "tel"}
_CELL = {"align", "bgcolor", "colspan", "height", "rowspan", "valign", "width"}
ATTRIBUTES = {
    "*": {"dir", "lang", "style"},
    "a": {"href", "title"},
    "font": {"color", "face", "size"},
    "li": {"value"},
    "ol": {"start", "type"},
    "img": {"alt"},  # its text replaces the image
    "p": {"align"},
    "table": {"align", "bgcolor", "border", "cellpadding", "cellspacing", "width"},
    "td": _CELL,
    "th": _CELL,
    "tr": {"align", "bgcolor", "valign"},
}
# The styles of an ordinary signature. Nothing that moves, hides or fetches.
PROPERTIES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left", "border-right",
    "border-spacing", "border-style", "border-top", "border-width", "color", "direction", "font", "font-family", "font-size",
    "font-style", "font-variant", "font-weight", "letter-spacing", "line-height", "list-style-type", "margin",
    "margin-bottom", "margin-left", "margin-right", "margin-top", "padding", "padding-bottom", "padding-left",
    "padding-right", "padding-top", "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align",
    "white-space", "width",
}  # fmt: skip
# Removed with their contents. "Title" comes at the start of a saved page.
GONE = {
    "applet", "audio", "canvas", "head", "iframe", "math", "noframes", "noscript", "object", "script", "select", "style", "svg",
    "template", "textarea", "title", "video",
}  # fmt: skip
_VALUE = re.compile(r"(?:[\w\s.,#%+'\"-]|rgba?\([\d\s.,%]+\)|hsla?\([\d\s.,%deg]+\))+", re.IGNORECASE)
_HIDDEN = re.compile(
    r"(?:^|[\s,])(?:0+(?:\.0*)?|0?\.0\d*)(?:px|pt|em|rem|%|in|cm|mm|pc|ex|ch|vw|vh)?(?:[\s,]|$)",
    re.IGNORECASE,
)
_ABSOLUTE = re.compile(rf"\s*(?:{'|'.join(sorted(SCHEMES))}):", re.IGNORECASE)
_SIZES = ("font-size", "font", "line-height")
_MAX_RECEIVED = 400_000  # characters
_MAX_NESTED = 5_000_000  # the deepest nesting times all tags: a parser looks upward from each tag, so it takes a second at most
_ANY_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_NEST_NOTHING = {
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p", "param", "source",
    "td", "th", "tr", "wbr",
}  # fmt: skip


def kept_style(style: str) -> str:
    """Return the declarations of a style attribute that stay, without sizes that would hide the text."""
    return ";".join(f"{name}:{value}" for name, value in declarations(style) if keeps(name, value))


def declarations(style: str) -> list[tuple[str, str]]:
    """Return the declarations of a style attribute, with names in lower case."""
    pairs = (each.partition(":") for each in style.split(";"))
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs if name.strip()]


def keeps(name: str, value: str) -> bool:
    """May this declaration stay?"""
    wanted = re.sub(r"\s*!\s*important\s*$", "", value, flags=re.IGNORECASE)
    if name not in PROPERTIES or not _VALUE.fullmatch(wanted):
        return False
    if name in ("margin-left", "margin-top", "text-indent"):
        return "-" not in wanted
    return not (name in _SIZES and _HIDDEN.search(wanted.split("/")[0]))


def _filtered(_tag: str, attribute: str, value: str) -> str | None:
    return value if attribute != "style" else kept_style(value) or None


def _filtered_received(tag: str, attribute: str, value: str) -> str | None:
    """A link without a scheme would lead to a page of ours."""
    if attribute == "href" and not _ABSOLUTE.match(value):
        return None
    return _filtered(tag, attribute, value)


def _cleaner(attribute_filter: Callable[[str, str, str], str | None]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS | {"img"},
        clean_content_tags=GONE,
        attributes=ATTRIBUTES,
        attribute_filter=attribute_filter,
        url_schemes=SCHEMES,
        link_rel=None,
    )


_CLEANER, _CLEANER_OF_RECEIVED = _cleaner(_filtered), _cleaner(_filtered_received)


def sanitise(html: str) -> str:
    """Keep formatting, ordinary styles and links to http, https, mailto and tel; remove scripts, handlers, images and forms.

    Plain-text addresses become links, an image leaves its description, and a link without a target leaves its text.
    """
    return _written(_CLEANER.clean(html))


def sanitise_received(html: str) -> str:
    """Sanitise a stranger's HTML. "" if it is too long, or nested so deep that sanitising it would take minutes."""
    if len(html) > _MAX_RECEIVED or _nested(html) > _MAX_NESTED:
        return ""
    return _written(_CLEANER_OF_RECEIVED.clean(html))


def _written(clean: str) -> str:
    if "<a" not in clean and "<img" not in clean and "://" not in clean and "www." not in clean.lower():
        return clean
    writer = _Writer()
    writer.feed(clean)
    writer.close()
    return writer.written()


def _nested(html: str) -> int:
    """What sanitising costs: how deep it is nested, times its tags."""
    depth = deepest = tags = 0
    for closes, name in _ANY_TAG.findall(html):
        tags += 1
        if name.lower() not in _NEST_NOTHING:
            depth = max(0, depth - 1) if closes else depth + 1
            deepest = max(deepest, depth)
    return deepest * tags


def to_text(html: str) -> str:
    """Return readable plain text: blocks as lines, list items with a dash, links as ``text <address>``."""
    reader = _Parser()
    reader.feed(html)
    reader.close()
    text = "".join(reader.parts)
    lines = [re.sub(r"[ \t\u00a0]+", " ", line).strip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Writer(HTMLParser):
    """Rewrites clean HTML with corrected links. Its input comes from nh3: well formed, quoted, escaped."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._parts: list[str] = []
        self._text: list[str] = []
        self._link: tuple[str, int] | None = None  # the open link's tag, and where its content begins

    def written(self) -> str:
        self._flush()
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self._text.append(escape((dict(attrs).get("alt") or "").strip(), quote=False))
            return
        self._flush()
        if tag == "a":
            if dict(attrs).get("href"):
                self._link = (self.get_starttag_text() or "", len(self._parts))
            return
        self._parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self._flush()
        if tag != "a":
            self._parts.append(f"</{tag}>")
        elif self._link is not None:
            (start, at), self._link = self._link, None
            inside = "".join(self._parts[at:])
            if re.sub(r"<[^>]*>|&nbsp;|\s", "", inside):
                self._parts[at:] = [start, inside, "</a>"]

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_entityref(self, name: str) -> None:
        self._text.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._text.append(f"&#{name};")

    def _flush(self) -> None:
        written = "".join(self._text)
        self._text.clear()
        if written:
            self._parts.append(written if self._link is not None else _linked(written))


def _linked(written: str) -> str:
    text = unescape(written)
    found = bare_addresses(text)
    if not found:
        return written
    parts, at = [], 0
    for each in found:
        shown = escape(text[each.start : each.end], quote=False)
        parts += [escape(text[at : each.start], quote=False), f'<a href="{escape(each.target)}">{shown}</a>']
        at = each.end
    return "".join([*parts, escape(text[at:], quote=False)])


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
        elif tag in _BLOCKS:
            self.parts.append("\n\n" if tag == "p" else "\n")
        elif tag in ("td", "th") and self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append(" ")
        if tag == "li":
            self.parts.append("- ")
        if tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.parts)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            target, start = self._links.pop()
            shown = "".join(self.parts[start:]).strip()
            if target and not _says(shown, target):
                self.parts.append(f" <{target}>")
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data.replace("\n", " "))


def _says(shown: str, target: str) -> bool:
    """Does a link's text already name its target?"""
    if target.startswith("tel:"):
        return re.sub(r"\D", "", shown) == re.sub(r"\D", "", target)
    plain = re.sub(r"^(?:mailto:|https?://)", "", target).rstrip("/")
    return (
        shown in (target, target.removeprefix("mailto:"))
        or re.sub(r"^https?://", "", shown).rstrip("/") == plain
    )
