"""Fields as other tools write them: ``{first_name}``, ``[First Name]``, ``*|FNAME|*``. Sent as they stand they would be holes.

Only a delimiter around a known field's name counts; any other text in braces or brackets is text.
"""

import re
from collections.abc import Collection, Iterator

MAX_FOUND = 100
NO_CONDITIONS = (
    "There are no conditions; write {{first_name|there}} with the words for people without a value."
)

# Other names of the fields. ``_SURE`` is nothing but a field's name; ``_LOOSE`` may be an ordinary word.
_SURE = {
    "first_name": "firstname fname givenname forename vorname prenom voornaam",
    "last_name": "lastname lname surname familyname nachname achternaam",
    "full_name": "fullname",
    "email": "emailaddress",
    "company": "companyname",
    "title": "jobtitle",
    "sender_name": "sendername senderfullname",
    "sender_first_name": "senderfirstname senderfname myfirstname",
    "sender_email": "senderemail senderemailaddress",
}
_LOOSE = {
    "first_name": "first nombre nome imie fornavn fornamn etunimi",
    "last_name": "last apellido apellidos cognome nom nazwisko sobrenome",
    "full_name": "name displayname",
    "email": "mail",
    "company": "organization organisation employer account accountname firma unternehmen entreprise empresa azienda bedrijf",
    "title": "position jobtitle role headline",
    "location": "city",
}
_BY_SURE = {word: name for name, words in _SURE.items() for word in words.split()}
_BY_ANY = _BY_SURE | {word: name for name, words in _LOOSE.items() for word in words.split()}
_SENDERS = frozenset({"sender", "user", "owner", "me", "my", "from", "rep", "signature", "accountowner"})

_NAME = r"(?:insert\s)?([^\W\d][\w .$-]{0,60}?)"
_SPACE = r"(?:\s|&nbsp;)*+"
_OR_ELSE = r"(?:\s*\|\|?[^{}\[\]<>\n]{0,80}|,\s*(?:fallback|default)\s*[=:][^{}\[\]<>\n]{0,80})?"
# Each: how it begins, what may follow the name, how it ends. With the sure names only, where ordinary text has such signs too.
_SURELY = (
    (r"(?<![{$#%@\\])\{" + _SPACE, _OR_ELSE + _SPACE, r"\}(?!\})"),
    (r"(?<!\[)\[" + _SPACE, _OR_ELSE + _SPACE, r"\](?![\](])"),
    (r"(?<!<)<", "", r">(?!>)"),
    (r"(?<![#&\w])##?", "", r"##?(?!\w)"),
    (r"(?<!\w)__", "", r"__(?!\w)"),
)
_ANYWAY = (
    (r"(?<!\{)\{\{\{" + _SPACE, _SPACE, r"\}\}\}(?!\})"),
    (r"\{\{[~&]?" + _SPACE + r"\.?", r"(?:\s*[^\w\s{}.][^{}]{0,120})?" + _SPACE, r"\}\}"),
    (r"[$#%@]\{" + _SPACE, _OR_ELSE + _SPACE, r"\}"),
    (r"\{[!%$=]" + _SPACE, _OR_ELSE + _SPACE, r"%?\}"),
    (r"\[\[" + _SPACE, _OR_ELSE + _SPACE, r"\]\]"),
    (r"\*\|", r"(?::[^|\n]{0,80})?", r"\|\*"),
    (r"(?<!\w)%%?", "", r"%%?(?!\w)"),
    (r"<<" + _SPACE, _SPACE, r">>"),
    (r"&lt;&lt;" + _SPACE, _SPACE, r"&gt;&gt;"),
    (r"«" + _SPACE, _SPACE, r"»"),
    (r"<%[=-]?" + _SPACE, _SPACE, r"%>"),
    (r"\[%" + _SPACE, _SPACE, r"%\]"),
)


def _compiled(forms: tuple[tuple[str, str, str], ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(begin + _NAME + tail + end, re.IGNORECASE) for begin, tail, end in forms)


_FORMS = ((_compiled(_ANYWAY), True), (_compiled(_SURELY), False))
_CONDITIONS = re.compile(
    r"\{%-?\s*(?:if|elsif|elif|else|endif|unless|endunless|for|endfor|case|when|endcase|assign|set|capture)\b[^{}\n]{0,200}%\}|\{\{\{?\s*[#/^](?:if|unless|each|with)\b[^{}\n]{0,200}\}\}|\*\|(?:END:)?IF[^|\n]{0,80}\|\*"
)


def find(text: str, allowed: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """Each foreign field: where it begins and ends, and the field that is meant (``""``: a condition)."""
    taken: list[tuple[int, int]] = []
    found = [(*match.span(), "") for match in _CONDITIONS.finditer(text)]
    for patterns, loosely in _FORMS:
        for pattern in patterns:
            for match in pattern.finditer(text):
                if field := meant_by(match[1], allowed, loosely=loosely):
                    if match[0].startswith("<") and match[1].lower() == "title":
                        continue  # HTML's own
                    found.append((*match.span(), field))
    for start, end, field in sorted(found[:MAX_FOUND]):
        if all(end <= begun or ended <= start for begun, ended in taken):
            taken.append((start, end))
            yield start, end, field


def meant_by(name: str, allowed: Collection[str], *, loosely: bool = True) -> str | None:
    """The known field that somebody means by ``name``: another spelling, another tool's word, or with the object before it."""
    before, _, last = name.strip().rpartition(".")
    plain = _plain(last)
    if before and _plain(before.rpartition(".")[2]) in _SENDERS and not plain.startswith("sender"):
        plain = f"sender{plain}"
    known = {_plain(each): each for each in allowed}
    other = (_BY_ANY if loosely or before else _BY_SURE).get(plain)
    return known.get(plain) or (other if other in allowed else None)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower().replace("é", "e")
