"""Read a cell as a person would: entities, invisible characters, Excel's apostrophes, and words that mean nothing."""

import html
import re
import unicodedata

from domain.address import MAX_ADDRESS, Address, parse_address, plain_address, visible
from domain.errors import InvalidInput
from importing.headers import meaning
from importing.words import NEARLY_NAMES, NOTHING_ANYWHERE, PLACEHOLDERS, SPREADSHEET_ERRORS

MAX_CELL = 20 * MAX_ADDRESS  # characters of a cell with addresses
_MAX_PARTS = 30  # parts of such a cell to try
# Requires the semicolon: "?a=1&copy=2" is not ©.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_NEARLY = frozenset(NEARLY_NAMES.split())
_NOTHING = frozenset(each.strip().casefold() for each in PLACEHOLDERS.split(";"))
_ANYWHERE = frozenset(each.strip() for each in NOTHING_ANYWHERE.split(";"))
_ERRORS = frozenset(SPREADSHEET_ERRORS.split())
# #REF!, #VALUE!, #DIV/0!, #NAME?, #¡VALOR!, #BEZUG!, #ЗНАЧ!, and a column too narrow for its number.
_ERROR = re.compile(r"#[¡¿]?[^\W_a-z]+(?:/[^\W_a-z]+)?[!?]|#{2,}")
# Not 't Hooft, 's-Gravenhage or 'n Beetje.
_APOSTROPHE = re.compile(r"^'(?=[\w=+@-])(?![tsnk]\b)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[;,|\r\n\t、，；]|\s/\s|\s+(?:and|or|und|oder|et|ou|y|o|e)\s+")
_LABEL = re.compile(r"^(?:mailto:|[\w .-]{1,20}:(?=\s*\S+@))", re.IGNORECASE)
# Between brackets or quotes: Ann Adler (a@x.org), [a@x.org](mailto:a@x.org), =HYPERLINK("mailto:a@x.org").
_ENCLOSED = re.compile(r"""(?<=[(\[<>"':])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}\w{2,24}(?=[)\]<>"'?])""")
# ａ＠ｘ．ｅｘａｍｐｌｅ comes from a Japanese keyboard.
_FULL_WIDTH = {0xFF01 + number: 0x21 + number for number in range(94)}
# What lists and quotation marks leave around an address.
_AROUND = "'\"`\u2018\u2019\u201c\u201d\u201e«»‹›•·*["
_FORMULA = re.compile(r'="((?:[^"]|"")*)"')  # the trick that keeps Excel from changing a number
# An unfilled merge field: {{first_name}}, *|FNAME|*, %first_name%, [First Name].
_UNFILLED = re.compile(r"\{\{[^{}]*\}\}|\*\|[^|]*\|\*|%+[A-Za-z_]+%+|<<[^<>]*>>|«[^«»]*»")
_BRACKETED = re.compile(r"[\[{<(]([^\[\]{}<>()]*)[\]}>)]|([a-z]+_[a-z_]+)")
# Mathematical letters, used for bold text in profiles, and full-width ones.
_STYLED = re.compile("[\U0001d400-\U0001d7ff\uff01-\uff5e]+")
_PICTURES = re.compile("[\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\U0001f000-\U0001faff\\s]*")
_NOTE = re.compile(r"\s*[(\[][^()\[\]@]*[)\]]\s*$")


def clean(cell: str) -> str:
    """Return the cell's text on one line: entities decoded once, invisible characters removed, placeholders as ""."""
    text = _ENTITY.sub(lambda match: html.unescape(match[0]), cell) if "&" in cell else cell
    # Quoted line breaks are fine in an export. In an email's subject or greeting they become one space.
    text = " ".join((text if text.isascii() else visible(text)).split())
    if formula := _FORMULA.fullmatch(text):
        text = formula[1].replace('""', '"').strip()
    if text[:1] == "'":
        quoted = len(text) > 2 and text[-1] == "'"
        text = text[1:-1].strip() if quoted else _APOSTROPHE.sub("", text)
    return "" if is_error(text) or text in _ANYWHERE else text


def clean_name(cell: str) -> str:
    """``clean`` for text that emails show unchanged (name, company, title, place): words that mean nothing become ""."""
    text = clean(cell)
    if text.isascii() and text[:1].isalnum() and "_" not in text:
        return "" if is_placeholder(text) else text
    text = _STYLED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    begin, end = _PICTURES.match(text), _PICTURES.match(text[::-1])
    text = text[begin.end() if begin else 0 : len(text) - (end.end() if end else 0)]
    return "" if is_placeholder(text) or _is_unfilled(text) else text


def _is_unfilled(text: str) -> bool:
    if _UNFILLED.fullmatch(text):
        return True
    found = _BRACKETED.fullmatch(text)
    return found is not None and meaning(found[1] or found[2] or "") != ""


def is_placeholder(text: str) -> bool:
    """Does it mean "nothing"? ``N/A``, ``none``, ``-``, ``k. A.``; but not Nan, Na or Null, which are also names."""
    if not text[:1].isalnum() and not any(each.isalnum() for each in text):
        return True
    small = text.casefold()
    return text in _NEARLY or (small in _NOTHING and small not in _NEARLY)


def is_error(text: str) -> bool:
    """Is it a spreadsheet's error value?"""
    return text.startswith("#") and (text.upper() in _ERRORS or _ERROR.fullmatch(text) is not None)


def forbidden(text: str) -> str | None:
    """Describe the first character that no text contains on purpose, or return None."""
    for each in text:
        kind = unicodedata.category(each)
        if kind == "Cs":
            return "a byte that is not in the file's encoding"
        if kind == "Cc" and not each.isspace():
            return f"U+{ord(each):04X}{' (NUL)' if each == chr(0) else ''}"
    return None


def first_address(cell: str) -> tuple[Address | None, int]:
    """Return the first address in a cell, and how many it holds; (None, 0) if it says there is none.

    Handles ``a@x.org; b@x.org``, ``mailto:a@x.org``, ``Ann Adler <a@x.org>``, ``a@x.org (work)``, ``'a@x.org``. Raises
    ``InvalidInput`` if there is text but no address.
    """
    if len(cell) <= MAX_ADDRESS and (plain := plain_address(cell)):
        return plain, 1
    if len(cell) > MAX_CELL:
        what = f"the cell has {len(cell)} characters"
        raise InvalidInput(what, fix="Write one address as name@example.org.")
    cell = cell.translate(_FULL_WIDTH)
    text = clean(cell.replace("\r", "\n").replace("\n", ";") if cell.count("@") > 1 else cell)
    if is_placeholder(text):
        return None, 0
    count = text.count("@")
    refused: InvalidInput | None = None
    parts = [text] if count == 1 else []
    parts += [each for each in _SEPARATORS.split(text) if "@" in each]
    parts += [each for each in re.split(r"[\s/]", text) if "@" in each] if count > 1 else []
    parts = parts[:_MAX_PARTS] or [text]
    enclosed = {each.lower() for each in _ENCLOSED.findall(text)}
    if len(enclosed) == 1:
        parts += enclosed
        count = 1
    for part in parts:
        try:
            return parse_address(_bare(part), international=True), max(count, 1)
        except InvalidInput as error:
            refused = refused or error
    raise refused or InvalidInput("there is no address")


def _bare(text: str) -> str:
    text = _NOTE.sub("", _LABEL.sub("", text.strip()).strip())
    text = re.sub(r"(?<=\w)\?[a-z]+=.*", "", text)  # mailto:ann@example.org?subject=…
    if "<" not in text:
        text = text.lstrip(_AROUND).strip()
    return text.strip().rstrip(_AROUND + "].,;:")
