"""A mailbox's pace: a token bucket that lets at most 30 emails through in any 60 s, and three of Graph's four slots.

Exchange Online accepts 30 messages a minute from a mailbox; Graph serves 4 requests at once per app and mailbox
(Microsoft's "Outlook service limits"). Bucket: capacity + rate x 60 s = 4 + 26 = 30.
"""

from datetime import datetime

CAPACITY = 4.0
PER_MINUTE = 26.0
PER_SECOND = PER_MINUTE / 60
SEND_SLOTS = 3  # the fourth is for searching, recalling and checking
DAILY_CAP = 1000  # emails of a new mailbox
MAX_DAILY_CAP = 10_000  # what Exchange Online accepts of a mailbox in a day
PACE = f"at most {CAPACITY:.0f} at once, then {PER_MINUTE:.0f} a minute"
MAX_QUEUED = 500  # over all lanes: the most messages that Redis is given to hold


def tokens_now(tokens: float, refilled_at: datetime, now: datetime) -> float:
    """The tokens in the bucket at ``now``. A clock that steps back adds none."""
    elapsed = max(0.0, (now - refilled_at).total_seconds())
    return min(CAPACITY, tokens + PER_SECOND * elapsed)


def seconds_until_token(tokens: float) -> float:
    """Seconds until the next email may leave."""
    return max(0.0, (1.0 - tokens) / PER_SECOND)
