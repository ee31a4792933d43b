"""People's names: split a full name into first and last name, and join them."""

import re
import unicodedata

_WORDS = {
    "titles": (
        "mr mrs ms miss mx dr drs prof professor sir dame lord lady rev hon ing dipl mag herr frau mme mlle monsieur madame"
        " univ pd sr sra srta señor señora dott dottssa dottoressa sig signora dhr mevr mw drsa inż mgr bayan"
    ),
    # Only after another title and with a full stop. Alone they begin names.
    "faculties": "h c habil med dent vet phil rer nat jur oec pol soc theol agr techn mult em",
    "suffixes": "jr sr ii iii iv phd md mba esq dds",
    # After a comma only: without one, Ma and Pe are names.
    "degrees": "msc bsc ma ba llm llb cpa cfa pmp rn pe shrm-cp shrm-scp sphr phr cissp csm acca frcs drph edd mph jd",
}
_TITLES = frozenset(_WORDS["titles"].split())
_FACULTIES = frozenset(_WORDS["faculties"].split())
_SUFFIXES = frozenset(_WORDS["suffixes"].split())
_DEGREES = _SUFFIXES | frozenset(_WORDS["degrees"].split())
# Chinese, Japanese and Korean names have the family name first, and often no space.
_EAST_ASIAN = re.compile(
    r"[\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)


def split_name(text: str) -> tuple[str, str]:
    """Return first and last name: ``Ann Adler``, ``Adler, Ann``, ``Dr. Ann van Adler, PhD``, ``山田 太郎``.

    A name that cannot be split stays whole: as the first name, or as the last name if its family name comes first
    (``山田太郎``).
    """
    # Text in brackets is a note: (she/her), (née Berg), a name in another alphabet.
    whole = re.sub(r"\s*[(\[（][^()\[\]（）]*[)\]）]", " ", text)  # noqa: RUF001 - full-width brackets
    whole = re.sub(r"\s*<[^<>]*>|\s[|•·]\s.*$", " ", whole) or whole  # an address, or a profile's headline
    whole = " ".join(whole.split()) or " ".join(text.split())
    parts = [part.strip() for part in re.split("[,，、]", whole) if part.strip()]  # noqa: RUF001 - commas of Chinese and Japanese
    while len(parts) > 1 and (len(parts) > 2 or " " in parts[0]):
        if not all(_bare(word) in _DEGREES for word in parts[-1].split()):
            break
        parts.pop()
    if len(parts) == 3 and _bare(parts[1]) in _SUFFIXES:
        del parts[1]  # Smith, Jr., John
    if len(parts) == 2:
        return _untitled(parts[1]), _untitled(parts[0])
    name = parts[0] if parts else whole
    words = _untitled(name).split()
    while len(words) > 2 and _bare(words[-1]) in _SUFFIXES:
        words.pop()
    if all(_EAST_ASIAN.fullmatch(word) for word in words):
        return (" ".join(words[1:]), words[0]) if words else ("", "")
    if len(words) == 1 and words != name.split():
        return "", words[0]  # Dr. Adler, Frau Adler
    return words[0], " ".join(words[1:])


def full_name(first: str, last: str) -> str:
    """Join both, in the order in which people with such a name write it."""
    if _EAST_ASIAN.fullmatch(first) and _EAST_ASIAN.fullmatch(last):
        return f"{last} {first}"
    return f"{first} {last}".strip()


def complete_name(first: str, last: str, whole: str) -> tuple[str, str]:
    """Return first and last name of a person whose file has a column for either.

    ``whole``: another column, which may hold the full name or the other half. ``Name`` beside ``First name`` is
    the last name in some exports and the full name in others. The value itself shows which.
    """
    if not whole or (first and last):
        return first, last
    known, words = _words(first or last), _words(whole)
    if not known:
        return split_name(whole)
    if known <= words:  # it holds both
        rest = [word for word in whole.replace(",", " ").split() if _folded(word) not in known]
        other = split_name(" ".join(rest))
        return (first, " ".join(rest)) if first else (" ".join(part for part in other if part), last)
    return (first, whole) if first else (whole, last)


def is_title(text: str) -> bool:
    """Does it come before a name (``Mr``, ``Prof. Dr.``)? The column Title holds such words in some exports."""
    words = text.split()
    return bool(words) and all(part in _TITLES for word in words for part in _bare_parts(word))


def _untitled(name: str) -> str:
    words = name.split()
    while len(words) > 1 and all(part in _TITLES for part in _bare_parts(words[0])):
        words.pop(0)
        while len(words) > 1 and words[0].endswith(".") and set(_bare_parts(words[0])) <= _FACULTIES:
            words.pop(0)
    return " ".join(words)


def _bare_parts(word: str) -> list[str]:
    """Split ``Dipl.-Ing.`` into ``dipl`` and ``ing``."""
    return [part for part in re.split(r"\.-|-(?=\w+\.)|\.(?=\w)", word.lower().rstrip(".")) if part] or [
        word.lower()
    ]


def _bare(word: str) -> str:
    return word.lower().replace(".", "")


def _words(text: str) -> set[str]:
    return {_folded(word) for word in text.replace(",", " ").split()}


def _folded(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold().strip(".")
