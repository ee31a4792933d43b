"""People who get no email by the file's own words: "Email Opt Out" is TRUE, "Email Status" is Bounced."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache

from importing.declined_words import (
    CALLS,
    CONSENTS,
    DEAD,
    NO,
    OTHERWISE,
    PERMITS,
    REFUSALS,
    STATUSES,
    WITHDRAWN,
    YES_SIGNS,
)
from importing.headers import meaning, plain, slug, words_of
from importing.values import clean, is_placeholder

_LONGEST = 60  # characters of a value that we show
_LONG = 6  # letters; a refusal that long is one within a word too, such as emailoptout


class _Kind(Enum):
    REFUSAL = auto()
    PERMIT = auto()
    CONSENT = auto()
    STATUS = auto()


class _Answer(Enum):
    NOTHING = auto()
    NO_EMAIL = auto()
    NO_CONSENT = auto()


class Declined:
    """What the rows of a file say. ``mapping``: see ``read_columns``; a column that it makes a field is not obeyed, and reported."""

    def __init__(self, titles: Sequence[str], mapping: Mapping[str, str]) -> None:
        fields = {plain(title) for title, name in mapping.items() if name}
        self._columns: list[tuple[int, str, _Kind]] = []
        self._overruled: list[tuple[int, str, _Kind]] = []
        for number, title in enumerate(titles):
            kind = None if meaning(title) else _kind_of(title)
            if kind is not None:
                to = self._overruled if plain(title) in fields else self._columns
                to.append((number, title.strip(), kind))
        self._counts: Counter[str] = Counter()

    def of(self, cells: Sequence[str]) -> tuple[str, str] | None:
        """Return why a row's person gets no email, and what to do if they want some; or None."""
        for number, title, kind in self._columns:
            answer = _answer(kind, cells[number])
            if answer is _Answer.NO_EMAIL:
                value = clean(cells[number])[:_LONGEST]
                fix = f'If they agree to be written to: --map "{title}={slug(title) or "opt_out"}".'
                return f"{title!r} says {value!r}, so they get no email", fix
            self._counts[title] += answer is _Answer.NO_CONSENT
        for number, title, kind in self._overruled:
            self._counts[title] += _answer(kind, cells[number]) is _Answer.NO_EMAIL
        return None

    def warnings(self) -> list[str]:
        """Return what a person should know of those who are imported all the same."""
        overruled = {title for _, title, _ in self._overruled}
        return [
            f"In {title!r} {_rows(count)} that the person gets no email. They are imported, because the column is made a field."
            if title in overruled
            else f"In {title!r} {_rows(count)} no. They are imported: check whether they may be written to."
            for title, count in self._counts.items()
            if count
        ]


def _rows(count: int) -> str:
    return "1 row says" if count == 1 else f"{count} rows say"


def _kind_of(title: str) -> _Kind | None:
    words = words_of(title)
    joined = "".join(words)
    if _OTHERWISE.intersection(words) or (any(each in joined for each in _CALLS) and "mail" not in joined):
        return None
    for kind, phrases in _TITLES:
        if _holds(words, phrases):
            return kind
    return None


@lru_cache(maxsize=4096)
def _answer(kind: _Kind, cell: str) -> _Answer:
    text = clean(cell)
    words = words_of(text)
    says_no = (
        "".join(words) in _NO or words[:1] == ["not"] or re.fullmatch(r"0+(?:[.,]0+)?", text) is not None
    )
    empty = is_placeholder(text) and not says_no and not any(sign in text for sign in YES_SIGNS)
    refuses = _holds(words, _REFUSALS) or _holds(words, _DEAD)
    if not text or empty:
        found = False
    elif kind is _Kind.REFUSAL:
        found = not says_no
    elif kind is _Kind.PERMIT:
        found = says_no or refuses
    elif kind is _Kind.CONSENT:
        if says_no:
            return _Answer.NO_CONSENT
        found = refuses or _holds(words, _WITHDRAWN)
    else:
        found = refuses and not says_no and "soft" not in words
    return _Answer.NO_EMAIL if found else _Answer.NOTHING


def _holds(words: Sequence[str], phrases: Sequence[str]) -> bool:
    joined = "".join(words)
    starts, at = set(), 0
    for word in words:
        starts.add(at)
        at += len(word)
    for phrase in phrases:
        found = joined.find(phrase)
        while found >= 0:
            if found in starts or len(phrase) >= _LONG or phrase >= "\u0590":  # scripts without spaces
                return True
            found = joined.find(phrase, found + 1)
    return False


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys("".join(words_of(each)) for each in text.split(";")))


_REFUSALS, _DEAD, _WITHDRAWN = _phrases(REFUSALS), _phrases(DEAD), _phrases(WITHDRAWN)
_NO = frozenset(_phrases(NO))
_OTHERWISE = frozenset(OTHERWISE.split())
_CALLS = tuple("".join(words_of(each)) for each in CALLS.split())
_TITLES = (
    (_Kind.REFUSAL, _REFUSALS),
    (_Kind.PERMIT, _phrases(PERMITS)),
    (_Kind.CONSENT, _phrases(CONSENTS)),
    (_Kind.STATUS, _phrases(STATUSES)),
)
