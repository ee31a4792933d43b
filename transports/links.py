"""Plain-text web addresses in a text, as a reader would find them."""

import re
from dataclasses import dataclass

# Up to a space, a quotation mark or bracket, or Chinese and Japanese punctuation.
_ADDRESS = re.compile(
    r"(?<![\w@/.=&?%-])(?:https?://|www\.(?=[^\W_]))[^\s<>\"“”„«»`{}|\\^\u2028\u2029\u3000-\u303f\uff01-\uff0f\uff1a-\uff20]{1,2048}",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"(?:https?://)?(?:[^\s/?#@:]+(?::[^\s/?#@]*)?@)?([^\s/?#:]+)(?::\d{1,5})?(?:[/?#]|$)", re.IGNORECASE
)
_LABELS = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_](?:[\w-]{0,61}[^\W_])?\.?|localhost")
_TRAILING = ".,;:!?'\u2019\u2018…*_~"
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class BareAddress:
    """Its position in the text (in characters), and its target."""

    start: int
    end: int
    target: str


def bare_addresses(text: str) -> list[BareAddress]:
    """Return addresses that begin with http, https or www, without the punctuation around them."""
    found = []
    for match in _ADDRESS.finditer(text):
        written = _without_punctuation(match[0])
        host = _HOST.match(written)
        if (
            host is None
            or not _LABELS.fullmatch(host[1])
            or (host.start(1) == 0 and host[1].strip(".").count(".") < 2)
        ):
            continue
        target = written if "://" in written[:8] else f"https://{written}"
        found.append(BareAddress(match.start(), match.start() + len(written), target))
    return found


def _without_punctuation(written: str) -> str:
    while written:
        last = written[-1]
        unpaired = last in _PAIRS and written.count(last) > written.count(_PAIRS[last])
        if last not in _TRAILING and not unpaired:
            break
        written = written[:-1]
    return written
