"""Merge values inside links.

Data is percent-encoded for its place, a whole address stays one, and a script is dropped.
"""

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

import idna

_ATOM = r"\{\{[^{}]*+\}\}"
_ATTRIBUTES = re.compile(
    r"[\s\"'/](?:href|src|action|formaction|background|cite|poster|xlink:href)\s*=\s*"
    rf"(?:\"((?:{_ATOM}|[^\"{{]|\{{)*+)\"|'((?:{_ATOM}|[^'{{]|\{{)*+)'|((?:{_ATOM}|[^\s\"'<>{{]|\{{)++))",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"(?<![\w@])(?:https?://|www\.)(?:{_ATOM}|[^\s<>\"'{{}}\u3000-\u303f\uff00-\uffef])*+", re.IGNORECASE
)
_FIELD = re.compile(_ATOM)
_WEB = ("http", "https")
_LONGEST_HOST = 253  # characters (RFC 1035); encoding a label takes quadratic time


@lru_cache(maxsize=256)
def places_in(template: str) -> dict[int, str]:
    """Return, for every field inside a link, its offset and the part of the link before it."""
    if "{{" not in template:
        return {}
    places: dict[int, str] = {}
    spans = [match.span(match.lastindex or 0) for match in _ATTRIBUTES.finditer(template)]
    spans += [match.span() for match in _BARE.finditer(template)]
    for start, end in spans:
        for field in _FIELD.finditer(template, start, end):
            places.setdefault(field.start(), template[start : field.start()].lstrip())
    return places


def encode(value: str, before: str) -> str:
    """Encode ``value`` for a link that begins with ``before`` (whose fields are unfilled).

    Returns an empty string if the value cannot be part of such a link.
    """
    if not value:
        return ""
    scheme = before.partition(":")[0].lower() if ":" in before.partition("{{")[0] else ""
    if not before:
        return _whole(value)
    if scheme == "tel":
        return re.sub(r"[^\d+*#,;=a-z-]", "", value, flags=re.IGNORECASE)
    if scheme == "mailto" and "?" not in before:
        return quote(value, safe="@")
    if re.fullmatch(r"https?://(?:www\.)?|www\.", before, re.IGNORECASE):
        return _host(value)
    return quote(value, safe="")


def _whole(value: str) -> str:
    """A field that is the whole address: of a web page, of mail, or a telephone number. Anything else is dropped."""
    tight = re.sub(r"[\x00-\x20\x7f\u00a0]+", "%20", value.strip())
    scheme, colon, rest = tight.partition(":")
    if scheme.lower() in _WEB and rest.startswith("//"):
        return _ascii(tight)
    if scheme.lower() in ("mailto", "tel") and colon:
        return _ascii(tight)
    if re.fullmatch(r"[^\s@:/?#]+@[\w.-]+", tight):
        return f"mailto:{quote(tight, safe='@')}"
    if re.match(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:[/?#]|$)", tight):
        return _ascii(f"https://{tight}")
    return ""


def _host(value: str) -> str:
    """After ``https://``: a host, with or without a path. A scheme inside the value is dropped."""
    tight = re.sub(r"^https?://", "", value.strip(), flags=re.IGNORECASE)
    return (
        _ascii(f"https://{tight}").removeprefix("https://")
        if re.match(r"[\w-]+(?:\.[\w-]+)*(?::\d+)?(?:[/?#]|$)", tight)
        else ""
    )


def _ascii(address: str) -> str:
    """The address in characters that any mail program accepts.

    The host is encoded as browsers do (UTS #46), the rest by percent signs, and nothing is encoded twice.
    """
    try:
        there = urlsplit(address).netloc
    except ValueError:
        there = ""
    user, at, place = there.rpartition("@")
    host, colon, port = place.partition(":")
    if len(host) <= _LONGEST_HOST and not host.isascii():
        address = address.replace(there, f"{user}{at}{_host_name(host)}{colon}{port}", 1)
    return quote(address, safe="%:/?#[]@!$&'()*+,;=~-._")


def _host_name(host: str) -> str:
    """Python's own codec is IDNA 2003, which makes strasse.de of straße.de: another domain. ``idna.encode`` has no symbols."""
    try:
        labels = idna.uts46_remap(host, std3_rules=False).split(".")
    except idna.IDNAError:
        return host
    return ".".join(each if each.isascii() else f"xn--{each.encode('punycode').decode()}" for each in labels)
