"""Where an automatic reply says until when somebody is away, or from when they are back, in the larger languages.

A date counts only by the words around it: "until 14 December" names the last day away, "back on 15 December" the first day back, and
"from 1 December" nothing. A day is 1 to 60 days after the email came, or it is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto
from itertools import islice

from domain.listening.date_words import (
    AND,
    ANY_WEEKDAY,
    BACK,
    BACK_NEXT,
    BEFORE,
    BEHIND_LAST,
    CLAUSE,
    COUNT_OF,
    DATES,
    DAY_UNITS,
    LAST,
    LAST_SLAVIC,
    MONTH,
    NOT_BEFORE,
    NOT_THERE,
    NOT_UNTIL,
    RANGE,
    START,
    WEEKDAY_OF,
)

SOONEST, LATEST = timedelta(days=1), timedelta(days=60)
_MAX_TEXT = 5_000  # characters that are read
_MAX_DATES = 60


class Order(Enum):
    """Which number of 12/5 is the month."""

    DAY_FIRST = auto()
    MONTH_FIRST = auto()
    EITHER = auto()  # English: whichever lies ahead; Americans write the month first


@dataclass(frozen=True, slots=True)
class Mention:
    """Words that name a day. ``away``: it is the last day away, rather than the first day back."""

    words: str
    kind: str
    away: bool


def mentions(written: str) -> Iterator[Mention]:
    """The days that end an absence: first days back before last days away, each in the order of the text."""
    text = re.sub(r"[ \t\u00a0\u202f]+", " ", written[:_MAX_TEXT])
    found = _without_repeats(list(islice(DATES.finditer(text), _MAX_DATES)))
    later: list[Mention] = []
    for index, each in enumerate(found):
        left = CLAUSE.split(_joined(text[max(0, each.start() - 110) : each.start()]))[-1]
        after = found[index + 1].start() if index + 1 < len(found) else len(text)
        right = CLAUSE.split(_joined(text[each.end() : each.end() + 70]))[0]
        another = after - each.end() < len(right)
        away = _role(each, left, right, another=another)
        if away is not None:
            one = Mention(_words(each), each.lastgroup or "words", away)
            if away:
                later.append(one)
            else:
                yield one
    yield from later


def _without_repeats(found: list[re.Match[str]]) -> list[re.Match[str]]:
    """Without the weekday that only follows its date, as in "21 December Monday"."""
    return [
        each
        for before, each in zip([None, *found], found, strict=False)
        if not (before and each.lastgroup == "weekday" and each.start() - before.end() <= 2)
    ]


def _joined(text: str) -> str:
    """Wrapped lines are one; an empty line ends a clause."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def _words(each: re.Match[str]) -> str:
    if each["span"]:
        month = re.match(MONTH, each["span"], re.IGNORECASE)
        year = f" {each['year']}" if each["year"] else ""
        return f"{each['until']} {month[0] if month else ''}{year}"
    if each["cjk_span"]:
        *begins, _, last = re.findall(r"\d+", each[0])
        return "-".join([*begins, last])
    return each[0]


def _role(each: re.Match[str], left: str, right: str, *, another: bool) -> bool | None:
    """True: the last day away. False: the first day back. None: neither."""
    if (
        each["span"]
        or each["cjk_span"]
        or re.search(r"\blast (?:working )?day\b[^.]{0,40}$", left, re.IGNORECASE)
    ):
        return True
    if BEFORE.match(right):
        return False
    if NOT_UNTIL.search(left) or NOT_BEFORE.search(left):
        return False
    if each["number"] and not (BACK_NEXT.search(left) or LAST.search(left) or BACK.match(right.lstrip(" ."))):
        return None
    if each["ahead"]:
        return False if BACK.search(left) else None
    relative = each["tomorrow"] or each["next_week"]
    if BEHIND_LAST.match(right) and not relative:
        return True
    if LAST.search(left) or (LAST_SLAVIC.search(left) and _is_slavic(each[0], left + right)):
        return True
    if RANGE.search(left):
        return True
    absent = NOT_THERE.search(left)
    if (absent and not BACK.search(left, absent.end()) and not AND.search(left, absent.end())) or (
        NOT_THERE.search(right) and not another
    ):
        return True
    behind = bool(BACK.search(right)) and not another
    if START.search(left):
        return False if behind or BACK.search(left) else None
    if BACK.search(left):
        return False
    return False if behind else None


def _is_slavic(words: str, around: str) -> bool:
    return bool(
        re.search(
            r"[ąćęłńśźżěřůčť]|\b(?:stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|grudnia|ledna|února|března|dubna|května|června|července|srpna|září|října|listopadu|prosince|jsem|na dovolené|wrze|pa[zź]dz|listopada|jestem|urlop\w*|poza|nieobecn\w*)",
            words + around,
            re.IGNORECASE,
        )
    )


def order_of(written: str, *, american: bool) -> Order:
    """How the author writes dates, by the language of the text. ``american``: the email comes from an American time zone."""
    if re.search(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]", written[:_MAX_TEXT]):
        return Order.MONTH_FIRST
    english = len(
        re.findall(
            r"\b(?:the|and|office|until|return(?:ing)?|back|will|with|you|your|for|from|i am|i['’]m|i['’]ll|leave|away|my|of)\b",
            written[:_MAX_TEXT],
            re.IGNORECASE,
        )
    )
    if english < 2:
        return Order.DAY_FIRST
    return Order.MONTH_FIRST if american else Order.EITHER


def day_by_name(mention: Mention, received_on: date) -> date | None:
    """The day of a mention that names no month: a weekday, a weekday with its number, tomorrow, next week."""
    words = mention.words.casefold()
    match mention.kind:
        case "tomorrow":
            return received_on + timedelta(days=1)
        case "next_week":
            return received_on + timedelta(days=7 - received_on.weekday())
        case "weekday":
            return _next_weekday(words, received_on)
        case "ahead":
            amount, unit = words.split()[-2:]
            count = int(amount) if amount.isdigit() else COUNT_OF[amount]
            return received_on + timedelta(days=count if re.fullmatch(DAY_UNITS, unit) else 7 * count)
        case "day" | "ordinal" | "number":
            number = re.search(r"\d{1,2}", words)
            named = re.match(rf"{ANY_WEEKDAY}", words)
            weekday = WEEKDAY_OF.get(named[0]) if named else None
            for ahead in range(1, LATEST.days + 1):
                day = received_on + timedelta(days=ahead)
                if number and day.day == int(number[0]) and weekday in (None, day.weekday()):
                    return day
    return None


def _next_weekday(words: str, received_on: date) -> date | None:
    chinese = re.search(r"(?:周|星期)([一二三四五六日天])", words)
    wanted = "一二三四五六日天".index(chinese[1]) % 7 if chinese else WEEKDAY_OF.get(words)
    if chinese and chinese[1] == "天":
        wanted = 6
    if wanted is None:
        return None
    ahead = (wanted - received_on.weekday() - 1) % 7 + 1
    if words.startswith("下"):
        ahead = 7 - received_on.weekday() + wanted
    return received_on + timedelta(days=ahead)


def first_day_back(day: date, mention: Mention, received_on: date) -> date | None:
    """The first day back, or None if it lies beyond the bounds."""
    back = day + timedelta(days=1) if mention.away else day
    return back if SOONEST <= back - received_on <= LATEST else None
