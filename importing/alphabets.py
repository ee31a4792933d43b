"""The letters of each language, the languages of each encoding, and whether a word could belong to one of them."""

import re
import unicodedata
from collections.abc import Iterable

_LATIN = {
    "German": "äöüß",
    "French": "àâæçéèêëîïôœùûüÿ",
    "Spanish": "áéíóúüñ",
    "Portuguese": "áâãàçéêíóôõúü",
    "Italian": "àèéìíîòóùú",
    "Dutch": "ëïéèöüáó",
    "Danish": "æøåéó",
    "Swedish": "åäöéü",
    "Icelandic": "áéíóúýðþæö",
    "Catalan": "àçèéíïòóúü",
    "Estonian": "äöõüšž",
    "Czech": "áčďéěíňóřšťúůýž",
    "Slovak": "áäčďéíĺľňóôŕšťúýž",
    "Polish": "ąćęłńóśźż",
    "Hungarian": "áéíóöőúüű",
    "Romanian": "ăâîșțşţ",
    "Croatian": "čćđšž",
    "Turkish": "çğıöşüâîû\u0307",
    "Lithuanian": "ąčęėįšųūž",
    "Latvian": "āčēģīķļņšūž",
}  # fmt: skip
_WEST = (
    "German",
    "French",
    "Spanish",
    "Portuguese",
    "Italian",
    "Dutch",
    "Danish",
    "Swedish",
    "Icelandic",
    "Catalan",
)
_CENTRAL = ("Czech", "Slovak", "Polish", "Hungarian", "Romanian", "Croatian", "German")

# In order of preference if two read the same: a description for people, and its Latin languages.
ENCODINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "cp1252": ("western Europe", _WEST),
    "cp1250": ("central Europe", _CENTRAL),
    "cp1251": ("Cyrillic", ()),
    "cp1254": ("Turkish", ("Turkish", "German", "French")),
    "cp1257": ("Baltic", ("Lithuanian", "Latvian", "Estonian", "German")),
    "cp1253": ("Greek", ()),
    "cp932": ("Japanese, Shift-JIS", ()),
    "gb18030": ("simplified Chinese", ()),
    "euc_jp": ("Japanese, EUC", ()),
    "big5": ("traditional Chinese", ()),
    "cp949": ("Korean", ()),
    "cp1255": ("Hebrew", ()),
    "cp1256": ("Arabic", ()),
    "mac_roman": ("Excel for Mac", _WEST),
    "cp850": ("MS-DOS, western Europe", _WEST),
    "iso8859_2": ("ISO, central Europe", _CENTRAL),
    "cp852": ("MS-DOS, central Europe", _CENTRAL),
    "mac_latin2": ("Excel for Mac, central Europe", _CENTRAL),
    "koi8_r": ("Russian, KOI8", ()),
    "cp866": ("MS-DOS, Cyrillic", ()),
}
# What people export in today. We try the others only if none of these makes sense.
USUAL = frozenset(["cp1252", "cp1250", "cp1251", "cp1254", "cp932", "gb18030", "big5", "cp949", "mac_roman"])
# Countries whose computers use an encoding.
AT_HOME = {
    "cp1252": "de at ch fr be nl lu it es pt br mx ar co cl uk ie se no dk fi is us au ca nz za cat",
    "cp1250": "cz sk pl hu ro si hr ba",
    "iso8859_2": "cz sk pl hu ro si hr",
    "cp1251": "ru ua by bg rs kz mk su",
    "cp1254": "tr",
    "cp1257": "lt lv ee",
    "cp1253": "gr cy",
    "cp932": "jp",
    "euc_jp": "jp",
    "gb18030": "cn",
    "big5": "tw hk",
    "cp949": "kr",
    "cp1255": "il",
    "cp1256": "sa ae eg ma jo kw qa ir pk",
}
_LETTERS = {name: frozenset(letters) for name, letters in _LATIN.items()}
_CYRILLIC = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўђћљњџјѓќ")
# Lead bytes of the characters in daily use; the rest of these sets is rare.
_COMMON = {
    "cp932": (0x88, 0x97),
    "gb18030": (0xB0, 0xD7),
    "euc_jp": (0xB0, 0xCF),
    "big5": (0xA4, 0xC6),
    "cp949": (0xB0, 0xC8),
}
# Letter combinations that never occur in the languages that have these letters.
_NEVER = re.compile(
    r"ñ(?![aeiouáéíóúü]|$)|ń(?=[aeiouyóąę])|õ(?!e)|ň(?=[ou])|(?<=[bcdfghjklmnpqrstvwxz])ź(?=r)|[ךםןףץ](?=[א-ת])"
)
# Characters that may surround a word, and those that may occur inside it.
_AROUND = "’‘“”„‚«»‹›–—…•·€£$™®©°§º\u00a0¿¡"
_INSIDE = "'’·-"


def oddness(token: str, encoding: str) -> int:
    """Rate a token without spaces. 0: a word in the encoding's languages; 1: hardly; 3: not text at all."""
    if any(unicodedata.category(each) in ("Cc", "Co", "Cn") for each in token):
        return 3
    word = token.strip(_AROUND)
    if token[0] in "£€™®©°§º" and word[:1].isalpha():
        return 1  # more often a letter in another encoding: £ukasz, ©árka
    outside = [each for each in word if not each.isascii()]
    if not outside:
        return 0
    if len(word) == 1 and word.isupper():
        return 1
    if any(
        not each.isalpha() and each not in _INSIDE and not unicodedata.combining(each) for each in outside
    ):
        return 1
    letters = [each for each in word if each.isalpha()]
    if not letters or unicodedata.combining(word[0]) or _case_is_odd(word) or _NEVER.search(word.lower()):
        return 1
    scripts = {_script(each) for each in letters}
    if scripts & {"CJK", "KANA", "HANGUL"}:
        rare = sum(not _is_common(each, encoding) for each in letters)
        mixed = "LATIN" in scripts or {"HANGUL"} < scripts
        return int(mixed or rare * 3 > len(letters))
    if len(scripts) > 1:
        return 1
    small = word.lower()
    match scripts.pop():
        case "LATIN":
            extra = {each for each in small if not each.isascii() and each not in _INSIDE}
            fits = any(extra <= _LETTERS[name] for name in ENCODINGS[encoding][1])
            return int(
                not fits
                or _has_no_vowel(small)
                or small.startswith("ß")
                or (_accents_in_a_row(small) > 2 and len(outside) * 4 > len(word) * 3)
            )
        case "CYRILLIC":
            return int(not set(small) - set(_INSIDE) <= _CYRILLIC or small[0] in "ьъы")
        case "GREEK":
            return int(small[0] in "ΐΰ" or word.endswith("σ"))
        case "HEBREW" | "ARABIC":
            return 0
    return 1


def is_one_language(tokens: Iterable[str], encoding: str) -> bool:
    """Does one language have all letters outside ASCII in these words? Needs at least two different ones."""
    extra = {each for token in tokens for each in token.lower() if each.isalpha() and not each.isascii()}
    return len(extra) > 1 and any(extra <= _LETTERS[name] for name in ENCODINGS[encoding][1])


def _case_is_odd(word: str) -> bool:
    """Is there a capital outside ASCII inside a word, or a small letter between capitals?"""
    for before, each, after in zip(f" {word}", word, f"{word[1:]} ", strict=False):
        if each.isascii():
            continue
        if each.isupper() and (before.islower() or (before.isupper() and after.islower())):
            return True
        if each.islower() and after.isupper() and (before.isupper() or not before.isalpha()):
            return True
    return False


def _has_no_vowel(word: str) -> bool:
    """Does the word have five or more letters and no vowel? Czech and Croatian have such words of four."""
    plain = unicodedata.normalize("NFKD", word)
    return len(word) > 4 and not any(each in "aeiouyæøœıð" for each in plain)


def _accents_in_a_row(word: str) -> int:
    longest = here = 0
    for each in word:
        here = 0 if each.isascii() else here + 1
        longest = max(longest, here)
    return longest


def _script(letter: str) -> str:
    first = unicodedata.name(letter, "").split(" ", 1)[0]
    return {"HIRAGANA": "KANA", "KATAKANA": "KANA", "KATAKANA-HIRAGANA": "KANA"}.get(first, first)


def _is_common(letter: str, encoding: str) -> bool:
    if encoding not in _COMMON:
        return False
    if encoding in ("cp932", "euc_jp") and "\u3040" <= letter <= "\u30ff":
        return True
    raw = letter.encode(encoding, "replace")
    least, most = _COMMON[encoding]
    return len(raw) == 2 and least <= raw[0] <= most and (encoding in ("cp932", "big5") or raw[1] >= 0xA1)
