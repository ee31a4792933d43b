"""Decode a file of unknown encoding: by its marks, as UTF-8, or by which reading makes sense. Never guesses silently.

``charset-normalizer`` judges texts by what is frequent in a language. A list of people has a few dozen accented letters at most,
and there it is wrong as often as right (``Řehoř`` became ``Äeho½``), so we ask it last. First we look at words that no
language has, known column titles, and addresses, which often spell the name beside them without accents.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from charset_normalizer import from_bytes

from domain.errors import InvalidInput
from importing.alphabets import AT_HOME, ENCODINGS, USUAL, is_one_language, oddness
from importing.headers import meaning
from importing.problems import ImportRejected, Problem

_ENOUGH = 300  # letters outside ASCII that make statistics worth something
_LINES = 2000  # lines with such letters to judge
_OF_A_LINE = 5000  # bytes to read per line
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TOKEN = re.compile(r"(?:[^\x00-\x7f]|[A-Za-z])+(?:['-](?:[^\x00-\x7f]|[A-Za-z])+)*")
_ADDRESS = re.compile(r"([\w.+-]{1,64})@(?:[\w-]+\.)+([a-z]{2,24})(?![\w.-]*\w)", re.ASCII | re.IGNORECASE)
# Bytes 80 to 9F in cp1252, and a UTF-8 sequence as it looks when each byte is read as cp1252.
_CP1252 = {
    bytes([number]).decode("cp1252"): number
    for number in range(0x80, 0xA0)
    if number not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_FOLLOWS = "[\u0080-\u00bf" + "".join(_CP1252) + "]"
_MOJIBAKE = re.compile(
    f"[\u00c2-\u00df]{_FOLLOWS}|[\u00e0-\u00ef]{_FOLLOWS}{{2}}|[\u00f0-\u00f4]{_FOLLOWS}{{3}}"
)
_SPELLED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"}
)
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "ß": "ss"})


@dataclass(frozen=True, slots=True)
class Decoded:
    """``warning``: what a person should check, or "". Bytes that are not in the encoding are lone surrogates in ``text``."""

    text: str
    encoding: str
    warning: str = ""


@dataclass(frozen=True, slots=True)
class _Reading:
    """The lines in question, read in one encoding."""

    encoding: str
    lines: list[str]
    tokens: list[str]
    odd: int


def decode(file: str, raw: bytes, encoding: str | None = None) -> Decoded:
    """Decode a file. Raises ``ImportRejected`` if the encoding is uncertain, with the readings to choose from."""
    if encoding is not None:
        return Decoded(_as_said(file, raw, encoding), encoding)
    for mark, name in _MARKS:
        if raw.startswith(mark):
            marked = _strictly(file, raw, name)
            return _read_twice(marked) if name == "utf-8-sig" else Decoded(marked, name)
    if name := _utf_16_without_mark(raw):
        return Decoded(
            _strictly(file, raw, name),
            name,
            f"The file was read as {name.upper()}; it has no mark that says so.",
        )
    if b"\x1b$" in raw and (text := _try(raw, "iso2022_jp")) is not None:
        return Decoded(text, "iso2022_jp", "The file was read as iso2022_jp (Japanese).")
    if (text := _try(raw, "utf-8")) is not None:
        return _read_twice(text)
    text = raw.decode("utf-8", "surrogateescape")
    # Other encodings hardly ever form valid UTF-8 sequences.
    if len(re.findall("[\u0080-\ud7ff\ue000-\U0010ffff]", text)) > len(re.findall("[\udc80-\udcff]", text)):
        return Decoded(
            text, "utf-8", "The file is UTF-8, except for a few bytes; the lines that hold them are left out."
        )
    return _by_sense(file, raw)


def _read_twice(text: str) -> Decoded:
    """Repair UTF-8 that was read as cp1252 and saved as UTF-8 again: ``AndrÃ©``.

    No language has letters in these combinations.
    """
    repaired: dict[str, str] = {}

    def once(match: re.Match[str]) -> str:
        raw = bytes(_CP1252.get(letter, ord(letter)) for letter in match[0])
        try:
            read = raw.decode("utf-8")
        except UnicodeDecodeError:
            return match[0]
        if not any(each.isalnum() or each.isspace() or each in "’‘“”–—…" for each in read):
            return match[0]
        repaired[match[0]] = read
        return read

    found = _MOJIBAKE.sub(once, text)
    if not repaired:
        return Decoded(text, "utf-8")
    examples = ", ".join(f"{was} to {now}" for was, now in list(repaired.items())[:5])
    return Decoded(
        found, "utf-8", f"Letters had been saved in the wrong encoding and were set right: {examples}."
    )


def check_encoding(name: str) -> str:
    """Return Python's name for a text encoding. Raises ``InvalidInput``."""
    try:
        info = codecs.lookup(name)
        "a".encode(name)
    except (LookupError, ValueError, TypeError):
        raise InvalidInput(
            f"there is no encoding {name[:40]!r}",
            where="--encoding",
            fix=f"Use one of: utf-8, {', '.join(ENCODINGS)}.",
        ) from None
    return info.name


def _by_sense(file: str, raw: bytes) -> Decoded:
    lines = [line[:_OF_A_LINE] for line in raw.splitlines() if not line.isascii()][:_LINES]
    readings = [reading for name in ENCODINGS if (reading := _read(name, lines)) is not None]
    least = min((each.odd for each in readings), default=0)
    size = max((len(each.tokens) for each in readings if each.odd == least), default=0)
    if not readings or least > size * 0.2:
        fix = "Save it as UTF-8 (in Excel: CSV UTF-8), or say the encoding, for example: --encoding cp1250"
        raise ImportRejected(
            file, [Problem(0, 0, "it is in no encoding that makes sense of its letters", fix)]
        )
    ways: dict[tuple[str, ...], _Reading] = {}
    for each in readings:
        if each.odd == least:
            ways.setdefault(tuple(each.lines), each)  # encodings that read the same need no choice
    chosen = _choose(list(ways.values()), lines)
    if chosen is None:
        raise ImportRejected(
            file, [Problem(0, 0, "it is not certain which encoding it is in", _question(ways.values()))]
        )
    examples = ", ".join(dict.fromkeys(token for token in chosen.tokens if not token.isascii()))
    warning = (
        f"The file is not UTF-8. It was read as {chosen.encoding} ({ENCODINGS[chosen.encoding][0]}): {_shortened(examples)}."
        " If these are wrong, say the encoding with --encoding, or save the file as UTF-8."
    )
    return Decoded(raw.decode(chosen.encoding, "surrogateescape"), chosen.encoding, warning)


def _read(name: str, lines: Sequence[bytes]) -> _Reading | None:
    texts = [text for line in lines if (text := _try_line(line, name)) is not None]
    if len(texts) < len(lines) * 0.98:  # a few damaged lines do not rule out the encoding
        return None
    tokens = [token for text in texts for token in _TOKEN.findall(text) if not token.isascii()]
    odd = sum(oddness(token, name) for token in tokens)
    foreign = [token for token in tokens if token[0].islower() and not any(each.isascii() for each in token)]
    if foreign and len(foreign) == len(tokens) and name in ("cp1251", "cp1253", "koi8_r", "cp866"):
        odd += len(tokens)  # no capital in any name: Hebrew, read as Cyrillic or Greek
    return _Reading(name, texts, tokens, odd)


def _choose(readings: Sequence[_Reading], lines: Sequence[bytes]) -> _Reading | None:
    """Return the reading that the file itself supports, or None."""
    if len(readings) == 1:
        return readings[0]
    votes = sorted(((_evidence(each), place) for place, each in enumerate(readings)), reverse=True)
    (most, best), (next_most, _) = votes[0], votes[1]
    if most >= next_most + 2:
        return readings[best]
    usual = [each for each in readings if each.encoding in USUAL]
    if len(usual) == 1:
        return usual[0]
    if sum(len(re.findall(rb"[\x80-\xff]", line)) for line in lines) < _ENOUGH:
        return None
    matches = list(from_bytes(b"\n".join(lines), cp_isolation=[each.encoding for each in readings]))
    matches.sort(key=lambda match: match.coherence, reverse=True)
    if len(matches) > 1 and matches[0].coherence < matches[1].coherence + 0.1:
        return None
    found = matches[0].encoding if matches else ""
    return next((each for each in readings if each.encoding == found), None)


def _evidence(reading: _Reading) -> int:
    """Score a reading: addresses that spell its words, titles it makes known, one language, countries that use the encoding."""
    home = set(AT_HOME.get(reading.encoding, "").split())
    countries = [
        country.lower()
        for line in reading.lines
        for _, country in _ADDRESS.findall(line)
        if len(country) == 2
    ]
    points = sum(country in home for country in countries)
    points += 2 * (0 < points == len(countries))
    points += 3 * is_one_language(reading.tokens, reading.encoding)
    for line in reading.lines:
        addresses = _ADDRESS.findall(line)
        local = " ".join(name.lower() for name, _ in addresses)
        for token in _TOKEN.findall(line):
            if not token.isascii() and len(token) > 2 and any(way in local for way in _spellings(token)):
                points += 3
        if not addresses:
            points += 3 * sum(
                not title.isascii() and meaning(title) != ""
                for title in re.split("[,;\t|]", line.replace('"', ""))
            )
    return points


def _spellings(word: str) -> set[str]:
    small = word.lower()
    plain = unicodedata.normalize("NFKD", small.translate(_SPELLED))
    ways = {"".join(each for each in plain if not unicodedata.combining(each)), small.translate(_GERMAN)}
    return {way for way in ways if way.isascii()}


def _question(readings: Iterable[_Reading]) -> str:
    ways = list(readings)[:4]
    differing = next(
        (
            place
            for place, words in enumerate(zip(*(each.tokens for each in ways), strict=False))
            if len(set(words)) > 1
        ),
        0,
    )
    shown = ", ".join(
        f"{each.encoding} ({ENCODINGS[each.encoding][0]}) reads “{each.tokens[differing]}”"
        for each in ways
        if each.tokens
    )
    return (
        f"{shown}. Say which: --encoding {ways[0].encoding}. Or save the file as UTF-8 (in Excel: CSV UTF-8)."
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60].rpartition(',')[0] or text[:60]}, …"


def _utf_16_without_mark(raw: bytes) -> str:
    """Return the UTF-16 variant, or "". Separators and line ends have a zero byte in UTF-16, always on the same side."""
    sample = raw[:100_000]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if (
        len(raw) % 2
        or max(even, odd) < 2
        or max(even, odd) < len(sample) * 0.01
        or min(even, odd) * 20 > max(even, odd)
    ):
        return ""
    name = "utf-16-le" if odd > even else "utf-16-be"
    return name if _try(raw, name) is not None else ""


def _try(raw: bytes, name: str) -> str | None:
    try:
        return raw.decode(name)
    except UnicodeDecodeError:
        return None


def _try_line(line: bytes, name: str) -> str | None:
    try:
        # A truncated line may end inside a character.
        return codecs.getincrementaldecoder(name)().decode(line, final=len(line) < _OF_A_LINE)
    except UnicodeDecodeError:
        return None


def _strictly(file: str, raw: bytes, name: str) -> str:
    try:
        return raw.decode(name)
    except UnicodeDecodeError as error:
        fix = "Export it again."
        raise ImportRejected(
            file, [Problem(0, 0, f"the text is damaged at byte {error.start}", fix)]
        ) from None


def _as_said(file: str, raw: bytes, name: str) -> str:
    try:
        return raw.decode(name)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"byte {raw[error.start]:#04x} is none of {name}"
        raise ImportRejected(file, [Problem(line, 1, what, "Say another --encoding.")]) from None
