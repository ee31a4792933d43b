"""Bytes to text where the charset that is named may be wrong, unknown or a trap."""

import binascii
import codecs
import re

from charset_normalizer import from_bytes

# What mail programs name, and what they mean: a superset that decodes what the named one does not.
_MEANT = {
    "iso8859-1": "cp1252", "ascii": "utf-8", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949",
    "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
}  # fmt: skip
_ALIASES = {
    "windows-31j": "cp932", "x-sjis": "cp932", "ks_c_5601-1987": "cp949", "x-gbk": "gb18030", "unicode-1-1-utf-7": "utf-7",
    "iso-8859-8-i": "iso-8859-8", "cp-850": "cp850", "x-mac-roman": "mac-roman", "ansi": "cp1252", "utf-8n": "utf-8",
    "cp65001": "utf-8", "iso-2022-jp-ms": "iso2022_jp_ext", "x-user-defined": "utf-8", "default": "utf-8",
    "unknown-8bit": "utf-8", "8bit": "utf-8", "x-unknown": "utf-8",
}  # fmt: skip
# Codecs of Python that are charsets of mail. Others decompress, evaluate escapes or take quadratic time.
_CHARSETS = re.compile(
    r"utf-(8|16|32|7)|utf-(16|32)-[bl]e|utf-8-sig|cp\d+|iso8859-\d+|ascii|big5(hkscs)?|gb18030|gb2312|gbk|hz|euc_(jp|jis_2004|kr|jisx0213)"
    r"|shift_jis(_2004|x0213)?|iso2022_(jp(_1|_2|_3|_ext|_2004)?|kr)|koi8-[rut]|kz1048|johab|mac-\w+|ptcp154|tis-620|hp-roman8"
)
_WORD = re.compile(r"=\?([!->@-~]{1,40})\?([bBqQ])\?([^? \t]*|[^?]*)\?=")
_BETWEEN = re.compile(r"(\?=)\s+(=\?)")


def decoded(content: bytes, charset: str) -> str:
    """The text of ``content``. What no charset decodes becomes U+FFFD; nothing is raised."""
    if content.startswith(codecs.BOM_UTF8):
        content, charset = content[3:], "utf-8"
    if name := _known(charset):
        try:
            return content.decode(name)
        except UnicodeDecodeError:
            pass
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if name and name != "utf-8":
        return content.decode(name, "replace")
    guessed = from_bytes(content[:20_000]).best()
    guess = _known(guessed.encoding) if guessed is not None else ""
    return content.decode(guess or "cp1252", "replace")


def unfolded(value: bytes) -> str:
    """A header field's value on one line, its encoded words as they are. Bytes that are not UTF-8 are taken for cp1252."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("cp1252", "replace")
    return (
        re.sub(r"[\r\n]+(?=[ \t])", "", text)
        .replace("\x00", "")
        .replace("\r", " ")
        .replace("\n", " ")
        .strip()
    )


def unbase64(text: bytes) -> bytes:
    """The bytes that base64 stands for, whatever else is between its characters or is missing at its end."""
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
    return binascii.a2b_base64((clean[:-1] if len(clean) % 4 == 1 else clean) + b"==")


def header_text(value: str) -> str:
    """A header field as people read it: encoded words (RFC 2047) decoded, white space folded, no control characters."""
    words = _joined(_BETWEEN.sub(r"\1\2", value))
    return " ".join("".join(each if each.isprintable() else " " for each in words).split())


def _joined(value: str) -> str:
    """Neighbouring words of one charset are decoded together: some programs cut between the bytes of a character."""
    said: list[str] = []
    held, charset, at = b"", "", 0
    for each in _WORD.finditer(value):
        between = value[at : each.start()]
        content = _word(each[2], each[3])
        named = each[1].partition("*")[0].lower()
        if held and (between or named != charset):
            said.append(decoded(held, charset))
            held = b""
        said.append(between)
        held, charset, at = held + content, named, each.end()
    return "".join([*said, decoded(held, charset) if held else "", value[at:]])


def _word(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw.replace(b"_", b" "), header=True)
    return unbase64(raw)


def _known(charset: str) -> str:
    """The codec to decode with, or ""."""
    name = charset.strip().strip("'\"").lower()[:40]
    try:
        found = codecs.lookup(_ALIASES.get(name, name)).name
    except (LookupError, ValueError, UnicodeError):
        return ""
    if not _CHARSETS.fullmatch(found):
        return ""
    return _MEANT.get(found, found)
