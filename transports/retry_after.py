"""How long a Microsoft service asks us to wait."""

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
    """Read ``Retry-After``, in seconds or as an HTTP date (RFC 9110), limited to between one second and ``longest``.

    ``unsaid``: the wait if the header is missing or unreadable.
    """
    if value is None or len(value) > 64:
        return unsaid
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,12}(\s*,\s*[0-9]{1,12})+", value):
        value = str(max(int(each) for each in value.split(",")))  # two servers on the way each added one
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
