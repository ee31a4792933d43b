"""Is a body HTML or text? Only tags that HTML knows, written as tags, are markup. Any other ``<`` stays as written."""

import re
from functools import lru_cache
from html import escape

# Elements that need no end tag.
_OPEN_ENDED_WORDS = (
    "area base basefont body br col colgroup dd dt embed frame head hr html img input li link meta optgroup option p param"
    " source tbody td tfoot th thead tr track wbr"
)
_CLOSED_WORDS = (
    "a abbr acronym address applet article aside audio b bdi bdo big blink blockquote button canvas caption center cite code"
    " data datalist del details dfn dialog dir div dl em fieldset figcaption figure font footer form frameset h1 h2 h3 h4 h5"
    " h6 header i iframe ins kbd label legend main map mark marquee math menu nav nobr noframes noscript object ol output"
    " picture pre progress q ruby rp rt s samp script section select small span strike strong style sub summary sup svg"
    " table template textarea time title tt u ul var video xmp"
)
_OPEN_ENDED = frozenset(_OPEN_ENDED_WORDS.split())
_KNOWN = _OPEN_ENDED | frozenset(_CLOSED_WORDS.split())
_BLOCKS = re.compile(
    r"<(?:address|article|aside|blockquote|br|center|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6]|header|hr|li|main|nav|ol|p"
    r"|pre|section|table|tbody|td|th|tr|ul)\b",
    re.IGNORECASE,
)
# Attributes that have no value.
_BARE_WORDS = (
    "async autoplay border checked compact controls defer disabled hidden ismap loop multiple noshade nowrap readonly required"
    " reversed selected"
)
_BARE = frozenset(_BARE_WORDS.split())
_ATTRIBUTE = re.compile(r"(?:^|[\s\"'/])([a-z][a-z0-9:_-]*)\s*=", re.IGNORECASE)
_TAG = re.compile(
    r"<(?P<end>/)?(?P<name>[a-z][a-z0-9]*)(?P<rest>(?=[\s/>])(?:[^<>\"'{]|\"[^\"]*\"|'[^']*'|\{\{[^{}]*+\}\}|\{)*+)>"
    # Tags of Word and Outlook: <o:p>, <v:shape …>. A space or the tag's end follows the name, unlike in <x:y@z>.
    r"|</?(?:o|v|w|m|st1|st2)(?::[a-z][a-z0-9]*)(?:\s(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+|\s*+)/?>"
    r"|<!--(?:(?!<!--|-->).)*+-->|<!(?:doctype\b|\[)[^<>]*>|<\?xml[^<>]*>",
    re.IGNORECASE | re.DOTALL,
)


@lru_cache(maxsize=64)
def is_html(body: str) -> bool:
    """Does the body contain at least one tag?"""
    return bool(_tags(body))


@lru_cache(maxsize=64)
def tidy_html(body: str) -> str:
    """Write every ``<`` that begins no tag as ``&lt;``. Keep the line breaks if no block element breaks lines."""
    parts, at = [], 0
    for start, end in _tags(body):
        parts += [body[at:start].replace("<", "&lt;"), body[start:end]]
        at = end
    written = "".join([*parts, body[at:].replace("<", "&lt;")])
    return written if _BLOCKS.search(written) else _broken(written)


def paragraphs(text: str) -> str:
    """Text as HTML: an empty line begins a paragraph, a line stays a line, and runs of spaces keep their width."""
    return _broken(escape(text))


def _broken(written: str) -> str:
    lines = written.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    parts = re.split(r"\n(?:[^\S\n]*\n)+", re.sub(r"^(?:[^\S\n]*\n)+", "", lines))
    return "".join(f"<p>{_wide(part).replace(chr(10), '<br>')}</p>" for part in parts)


def _wide(text: str) -> str:
    return (
        re.sub(r"(?m)^ |(?<= ) ", "&nbsp;", text)
        if "  " in text or "\n " in text or text.startswith(" ")
        else text
    )


def _tags(body: str) -> list[tuple[int, int]]:
    found = list(_TAG.finditer(body))
    opened = {each["name"].lower() for each in found if each["name"] and not each["end"]}
    closed = {each["name"].lower() for each in found if each["name"] and each["end"]}
    return [each.span() for each in found if not each["name"] or _is_tag(each, opened, closed)]


def _is_tag(found: re.Match[str], opened: set[str], closed: set[str]) -> bool:
    name, rest = found["name"].lower(), found["rest"].strip().rstrip("/")
    if name not in _KNOWN:
        return False
    if found["end"]:
        return name in opened or name in ("br", "p")
    if _ATTRIBUTE.search(rest):
        return True
    if any(word not in _BARE for word in rest.lower().split()):
        return False
    # In a text like "x <b> y" nothing closes the <b>, so it is no tag.
    return name in _OPEN_ENDED or name in closed
