"""Parse one email address.

``email-validator`` checks it (RFC 5321 and 5322, IDNA 2008); a length limit bounds the time.
"""

import re
import unicodedata
from dataclasses import dataclass

from domain.errors import InvalidInput

MAX_ADDRESS = 320  # characters, including the display name
_FIX = "Write it as name@example.org."
# A fast path for the most common addresses. The library gives the same result and takes twenty times as long.
_PLAIN = re.compile(
    r"[a-z0-9_+-]{1,30}(\.[a-z0-9_+-]{1,30})?@([a-z0-9]([a-z0-9]|-(?!-)){0,30}(?<!-)\.){1,3}[a-z]{2,24}",
    re.ASCII | re.IGNORECASE,
)
# Invisible characters that copying from a page or a chat leaves around and inside addresses: soft hyphen,
# zero-width space, byte order mark, word joiner, direction marks. UTS #46 maps them to nothing. The joiners
# U+200C and U+200D are significant inside a domain and stay, except at either end.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Address:
    """One email address and its display name. The domain is ASCII; the part before the @ may not be."""

    email: str
    name: str = ""


def unprintable(text: str) -> str | None:
    """Return the first character that no header may contain, as ``U+XXXX``, or None.

    These are control characters, line and paragraph separators, and lone surrogates.
    """
    for character in text:
        if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs"):
            return f"U+{ord(character):04X}"
    return None


def visible(text: str) -> str:
    """Remove invisible characters, and white space at either end."""
    return _INVISIBLE.sub("", text).strip().strip(_JOINERS).strip()


def parse_address(text: str, *, where: str = "address", international: bool = False) -> Address:
    """Parse one address, with or without a display name: ``Ann Adler <ann@example.org>``. Raises ``InvalidInput``.

    ``international`` allows letters outside ASCII before the @ (RFC 6531). Only recipients may have such an
    address, and only providers that support it deliver to it.
    """
    if len(text) > MAX_ADDRESS:
        what = f"the address has {len(text)} characters, more than {MAX_ADDRESS}"
        raise InvalidInput(what, where=where, fix=_FIX)
    return plain_address(text) or _parsed(text, where, international=international)


def plain_address(text: str) -> Address | None:
    """Parse an address of the most common form. None means another form: call ``parse_address``."""
    return Address(text.lower()) if _PLAIN.fullmatch(text) else None


def _parsed(text: str, where: str, *, international: bool) -> Address:
    if bad := unprintable(text):
        raise InvalidInput(
            f"the address holds {bad}",
            where=where,
            fix="Remove line breaks and control characters.",
        )
    text = visible(text)
    if not text:
        raise InvalidInput("there is no address", where=where, fix=_FIX)
    name, address = _name_and_address(text, where)
    if any(len(label) > 63 for label in re.split("[.。．｡]", address.rpartition("@")[2])):  # noqa: RUF001 - IDNA's dots
        # RFC 1035, section 2.3.4. Encoding never shortens a label, and takes quadratic time for a long one.
        raise InvalidInput(f"{text[:80]!r} is not one address", where=where, fix=_FIX)
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - heavy, and most addresses are plain

    try:
        found = validate_email(
            address,
            allow_smtputf8=international,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            check_deliverability=False,
            globally_deliverable=False,  # a private network may have names that the internet has not
            strict=True,
        )
    except EmailNotValidError as error:
        raise InvalidInput(
            f"{text[:80]!r} is not one address ({str(error).rstrip('.')[:160]})", where=where, fix=_FIX
        ) from None
    labels = found.ascii_domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        raise InvalidInput(f"{found.ascii_domain[:80]!r} is not a mail domain", where=where, fix=_FIX)
    local = unicodedata.normalize("NFC", found.local_part.lower())
    email = f"{local}@{found.ascii_domain.lower()}"
    if len(email.encode()) > 254:  # RFC 5321, section 4.5.3.1.3
        raise InvalidInput(f"{text[:80]!r} is too long", where=where, fix=_FIX)
    return Address(email, name)


def _name_and_address(text: str, where: str) -> tuple[str, str]:
    """Split ``Adler, Ann <ann@example.org>`` into name and address. A bare address has no name."""
    if not text.endswith(">"):
        return "", text
    name, opened, address = text[:-1].rpartition("<")
    name, address = name.strip(), address.strip()
    if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
        name = name[1:-1].replace('\\"', '"').strip()
    if name.lower() == address.lower():
        name = ""
    if not opened or "<" in name or ">" in name or "@" in name:
        raise InvalidInput(f"{text[:80]!r} is not one address", where=where, fix=_FIX)
    return name, address
