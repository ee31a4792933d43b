"""People who get no email by the file's own words: "Email Opt Out" is TRUE, "Email Status" is Bounced."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache
from itertools import accumulate

from importing.declined_words import (
    CALLS,
    CONSENTS,
    DEAD,
    NO,
    NO_BEGINS,
    NO_SIGNS,
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
_STATUS = 200  # characters of a cell that we read; a longer text is no status
_LONG = 6  # letters; a refusal that long is one within a word too, such as emailoptout
_MOST_WORDS = 8  # of a title; a longer one is a question or a notice of a form
_SHORT = 5  # words of a cell that withdraws a consent; a longer one explains how
_ABOUT_ADDRESSES = re.compile(r"mail|correo|courriel|邮|郵|メール|메일|почт", re.IGNORECASE)


class _Phrases:
    """Phrases that begin somewhere, separated by semicolons in ``text``."""

    def __init__(self, text: str) -> None:
        each = {"".join(words_of(phrase)) for phrase in text.split(";")}
        # Scripts without spaces have no beginnings of words.
        self._inside = re.compile(
            "|".join(sorted(one for one in each if len(one) >= _LONG or one >= "\u0590"))
        )
        self._begins = re.compile("|".join(sorted(each)))

    def begin(self, words: Sequence[str]) -> bool:
        """Does a phrase stand at the beginning?"""
        return self._begins.match("".join(words)) is not None

    def within(self, words: Sequence[str]) -> bool:
        """Does a phrase begin with one of the words, or stand anywhere if it is long?"""
        joined = "".join(words)
        if self._begins.search(joined) is None:
            return False
        starts = accumulate((len(word) for word in words), initial=0)
        return self._inside.search(joined) is not None or any(
            self._begins.match(joined, start) for start in starts
        )


class _Kind(Enum):
    REFUSAL = auto()
    CONSENT = auto()
    STATUS = auto()
    ADDRESS_STATUS = auto()


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
            answer = _answer(kind, cells[number][:_STATUS])
            if answer is _Answer.NO_EMAIL:
                value = clean(cells[number])[:_LONGEST]
                fix = f'If they agree to be written to: --map "{title}={slug(title) or "opt_out"}".'
                return f"{title!r} says {value!r}, so they get no email", fix
            self._counts[title] += answer is _Answer.NO_CONSENT
        for number, title, kind in self._overruled:
            self._counts[title] += _answer(kind, cells[number][:_STATUS]) is _Answer.NO_EMAIL
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
    if len(words) > _MOST_WORDS or _OTHERWISE.intersection(words):
        return None
    if any(each in joined for each in _CALLS) and "mail" not in joined:
        return None
    kinds = [kind for kind, phrases in _TITLES if phrases.within(words)]
    if kinds[:1] == [_Kind.REFUSAL] and _CONSENTS.within(words):
        return _Kind.CONSENT  # "Consent (opt out at any time)"
    if kinds[:1] == [_Kind.STATUS] and (_ABOUT_ADDRESSES.search(joined) or joined in _ALONE):
        return _Kind.ADDRESS_STATUS
    return kinds[0] if kinds else None


@lru_cache(maxsize=4096)
def _answer(kind: _Kind, cell: str) -> _Answer:
    text = clean(cell)
    words = words_of(text)
    says_no = (
        "".join(words) in _NO
        or (bool(_NO_BEGINS.intersection(words[:1])) and not _REFUSALS.begin(words))
        or text.startswith("未")
        or any(sign in text for sign in NO_SIGNS)
        or re.fullmatch(r"0+(?:[.,]0+)?|[0-]{8,10}(?:[ T][0:.]+Z?)?", text) is not None
    )
    empty = is_placeholder(text) and not says_no and not any(sign in text for sign in YES_SIGNS)
    refuses = _REFUSALS.within(words) or (kind is _Kind.ADDRESS_STATUS and _DEAD.within(words))
    if not text or empty:
        found = False
    elif kind is _Kind.REFUSAL:
        found = not says_no
    elif kind is _Kind.CONSENT:
        if says_no:
            return _Answer.NO_CONSENT
        found = len(words) <= _SHORT and (refuses or _WITHDRAWN.within(words))
    else:
        found = refuses and not says_no and "soft" not in words
    return _Answer.NO_EMAIL if found else _Answer.NOTHING


_REFUSALS, _DEAD = _Phrases(REFUSALS), _Phrases(DEAD)
_CONSENTS, _WITHDRAWN = _Phrases(CONSENTS), _Phrases(WITHDRAWN)
_NO = frozenset("".join(words_of(each)) for each in NO.split(";"))
_NO_BEGINS = frozenset(NO_BEGINS.split())
_ALONE = frozenset(["status", "result", "zbstatus", "verificationresult", "validation"])
_OTHERWISE = frozenset(OTHERWISE.split())
_CALLS = tuple("".join(words_of(each)) for each in CALLS.split())
_TITLES = (
    (_Kind.REFUSAL, _REFUSALS),
    (_Kind.CONSENT, _Phrases(f"{CONSENTS};{PERMITS}")),
    (_Kind.STATUS, _Phrases(STATUSES)),
)
