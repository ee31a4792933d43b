"""Extended properties: their ids as Graph compares and shows them, and the headers that become of them (MS-OXCMAIL)."""

from collections.abc import Mapping

# Normalized ids of what Exchange keeps of an email (MS-OXPROPS).
CLASS, MESSAGE_ID, REFERENCES, IN_REPLY_TO = "string 1a", "string 1035", "string 1039", "string 1042"
UNSUBSCRIBE, ORIGINAL_ID = "string 1045", "string 1046"
_HEADERS_SET = "string 00020386-0000-0000-c000-000000000046 name "  # PS_INTERNET_HEADERS


def normalise(name: str) -> str:
    """Normalize an extended property's id as Graph compares it: type and GUID without case, tags without leading zeros."""
    kind, _, rest = name.strip().partition(" ")
    if " Name " in rest:
        guid, _, title = rest.partition(" Name ")
        return f"{kind.lower()} {guid.strip('{}').lower()} name {title}"
    return f"{kind.lower()} {rest.lower().replace('0x', '').lstrip('0')}"


def spelled(name: str) -> str:
    """Return a normalized id as Graph's answers spell it."""
    kind, _, rest = name.partition(" ")
    guid, named, title = rest.partition(" name ")
    return f"{kind.title()} {{{guid}}} Name {title}" if named else f"{kind.title()} 0x{rest}"


def correlation_id_of(properties: Mapping[str, str]) -> str:
    """Return the value of the sender's own named property, or an empty string."""
    named = (name for name in properties if " name " in name and not name.startswith(_HEADERS_SET))
    return next((properties[name] for name in named), "")


def headers_of(properties: Mapping[str, str], *, unsubscribe: bool, named: bool) -> dict[str, str]:
    """Return the headers that recipients get. ``unsubscribe``, ``named``: whether those arrive."""
    headers = {
        name.removeprefix(_HEADERS_SET): value
        for name, value in properties.items()
        if named and name.startswith(_HEADERS_SET)
    }
    if unsubscribe and UNSUBSCRIBE in properties:
        headers["List-Unsubscribe"] = properties[UNSUBSCRIBE]
    return headers
