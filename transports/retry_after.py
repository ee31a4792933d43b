"""How long a Microsoft service wants to be left alone."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=1)
_WAIT_UNSAID = timedelta(seconds=30)  # a 429 that does not say how long


def retry_after(
    value: str | None,
    now: datetime | None = None,
    *,
    unsaid: timedelta = _WAIT_UNSAID,
    longest: timedelta = LONGEST_WAIT,
) -> timedelta:
    """``Retry-After`` in seconds or as an HTTP date (RFC 9110), held between a second and ``longest``.

    ``unsaid``: what holds where the header is missing or says nothing.
    """
    if value is None or len(value) > 64:
        return unsaid
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,12}(\s*,\s*[0-9]{1,12})+", value):
        value = str(max(int(each) for each in value.split(",")))  # two servers on the way, each with its own
    if re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,9})?", value):
        wait = timedelta(seconds=min(float(value), longest.total_seconds()))
    else:
        try:
            until = parsedate_to_datetime(value)
        except (ValueError, IndexError):
            return unsaid
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        wait = until - (now or datetime.now(UTC))
    return min(max(wait, SHORTEST_WAIT), longest)
