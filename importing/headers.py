"""What each column means: by its title in many languages, or by the caller's word (``--map``)."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.errors import InvalidInput
from domain.merge import STANDARD_FIELDS
from importing.problems import nearest
from importing.words import HEADERS, OF, OTHERS, PARTICLES, PEOPLE, QUALIFIERS

_MAX_TITLE = 200  # characters
SETTABLE = tuple(HEADERS)  # what a column can be, besides a field of its own
_GENDERS = re.compile(
    r"(?<=\w)(?:\((?:s|e|a|in|ne|nen|innen)\)|[/*:·](?:e|a|in|ne|innen)(?![\w-])|_in(?:nen)?(?![\w-]))",
    re.IGNORECASE,
)
_SPACELESS = "\u0590"  # from Hebrew on: scripts whose words take their articles and particles with them
_WHOLE = 4  # letters
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
REJECT_COLUMNS = ("Left out because", "Line in the file")  # from our own rejects file; no data


@dataclass(slots=True)
class Columns:
    """The columns of a header, numbered from 0.

    ``known``: each standard field with its columns, in file order. ``extra``: the file's own fields. ``ignored``: titles without
    any letter for the name of a merge field.
    """

    width: int
    titles: list[str]
    known: dict[str, list[int]] = field(default_factory=dict)
    extra: dict[int, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)


def meaning(title: str) -> str:
    """Return the standard field that a title means, or ""."""
    words = words_of(_GENDERS.sub("", title)) if len(title) <= _MAX_TITLE else []
    if not words:
        return ""
    # Whole titles come first: "Candidate" is a name, "Candidate Email" an address.
    rest = _without(words, _PEOPLE)
    if found := _MEANINGS.get("".join(words)) or _MEANINGS.get(rest) or _after_person(rest):
        return found
    if (
        _MEANINGS.get(_without(words, _QUALIFIERS)) == "email"
    ):  # "Correo del trabajo"; but "Name of business" is no name
        return "email"
    parts = {meaning(part) for part in title.split("/")} if "/" in title else {""}
    return parts.pop() if len(parts) == 1 else ""  # Position/Titel says the same thing twice


def is_somebody_elses(title: str) -> bool:
    """Does a title say that its addresses are those of recruiters, senders, managers and the like?"""
    words = words_of(title[:_MAX_TITLE])
    words += [part for word in words for part in re.findall("[a-z]+", word)]  # HR in HR邮箱
    joined = "".join(words)
    return any(
        other in joined
        if other >= _SPACELESS
        else any(word == other or (len(other) > _WHOLE and word.startswith(other)) for word in words)
        for other in _OTHERS
    )


def read_columns(titles: Sequence[str], mapping: Mapping[str, str], keep: frozenset[str]) -> Columns:
    """Read a header. ``mapping``: title -> field, "" leaves the column out. ``keep``: fields that sequences declare."""
    asked = {plain(title): (title, name) for title, name in mapping.items()}
    there = {plain(title) for title in titles}
    for each, (title, _) in asked.items():
        if each not in there:
            known = [one.strip() for one in titles if one.strip()]
            raise InvalidInput(
                f"there is no column {title!r}",
                where="--map",
                fix=nearest(title, known) if known else "",
            )
    columns = Columns(len(titles), [title.strip() for title in titles])
    for number, title in enumerate(titles):
        folded = plain(title)
        if folded in {plain(each) for each in REJECT_COLUMNS}:
            continue
        own = slug(title)
        if folded in asked:
            name = asked[folded][1]
            if name in SETTABLE:
                columns.known.setdefault(name, []).append(number)
            elif name:
                columns.extra[number] = name
            continue
        name = meaning(title)
        if name:
            second = columns.known.setdefault(name, [])
            if own not in STANDARD_FIELDS | {""} and (own in keep or second):
                columns.extra[number] = own  # the standard field may get another column's value
            second.append(number)
        elif not own:
            if title.strip():
                columns.ignored.append(title.strip())
        elif own in STANDARD_FIELDS:  # such as sender_name: the value we fill in would hide the column
            columns.extra[number] = columns.renamed[title.strip()] = f"column_{own}"
        else:
            columns.extra[number] = own
    if {"first_name", "last_name", "full_name"} <= set(columns.known):
        for number in columns.known["full_name"]:
            own = slug(titles[number])
            if own not in STANDARD_FIELDS | {""}:
                columns.extra[number] = own
    return columns


def parse_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """Parse ``["Email Addresses=email", "Notes="]``. Raises ``InvalidInput``."""
    mapping: dict[str, str] = {}
    for pair in pairs:
        title, equals, name = pair.rpartition("=")
        name = name.strip().lower().replace(" ", "_")
        fields = ", ".join(SETTABLE)
        if not equals or not title.strip():
            raise InvalidInput(
                f"{pair!r} names no column and field", where="--map", fix='Write it as --map "Column=email".'
            )
        if name and name not in SETTABLE and (name in STANDARD_FIELDS or slug(name) != name):
            raise InvalidInput(
                f"{name!r} cannot be filled from a column",
                where="--map",
                fix=f"Use one of {fields}, a field of your own in small letters, digits and underscores, or nothing to leave it out.",
            )
        mapping[title.strip()] = name
    return mapping


def slug(title: str) -> str:
    """Turn a column's title into a merge field's name: ``Years of experience`` becomes ``years_of_experience``."""
    folded = unicodedata.normalize("NFKD", title.strip().lower())
    name = re.sub(r"[^a-z0-9]+", "_", "".join(each for each in folded if not unicodedata.combining(each)))
    name = name.strip("_")[:64].rstrip("_")
    return name if name[:1].isalpha() else f"x_{name}"[:64] if name else ""


def quoted(cell: str) -> str:
    """Return a cell that a spreadsheet shows as text, whatever it begins with."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def unquoted(cell: str) -> str:
    """Return the cell of ``quoted``."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _without(words: Sequence[str], opening: frozenset[str]) -> str:
    """Join the words without qualifiers, and without an "of the" before one of ``opening``."""
    rest: list[str] = []
    opened = False
    for word in reversed(words):
        if word in _QUALIFIERS:
            opened = opened or word in opening
        elif not (opened and word in _OF):
            rest.append(word)
            opened = False
    return "".join(reversed(rest))


def _after_person(text: str) -> str:
    """Return the meaning of 候选人邮箱 or bewerbermail, or ""."""
    tails = [text.removeprefix(person) for person in _PEOPLE if text.startswith(person)]
    tails += [tail.removeprefix(each) for tail in tails for each in _PARTICLES]
    return next((found for tail in tails if (found := _MEANINGS.get(tail))), "")


def words_of(title: str) -> list[str]:
    """Split ``E-mail 1 - Value`` into e, mail, 1, value; ``workEmail`` into work, email. Ignores accents and case."""
    title = unicodedata.normalize("NFKC", title.replace("´", "").replace("`", ""))
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", title).casefold()
    text = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    # For Turkish capitals, İ and I count as i and ı.
    words: list[str] = re.findall(r"[^\W\d_]+|\d+", text.replace("ı", "i").replace("'", "").replace("’", ""))
    return words


def plain(title: str) -> str:
    """Return the title as mappings name it: without regard to case and white space."""
    return " ".join(title.split()).casefold()


def _each(words: str) -> frozenset[str]:
    return frozenset("".join(words_of(word)) for word in words.split())


_OF, _OTHERS, _PARTICLES, _PEOPLE = _each(OF), _each(OTHERS), _each(PARTICLES), _each(PEOPLE)
_QUALIFIERS = _each(QUALIFIERS) | _PEOPLE | frozenset("123456789")
_MEANINGS: dict[str, str] = {}
for _name, _titles in HEADERS.items():
    for _title in _titles.split(";"):
        _MEANINGS.setdefault("".join(words_of(_title)), _name)
