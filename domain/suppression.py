"""An entry of the suppression list: an address, or a domain with everything below it, that nobody in the organization writes to."""

from dataclasses import dataclass
from enum import StrEnum

from domain.address import parse_address, unprintable
from domain.errors import InvalidInput

MAX_SOURCE = 200  # characters
_FIX = "Write one address, like jo@acme.example, or a domain, like acme.example."


class Reason(StrEnum):
    """Why. ``ERASED``: only a keyed hash of the address is left."""

    OPT_OUT = "opt_out"
    BOUNCED = "bounced"
    BY_HAND = "by_hand"
    IMPORTED = "imported"
    COMPLAINED = "complained"
    ERASED = "erased"


LABELS = {
    Reason.OPT_OUT: "Opted out",
    Reason.BOUNCED: "Does not exist",
    Reason.BY_HAND: "Asked by hand",
    Reason.IMPORTED: "Imported",
    Reason.COMPLAINED: "Complained",
    Reason.ERASED: "Erased",
}
# As files of other products say it.
_WORDS = {
    "opt out": Reason.OPT_OUT,
    "optout": Reason.OPT_OUT,
    "opted out": Reason.OPT_OUT,
    "unsubscribe": Reason.OPT_OUT,
    "unsubscribed": Reason.OPT_OUT,
    "bounce": Reason.BOUNCED,
    "bounced": Reason.BOUNCED,
    "hard bounce": Reason.BOUNCED,
    "does not exist": Reason.BOUNCED,
    "complaint": Reason.COMPLAINED,
    "complained": Reason.COMPLAINED,
    "spam complaint": Reason.COMPLAINED,
    "by hand": Reason.BY_HAND,
    "manual": Reason.BY_HAND,
    "asked by hand": Reason.BY_HAND,
    "imported": Reason.IMPORTED,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """``kind``: address or domain. ``value``: in lower case, a domain in ASCII. ``source``: where it comes from, in words."""

    kind: str
    value: str
    reason: Reason
    source: str = ""


def entry(text: str, reason: Reason, source: str = "") -> Entry:
    """Return the entry that somebody wrote. Raises ``InvalidInput``."""
    kind, value = _value(text)
    source = " ".join(source.split())
    if len(source) > MAX_SOURCE:
        raise InvalidInput(
            f"the source has {len(source)} characters", where="source", fix=f"Shorten it to {MAX_SOURCE}."
        )
    return Entry(kind, value, reason, source)


def _value(text: str) -> tuple[str, str]:
    if bad := unprintable(text.strip()):
        raise InvalidInput(f"it holds {bad}", where="value", fix=_FIX)
    text = text.strip()
    if not text:
        raise InvalidInput("there is no address and no domain", where="value", fix=_FIX)
    bare = text.removeprefix("*.").removeprefix("@").removeprefix("*@")
    if "@" in bare:
        return "address", parse_address(bare, where="value", international=True).email
    try:
        found = parse_address(f"somebody@{bare}", where="value", international=True).email
    except InvalidInput:
        raise InvalidInput(
            f"{text[:80]!r} is neither an address nor a domain", where="value", fix=_FIX
        ) from None
    return "domain", found.rpartition("@")[2]


def reason_of(words: str) -> Reason | None:
    """Return the reason that a file's words mean, or None for words of its own."""
    return _WORDS.get(" ".join(words.lower().replace("_", " ").replace("-", " ").split()))
