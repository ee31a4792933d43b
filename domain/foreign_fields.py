"""Find fields written as in other tools: ``{first_name}``, ``[First Name]``, ``*|FNAME|*``.

We would send them unfilled.

A delimiter counts only around the name of a known field. Any other text in braces or brackets is text.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass

MAX_FOUND = 100
NO_CONDITIONS = (
    "There are no conditions; write {{first_name|there}} with the words for people without a value."
)

FIELD_OF_ANOTHER = "how another tool writes a field"
NO_LINK = "Leave it out: emails of a sequence offer to opt out by themselves."
NO_CHOICES = "There are no alternatives to choose from at random; write one of them."

# Other names of the fields. A word of ``_SURE`` is always a field's name; one of ``_LOOSE`` may be an ordinary
# word.
_SURE = {
    "first_name": "firstname fname givenname forename vorname prenom voornaam nombre nome imię fornavn förnamn etunimi"
    " имя ім'я 名前 お名前 名 이름",
    "last_name": "lastname lname surname familyname nachname achternaam apellido apellidos cognome nazwisko sobrenome efternamn"
    " efternavn etternavn sukunimi soyad фамилия прізвище 姓 성",
    "full_name": "fullname 姓名 氏名 имяифамилия",
    "email": "emailaddress",
    "company": "companyname firma unternehmen entreprise empresa azienda bedrijf компания 会社名 公司",
    "title": "jobtitle",
    "sender_name": "sendername senderfullname",
    "sender_first_name": "senderfirstname senderfname",
    "sender_email": "senderemail senderemailaddress",
}
_LOOSE = {
    "first_name": "first ad",
    "last_name": "last nom",
    "full_name": "name displayname",
    "email": "mail",
    "company": "organization organisation employer account accountname",
    "title": "position jobtitle role headline",
    "location": "city",
}
# Words that say whose field it is: the candidate's, the sender's, or the employer's. They are before a dot, or
# begin the name.
_PEOPLE = "candidate contact prospect recipient person lead applicant talent"
_SENDERS = "sender user owner me my your from rep recruiter signature accountowner sendingaccount"
_COMPANIES = frozenset({"company", "account", "organization", "organisation", "employer"})
_OTHERS = frozenset(
    [
        "job",
        "posting",
        "position",
        "opportunity",
        "requisition",
        "opening",
        "campaign",
        "sequence",
        "list",
        "event",
    ]
)

# Full-width forms of ASCII signs, as typed on Japanese and Chinese keyboards.
_WIDE = str.maketrans("｛｝［］＜＞％＃｜＄＊【】〔〕", "{}[]<>%#|$*[][]")  # noqa: RUF001

_NAME = r"(?:insert\s)?([^\W\d][\w .$-]{0,60}?)"
_SPACE = r"(?:\s|&nbsp;)*+"
_OR_ELSE = r"(?:\s*\|\|?[^{}\[\]<>\n]{0,80}|,\s*(?:fallback|default)\s*[=:][^{}\[\]<>\n]{0,80})?"
# Each: how it begins, what may follow the name, how it ends. These need a sure name, because ordinary text has
# such signs too.
_STRICT_FORMS = (
    (r"(?<![{$#%@\\])\{" + _SPACE, _OR_ELSE + _SPACE, r"\}(?!\})"),
    (r"(?<!\[)\[" + _SPACE, _OR_ELSE + _SPACE, r"\](?![\](])"),
    (r"(?<!<)<", "", r">(?!>)"),
    (r"(?<!&lt;)&lt;" + _SPACE, _SPACE, r"&gt;(?!&gt;)"),
    (r"(?<![#&\w])##?", "", r"##?(?!\w)"),
    (r"(?<!\w)__", "", r"__(?!\w)"),
)
_LOOSE_FORMS = (
    (r"(?<!\{)\{\{\{" + _SPACE, _SPACE, r"\}\}\}(?!\})"),
    (r"\{\{[~&]?" + _SPACE + r"\.?", r"(?:\s*[^\w\s{}.][^{}]{0,120})?" + _SPACE, r"\}\}"),
    (r"[$#%@]\{" + _SPACE, _OR_ELSE + _SPACE, r"\}"),
    (r"\{[!%$=?*]" + _SPACE, _OR_ELSE + _SPACE, r"%?\}"),
    (r"\[\[" + _SPACE, _OR_ELSE + _SPACE, r"\]\]"),
    (r"\*\|(?:(?:TITLE|UPPER|LOWER|URL|HTML):)?", r"(?::[^|\n]{0,80})?", r"\|\*"),
    (r"(?<!\w)%%?", "", r"%%?(?!\w)"),
    (r"<<" + _SPACE, _SPACE, r">>"),
    (r"&lt;&lt;" + _SPACE, _SPACE, r"&gt;&gt;"),
    (r"«" + _SPACE, _SPACE, r"»"),
    (r"<%[=-]?" + _SPACE, _SPACE, r"%>"),
    (r"\[%" + _SPACE, _SPACE, r"%\]"),
)


def _compiled(forms: tuple[tuple[str, str, str], ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(begin + _NAME + tail + end, re.IGNORECASE) for begin, tail, end in forms)


_FORMS = ((_compiled(_LOOSE_FORMS), True), (_compiled(_STRICT_FORMS), False))
_CONDITIONS = re.compile(
    r"\{%-?\s*[a-z]+\b[^{}\n]{0,200}%\}|\{\{\{?\s*[#/^](?:if|unless|each|with)\b[^{}\n]{0,200}\}\}"
    r"|\*\|(?:(?:END:)?IF|ELSE)[^|\n]{0,80}\|\*"
)
# Signs around a name in a spelling that only programs use: ``$first_name``, ``(firstName)``, ``|FNAME|``.
_WRAPPED = re.compile(
    r"(?<![\w./=&?#@-])\{?[$@|~^*(%!?:\[<-]{1,3}([A-Za-z]+(?:_[A-Za-z]+)+|[A-Za-z][a-z]+(?:[A-Z][a-z]+)+|[FL]NAME)[$@|~^*)%!:\]}>-]{0,3}(?![\w=])"
)
# A spelling that only programs use, with a fallback or without: we do not know which field it is, but it is one.
_SNAKE = r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+"
_CAMEL = r"[a-z]+(?:[A-Z][a-z]+)+"
_OBJECTS = rf"(?i:{'|'.join([*_PEOPLE.split(), *_SENDERS.split(), *sorted(_COMPANIES)])})"
_DOTTED = rf"[A-Za-z][A-Za-z0-9]*(?:[_.][A-Za-z0-9]+)+|{_CAMEL}"
# In signs that text has too, a dot is part of a name behind an object only: Node.js and Mail.ru are words.
_PROGRAMS = rf"(?:{_OBJECTS}\.)?{_SNAKE}|{_OBJECTS}(?:\.[A-Za-z0-9_]+)+|{_CAMEL}"
_TOOLS = r"(?i:(?:unsubscribe|opt[ _-]?out|signature|calendar|meeting|booking|scheduling|random)(?: (?:link|url))?)"
# Signs that ordinary text never has around a word: this is a field, even if we do not know which.
_UNKNOWN = re.compile(
    r"\*\|[A-Z][^|\n]{0,80}\|\*|<%[=-]?[^%<>\n]{1,100}%>|%%[A-Za-z][\w ]{0,60}%%"
    rf"|(?<![{{%@\\])[$#]?\{{[!$]?{_SPACE}(?:{_PROGRAMS}|{_TOOLS}){_OR_ELSE}{_SPACE}\}}(?!\}})"
    rf"|(?<![\w\]\[])\[(?:{_SNAKE})\](?![\](])|\[\[{_SPACE}(?:{_DOTTED}){_SPACE}\]\]"
    rf"|<<(?:{_DOTTED})>>|&lt;&lt;(?:{_DOTTED})&gt;&gt;|«(?:{_SNAKE})»"
    rf"|(?<![\w%])%(?=[A-Za-z0-9.]*_)(?:{_PROGRAMS})%(?![\w%])"
)
_OPT_OUT = re.compile(r"unsub|opt[ _-]?out", re.IGNORECASE)
_VERY_SHORT = "aeiouyàéèíóôаиовксуя"  # noqa: RUF001 - words of one letter
_CHOICE = rf"(?:\s*[^\W\d_]{{2}}[^{{}}|<>=\n]{{0,80}}|\s*[{_VERY_SHORT}]\s*)"
_CHOICES = re.compile(
    rf"(?<!\{{)\{{(?=[^{{}}|]*\|)(?:\s*\|)?(?:{_CHOICE}\|){{0,20}}{_CHOICE}(?:\|\s*)?\}}(?!\}})"
    r"|(?<!\{)\{\s*random\s*\|[^{}\n]{1,200}\}(?!\})",
    re.IGNORECASE,
)
# After a greeting, any bracketed word for a name is a field: ``Hi [Name],``.
_GREETED = re.compile(
    r"\b(?:hi|hello|hey|dear|hallo|hej|hei|liebe[rs]?|guten tag|bonjour|salut|ch[eè]re?|hola|estimad[oa]|querid[oa]|ciao|gentile|car[oa]"
    r"|olá|prezad[oa]|cześć|drog[ia]|beste|geachte|kære|merhaba|sayın|привет|здравствуйте|уважаем(?:ый|ая))\s+[\[{<]"  # noqa: RUF001
    + _NAME
    + r"[\]}>]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A finding from ``start`` to ``end`` (offsets in the text): what it is, and what to write instead."""

    start: int
    end: int
    what: str
    fix: str


def find(text: str, allowed: Collection[str]) -> Iterator[Found]:
    """Yield each foreign field, condition and choice, in the order of the text. ``allowed``: the known fields."""
    taken: list[tuple[int, int]] = []
    plain = text.translate(_WIDE)
    found = [
        *(
            _found(match, "a condition of another tool", NO_CONDITIONS)
            for match in _CONDITIONS.finditer(plain)
        ),
        *_fields(plain, allowed),
    ]
    found += [_found(match, "a choice of another tool", NO_CHOICES) for match in _CHOICES.finditer(plain)]
    unknown = f"Write {{{{name}}}} with one of: {', '.join(sorted(allowed))}."
    found += [
        _found(match, FIELD_OF_ANOTHER, NO_LINK if _OPT_OUT.search(match[0]) else unknown)
        for match in _UNKNOWN.finditer(plain)
    ]
    # If several patterns find something in one place, the first of them knows best what it is.
    for each in sorted(found[:MAX_FOUND], key=lambda each: each.start):
        if all(each.end <= begun or ended <= each.start for begun, ended in taken):
            taken.append((each.start, each.end))
            yield each


def right(field: str) -> str:
    """Say how the field is written here."""
    return f"Write {{{{{field}}}}} or {{{{{field}|fallback}}}}."


def _found(match: re.Match[str], what: str, fix: str) -> Found:
    return Found(*match.span(), what, fix)


def _fields(text: str, allowed: Collection[str]) -> Iterator[Found]:
    for patterns, loosely in _FORMS:
        for pattern in patterns:
            for match in pattern.finditer(text):
                if (match[0].startswith("<") and match[1].lower() == "title") or match[0] == "__name__":
                    continue  # <title> is HTML's, __name__ is Python's
                if field := meant_by(match[1], allowed, loosely=loosely):
                    yield _found(match, FIELD_OF_ANOTHER, right(field))
    for match in _GREETED.finditer(text):
        if field := meant_by(match[1], allowed):
            yield Found(match.start(1) - 1, match.end(), FIELD_OF_ANOTHER, right(field))
    for match in _WRAPPED.finditer(text):
        if field := meant_by(match[1], allowed, loosely=False):
            yield _found(match, FIELD_OF_ANOTHER, right(field))


def meant_by(name: str, allowed: Collection[str], *, loosely: bool = True) -> str | None:
    """Return the known field that ``name`` means, or None.

    It may be another spelling, another tool's word, or have its object before it (``contact.name``). ``loosely``:
    accept words that may also be ordinary ones.
    """
    known = {_plain(each): each for each in allowed}
    before, _, last = name.strip().rpartition(".")
    whose, plain = _plain(before.rpartition(".")[2]), _plain(last)
    if not before and plain not in known and plain not in _BY_ANY and (begun := _WHOSE.match(plain)):
        whose, plain = begun[1], plain[begun.end() :]
    if whose in _OTHERS or (whose in _COMPANIES and plain not in ("name", "companyname")):
        return None
    if whose in _COMPANIES:
        plain = "companyname"
    if whose in _SENDERS.split() and not plain.startswith("sender"):
        plain = "sender" + {"name": "name", "fullname": "name"}.get(plain, plain)
    other = (_BY_ANY if loosely or whose else _BY_SURE).get(plain)
    return known.get(plain) or (other if other in allowed else None)


def mentioned(text: str, allowed: Collection[str]) -> str | None:
    """Return the first known field that an expression in braces names, such as a function's argument, or None."""
    for word in re.findall(r"[^\W\d][\w.]*", text)[:20]:
        if field := meant_by(word, allowed, loosely=False):
            return field
    return None


def _plain(name: str) -> str:
    letters = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return re.sub(r"[\W_]", "", letters).lower()


def _words(of: dict[str, str]) -> dict[str, str]:
    return {_plain(word): name for name, words in of.items() for word in words.split()}


_BY_SURE = _words(_SURE)
_BY_ANY = _BY_SURE | _words(_LOOSE)
_WHOSE = re.compile(f"({'|'.join(f'{_PEOPLE} {_SENDERS}'.split())})(?=.)")
