"""The day on which somebody who is away is back: words found by ``domain/listening/return_dates.py``, read by dateparser."""

import re
from datetime import date, datetime
from functools import lru_cache

from dateparser.date import DateDataParser

from domain.listening.message import Incoming
from domain.listening.quoted import newly_written
from domain.listening.return_dates import Order, day_by_name, first_day_back, mentions, order_of

_LANGUAGES = [
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "ru",
    "tr",
    "ja",
    "zh",
    "ko",
    "sv",
    "da",
    "nb",
    "fi",
    "cs",
]
_MAX_MENTIONS = 20
_NAME = r"[^\W\d_]{3,12}"
_AMERICAN = re.compile(r"-(?:0[4-9]|10)[03]0\b")


def return_on(incoming: Incoming, sent_text: str = "") -> date | None:
    """The first day back that an automatic reply names, 1 to 60 days after it came, or None. Never ask it of a person's email."""
    received_on = incoming.received_at.date()
    written = f"{newly_written(incoming.text, sent_text)}\n\n{incoming.subject}"
    order = order_of(written, american=bool(_AMERICAN.search(incoming.header("date"))))
    for count, mention in enumerate(mentions(written)):
        if count >= _MAX_MENTIONS:
            break
        if named := day_by_name(mention, received_on):
            days = [named]
        else:
            days = _read(mention.words, mention.kind, order, received_on)
        for day in days:
            if back := first_day_back(day, mention, received_on):
                return back
    return None


def _read(words: str, kind: str, order: Order, received_on: date) -> list[date]:
    if kind in ("cjk", "cjk_span", "iso", "numeric"):
        return _of_numbers(words, kind, order, received_on)
    month = next((found for each in re.findall(_NAME, words) if (found := _month(each.casefold()))), 0)
    day, *years = (int(each) for each in re.findall(r"\d+", words))
    return _in_years(years[:1], month, day, received_on)


def _of_numbers(words: str, kind: str, order: Order, received_on: date) -> list[date]:
    """Year, month and day, or day and month in the author's order. Without a year it is this one or the next."""
    numbers = [int(each) for each in re.findall(r"\d+", words)]
    if kind != "numeric":
        *years, month, day = numbers
        return _in_years(years, month, day, received_on)
    one, other, *years = numbers
    day_first = order is Order.DAY_FIRST or re.search(r"\d\s?\.\s?\d", words) is not None
    found = (
        _in_years(years, other, one, received_on) if day_first else _in_years(years, one, other, received_on)
    )
    if order is Order.EITHER and not day_first:
        found += _in_years(years, other, one, received_on)
    return found


def _in_years(years: list[int], month: int, day: int, received_on: date) -> list[date]:
    found: list[date] = []
    for year in [each + 2000 if each < 100 else each for each in years] or [
        received_on.year,
        received_on.year + 1,
    ]:
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue
    return found


@lru_cache(maxsize=2000)
def _month(name: str) -> int:
    """The number of the month of that name, in any of the languages; 0 for none."""
    found: datetime | None = _parser().get_date_data(f"1 {name}").date_obj
    return found.month if found is not None else 0


@lru_cache(maxsize=1)
def _parser() -> DateDataParser:
    return DateDataParser(
        languages=_LANGUAGES,
        settings={
            "DATE_ORDER": "DMY",
            "RELATIVE_BASE": datetime(2026, 1, 1),  # noqa: DTZ001 - only the month is asked for
            "REQUIRE_PARTS": ["day", "month"],
            "PARSERS": ["absolute-time"],
        },
    )
