"""A member's first name, from the one line that directories keep.

The line may also hold titles, "Last, First", pronouns and company names.
"""

import re
import unicodedata

_TITLE_WORDS = (
    "dr prof professor univ priv doz pd dipl ing mag lic ext extern external herr hr frau fr fraeulein mr mrs ms"
    " miss mx sir madam dame lord lady rev mr/ms m mme mlle monsieur madame sig sigra signor signora dott dottssa sr sra srta"
    " don doña dña dhr mevr mw drs ir bc mgr judr mudr phdr rndr eng capt col lt maj gen sgt hon"
)
_TITLES = frozenset(_TITLE_WORDS.split())
# Titles only after another title and with a full stop: "Dr. phil.", but not Phil.
_FACULTY_WORDS = "med dent vet phil rer nat jur iur habil hc h c oec pol soc techn mult em"
_FACULTIES = frozenset(_FACULTY_WORDS.split())
# First names if one word follows (Don Johnson), titles if more do (Don Pedro García).
_TITLE_OR_NAME = frozenset(("don", "doña", "dña", "ing", "ext", "mag"))
_LEGAL_FORMS = (
    "gmbh ag kg ohg ug se inc ltd llc llp plc corp sa sas sarl srl spa bv nv ab oy aps sl lda pty kk"
)
_COMPANY_WORDS = frozenset(_LEGAL_FORMS.split())
_CREDENTIAL_WORDS = (
    "phd md mba msc bsc ma ba mag llm llb dba jd cpa cfa pmp shrm scp phr sphr esq jr sr ii iii iv dr prof ing dipl mph rn"
    " med rer nat fcipd mcipd hr ext extern external"
)
_CREDENTIALS = frozenset(_CREDENTIAL_WORDS.split())
_PARTICLE_WORDS = (
    "van von vom vander der den de del della dello degli di da das do dos du la le les el al bin ibn ben ter ten te zu zum zur"
    " af av y e i o"
)
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|<[^<>]*>|\"[^\"]*\"(?=.*\S)|“[^”]*”")
# What employers add to a name: "Anna Adler | Acme", "Anna Adler - Acme GmbH", "Anna Adler @ Acme", "she/her".
_AFTER = re.compile(
    r"\s*[|•·/@]\s*.*$|\s+[-\u2013\u2014]\s+.*$|\s+(?:via|from|at|bei|c/o)\s+.*$|\s+(?:she|he|they)/.*$"
)
_GLUED_TITLE = re.compile(r"\b(dr|prof|mr|mrs|ms|ing|mag|hr|fr)\.(?=[^\W\d_]{2})", re.IGNORECASE)


def first_name_of(name: str) -> str:
    """Return the first name in ``name``, or all of it if it has none (a family name alone, a company, one word)."""
    whole = " ".join(name.split())
    if "@" in whole and " " not in whole:
        local = whole.partition("@")[0].replace(".", " ").replace("_", " ")
        whole = local.strip() or whole
    if re.fullmatch(r"[^\W\d_]{2,}\.[^\W\d_]{2,}", whole) and not _is_title(whole.partition(".")[0]):
        whole = whole.replace(".", " ")  # anna.adler, the name of an account
    whole = _GLUED_TITLE.sub(r"\1. ", whole)
    plain = " ".join(_BRACKETED.sub(" ", whole).split()).strip("\"' ") or whole
    plain = _AFTER.sub("", plain).strip(" ,;") or plain
    words, titled = _without_titles(_first_name_first(plain).split())
    found = _first(words, titled) or plain
    return _cased(found, plain)


def _first_name_first(name: str) -> str:
    """Turn ``Adler, Anna`` into ``Anna Adler``, and ``Anna Adler, PhD`` into ``Anna Adler``."""
    parts = [each.strip() for each in name.split(",") if each.strip()]
    parts = [each for each in parts if _bare(each.split()[-1]) not in _COMPANY_WORDS] or parts
    names = [
        each for each in parts if not all(_bare(word) in _CREDENTIALS | _TITLES for word in each.split())
    ]
    if not names:
        return name
    titles = [
        each for each in parts if each not in names and all(_bare(word) in _TITLES for word in each.split())
    ]
    return " ".join([*(titles if len(names) > 1 else []), *names[1:2], names[0]])


def _without_titles(words: list[str]) -> tuple[list[str], bool]:
    rest = list(words)
    while len(rest) > 1 and _is_title(rest[0]):
        if len(rest) == 2 and _bare(rest[0]) in _TITLE_OR_NAME and not rest[0].endswith("."):
            break
        del rest[0]
        while len(rest) > 1 and rest[0].endswith(".") and set(_parts(rest[0])) <= _FACULTIES:
            del rest[0]
    while (
        len(rest) > 1
        and _bare(rest[-1]) in _CREDENTIALS
        and (rest[-1].isupper() or "." in rest[-1] or len(rest) > 2)
    ):
        del rest[-1]
    return rest, len(rest) < len(words)


def _is_title(word: str) -> bool:
    # "Dipl.-Ing.", "h.c.", "Univ.-Prof.": every part is a title, or it is a known abbreviation. One letter with a
    # dot is a person's initial.
    parts = _parts(word)
    return bool(parts) and (
        _bare(word) in _TITLES
        or all(part in _TITLES for part in parts)
        or word.lower() in ("h.c.", "m.sc.", "b.sc.", "m.a.")
    )


def _parts(word: str) -> list[str]:
    return [_bare(part) for part in re.split(r"[.-]+", word) if part]


def _first(words: list[str], titled: bool) -> str:
    if not words or (titled and len(words) == 1):
        return ""  # "Frau Adler" has no first name
    if words[0] in _PARTICLES or (
        len(words) > 1 and words[0].lower() in _PARTICLES and words[1] in _PARTICLES
    ):
        return ""  # "van der Berg", "Van der Berg": a family name alone
    if len(words) == 2 and all(_is_han_or_hangul(word) for word in words):
        return words[1]  # "山田 太郎": the family name comes first
    shouted = [word for word in words if len(word) > 2 and word.isupper()]
    if shouted and words[0] in shouted and len(shouted) < len(words):
        return next(
            word for word in words if word not in shouted
        )  # "ADLER Anna", as French and Belgian directories write
    if re.fullmatch(r"\w\.?", words[0]) and len(words) > 2 and not re.fullmatch(r"\w\.?", words[1]):
        return words[1]  # "J. Edgar Hoover"
    return words[0]


def _cased(found: str, whole: str) -> str:
    if whole.islower() or (whole.isupper() and len(found) > 2):
        return re.sub(r"[^\W\d_]+", lambda match: match[0][:1].upper() + match[0][1:].lower(), found)
    return found


def _bare(word: str) -> str:
    return re.sub(r"[^\w]", "", word).lower()


def _is_han_or_hangul(word: str) -> bool:
    return all(
        unicodedata.name(each, "").startswith(("CJK", "HANGUL", "HIRAGANA", "KATAKANA")) for each in word
    )
