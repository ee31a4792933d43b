"""Read the fallback of a merge field: the words after the bar, for people without a value.

It may be written as in this product or as in another tool.
"""

import html
import re
from dataclasses import dataclass

_QUOTES = {
    '"': '"',
    "'": "'",
    "“": "”",
    "\u2018": "\u2019",
    "„": "“”",
    "\u201a": "\u2018\u2019",
    "«": "»",
    "»": "«",
    "`": "`",
}
# default: "there", default "there", default("there"), default="there", default("there", true)
_DEFAULT = re.compile(
    r"(?:default|fallback|default_if_none|otherwise|if_empty|ifempty)\s*(?:[:=]\s*|\(\s*|\s+(?=[\"'“\u2018„«]))(.*?)\)?\s*",
    re.IGNORECASE | re.DOTALL,
)
_CALL = re.compile(r"([a-z_][a-z0-9_]*)(?:\(.*\)|\s*:\s*(?:[\"'“\u2018].*|\d+))", re.IGNORECASE | re.DOTALL)
# Words that Liquid, Jinja, Handlebars and the tools built on them know as filters. In quotes they are plain text.
_FILTER_WORDS = (
    "abs append base64 batch camelcase camelize capfirst capitalise capitalize compact concat date date_format dateformat"
    " datetime default downcase e escape escape_once fallback first format hash handleize int join json last length lower"
    " lowercase lstrip map md5 newline_to_br number pluralize prepend proper propercase raw remove replace reverse round rstrip"
    " safe sanitize size slice slugify sort split string strip strip_html striptags title titlecase titleize tojson trim"
    " truncate truncatewords ucase ucfirst uniq upcase upper uppercase url_encode urlencode wordcount"
)
_FILTERS = frozenset(_FILTER_WORDS.split())


@dataclass(frozen=True, slots=True)
class Fallback:
    """``text``: None if none was given. ``filter``: the name of another tool's function that is there instead."""

    text: str | None
    filter: str = ""


def read(written: str | None) -> Fallback:
    """Read what is written after the bar, without the bar. None: there is no bar."""
    if written is None:
        return Fallback(None)
    text = html.unescape(written).strip()
    if (quoted := _unquoted(text)) is not None:
        return Fallback(quoted)
    if default := _DEFAULT.fullmatch(text):
        inner = re.sub(r",\s*(?:true|false)\s*$", "", default[1], flags=re.IGNORECASE).strip()
        bare = _unquoted(inner)
        return Fallback(inner if bare is None else bare)
    if call := _CALL.fullmatch(text):
        return Fallback(None, call[1])
    if text.lower() in _FILTERS:
        return Fallback(None, text)
    return Fallback(text)


def _unquoted(text: str) -> str | None:
    if len(text) < 2 or text[0] not in _QUOTES or text[-1] not in _QUOTES[text[0]]:
        return None
    inner = text[1:-1]
    return None if text[0] in inner and text[0] in "\"'" else inner.strip()
