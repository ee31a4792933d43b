"""Opt-out tokens: they name an organization, a person and an email, and only we can make them. They never expire.

A token is, in URL-safe base64 without padding: three ids of 16 bytes, then 16 bytes of a code (HMAC-SHA256) over them. Old emails
have tokens of old keys: those are good until the key leaves SECRET_KEYS.
"""

import base64
import binascii
import hmac
import re
from uuid import UUID

from db.core.crypto import KeyRing
from domain.opt_out import OptOut

_PURPOSE = "opt-out"
_IDS, _CODE = 48, 16  # bytes
LENGTH = 86  # characters
_TOKEN = re.compile(rf"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{{{LENGTH}}}(?![A-Za-z0-9_-])")


def token(keys: KeyRing, opt_out: OptOut) -> str:
    """Return the token, made under the newest key. ``keys``: the web process's (``Runtime.web_keys``)."""
    ids = opt_out.organization_id.bytes + opt_out.candidate_id.bytes + opt_out.delivery_id.bytes
    code = keys.codes(_PURPOSE, ids)[0][:_CODE]
    return base64.urlsafe_b64encode(ids + code).decode().rstrip("=")


def read(keys: KeyRing, text: str) -> OptOut | None:
    """Return what a token says, or None if it is not ours, or cut off."""
    if not _TOKEN.fullmatch(text):
        return None
    try:
        raw = base64.urlsafe_b64decode(f"{text}==")
    except binascii.Error:
        return None
    ids, code = raw[:_IDS], raw[_IDS:]
    if not any(hmac.compare_digest(code, each[:_CODE]) for each in keys.codes(_PURPOSE, ids)):
        return None
    return OptOut(*(UUID(bytes=ids[first : first + 16]) for first in (0, 16, 32)))


def found_in(keys: KeyRing, text: str) -> tuple[str, OptOut] | None:
    """Return the first token of ours in a text, such as a subject, and what it says."""
    for each in _TOKEN.findall(text[:2_000]):
        if (opt_out := read(keys, each)) is not None:
            return each, opt_out
    return None
