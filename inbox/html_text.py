"""HTML email to plain text, with what it quotes written behind ``> `` as text email does.

Reads from left to right in time that its length bounds. Libraries build a tree first, which takes minutes for half a megabyte
of ``<div>``: nh3 500 s, and the standard library's parser finds the end of each ``<`` anew.
"""

import re
from html import unescape

MAX_HTML = 400_000  # characters
_BLOCKS = {
    "address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul",
}  # fmt: skip
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "wbr"}
# Left out with what they hold.
_GONE = {
    "head",
    "iframe",
    "math",
    "noframes",
    "object",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
}
# Where mail programs put what they quote: Gmail, Yahoo, Outlook on the web and for the phone, Thunderbird, Proton, Zoho, Zimbra.
_QUOTES = re.compile(
    r"gmail_quote|gmail_extra|yahoo_quoted|yQTDBase|divRplyFwdMsg|appendonsend|mail-editor-reference-message|moz-cite-prefix"
    r"|protonmail_quote|zmail_extra|tutanota_quote|OLK_SRC_BODY_SECTION|ms-outlook-mobile-reference-message|replybody|WordSection0"
    r"|isReplyContent|x_gmail_quote|freebirdFormviewerViewItemsItem"
)
_SIGNATURES = re.compile(
    r"gmail_signature|moz-signature|ms-outlook-mobile-signature|protonmail_signature_block|Signature"
)
# These stand before the quote, which follows as their sibling: from there to the end all is quoted.
_FROM_HERE = re.compile(
    r"divRplyFwdMsg|appendonsend|mail-editor-reference-message|ms-outlook-mobile-reference-message"
)
# Outlook's line above what it quotes.
_RULE = re.compile(r"border-top:\s*solid\s*#(?:E1E1E1|B5C4DF)", re.IGNORECASE)
_HIDDEN = re.compile(
    r"display:\s*none|visibility:\s*hidden|font-size:\s*0(?![\d.]*[1-9])|mso-hide:\s*all", re.IGNORECASE
)
_ATTRIBUTE = re.compile(
    r"\b(class|id|style|name|hidden)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)", re.IGNORECASE
)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_NAME = re.compile(r"/?[A-Za-z][A-Za-z0-9:]{0,30}")
MAX_TAG = 4000  # characters whose attributes are read


def html_to_text(html: str) -> str:
    """The text that a person sees, a line for each block. Scripts, styles and hidden text are left out."""
    written = _Text()
    html = html[:MAX_HTML]
    small = html.lower() if len(html.lower()) == len(html) else html
    unclosed: set[str] = set()
    at = 0
    while (opened := _TAG.search(html, at)) is not None:
        opens = opened.start()
        written.data(html[at:opens])
        if html.startswith("<!--", opens):
            ends = html.find("-->", opens + 4)
            at = ends + 3 if ends >= 0 else len(html)
            continue
        ends = html.find(">", opens)
        if ends < 0:
            break
        at = ends + 1
        named = _NAME.match(html, opens + 1)
        if named is None:
            continue
        name = named[0].lower()
        if name in _GONE and name not in unclosed and html[ends - 1] != "/":
            closes = small.find(f"</{name}", at)
            if closes < 0:
                unclosed.add(name)
            else:
                at = closes
        elif name.startswith("/"):
            written.end(name[1:])
        else:
            written.start(name, html[named.end() : min(ends, named.end() + MAX_TAG)])
    else:
        written.data(html[at:])
    return written.text()


class _Text:
    """Lines of text, and which of the open elements quote or hide."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []  # tag, quoted, hidden
        self._count: dict[str, int] = {}
        self._quoted = self._hidden = 0
        self._rest_quoted = False

    def start(self, tag: str, attributes: str) -> None:
        if tag in _BLOCKS or tag == "br":
            self._break()
        if tag in _VOID:
            return
        if tag in ("p", "ul", "ol", "table"):
            self._empty_line()
        self._count[tag] = self._count.get(tag, 0) + 1
        if not attributes:
            self._open.append((tag, tag == "blockquote", False))
            self._quoted += tag == "blockquote"
            return
        given = {name.lower(): value.strip("\"'") for name, value in _ATTRIBUTE.findall(attributes)}
        named = f"{given.get('class', '')} {given.get('id', '')} {given.get('name', '')}"
        style = given.get("style", "")
        if _SIGNATURES.search(named) and not self._is_quoted():
            self._lines += ["", "-- "]
        if _FROM_HERE.search(named) or _RULE.search(style):
            self._rest_quoted = True
        quoted = tag == "blockquote" or bool(_QUOTES.search(named))
        hidden = bool(_HIDDEN.search(style)) or "hidden" in given
        self._open.append((tag, quoted, hidden))
        self._quoted += quoted
        self._hidden += hidden

    def end(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._break()
        if not self._count.get(tag):
            return
        while True:
            closed, quoted, hidden = self._open.pop()
            self._count[closed] -= 1
            self._quoted -= quoted
            self._hidden -= hidden
            if closed == tag:
                break
        if tag in ("p", "ul", "ol", "table"):
            self._empty_line()

    def data(self, data: str) -> None:
        if not data or self._hidden:
            return
        if self._count.get("pre"):
            *lines, data = data.split("\n")
            for line in lines:
                self._line.append(unescape(line))
                self._break()
        self._line.append(re.sub(r"\s+", " ", unescape(data)))

    def text(self) -> str:
        self._break()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip("\n")

    def _is_quoted(self) -> bool:
        return self._quoted > 0 or self._rest_quoted

    def _empty_line(self) -> None:
        if self._lines and self._lines[-1].strip(" >"):
            self._lines.append(">" if self._is_quoted() else "")

    def _break(self) -> None:
        line = " ".join("".join(self._line).split())
        self._line.clear()
        if line:
            self._lines.append(f"> {line}" if self._is_quoted() else line)
