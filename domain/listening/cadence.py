"""How often a mailbox is read, and from when on."""

from datetime import datetime, timedelta

from domain.connection import Provider

OVERLAP = timedelta(minutes=10)  # mail becomes visible out of order (microsoft-graph-docs issue 2153)
HEARD_FOR = timedelta(days=30)  # how long we expect an answer to an email
FRESH = timedelta(seconds=90)  # a follow-up may rest on a reading that began so long ago
READ_AGAIN = timedelta(seconds=60)  # one that is older is made anew before a follow-up
# How far what a provider shows may be behind the mailbox, so a reading says nothing of what came so shortly before it began. Google
# does not say whether its history and its search show a message as soon as it has arrived.
GMAIL_BEHIND = timedelta(seconds=15)
BEHIND = {Provider.GMAIL: GMAIL_BEHIND}
APART = timedelta(seconds=15)  # readings of a mailbox, however many hints arrive
NOTIFY_AFTER = timedelta(hours=1)  # of readings that failed; most of a provider's troubles are over before
# Age of the mailbox's last email -> wait. Most answers come on the first day.
_WAITS = (
    (timedelta(hours=4), timedelta(minutes=2)),
    (timedelta(days=1), timedelta(minutes=5)),
    (timedelta(days=7), timedelta(minutes=15)),
    (HEARD_FOR, timedelta(minutes=60)),
)
SOONEST, LATEST = _WAITS[0][1], _WAITS[-1][1]


def wait_until_next(
    last_sent_at: datetime | None, now: datetime, *, somebody_waits: bool
) -> timedelta | None:
    """The wait after a reading, or None: there is nobody to hear from.

    ``somebody_waits``: an email to somebody is due one day, however long ago the last one left.
    """
    if last_sent_at is not None:
        for age, wait in _WAITS:
            if now - last_sent_at < age:
                return wait
    return LATEST if somebody_waits else None


def wait_after_failure(failures: int, asked: timedelta = timedelta()) -> timedelta:
    """The wait after the ``failures``-th failure in a row: twice the last one, up to an hour.

    ``asked``: for how long the provider wants to be left alone. It knows better than we, so its wait is where ours begins:
    follow-ups from the mailbox wait as long.
    """
    begins = asked or timedelta(seconds=30)
    return max(asked, min(begins * (1 << min(failures - 1, 10)), LATEST))


def read_as_of(provider: str, began: datetime) -> datetime:
    """Return as of when nothing is unread, after a complete reading that began then."""
    return began - BEHIND.get(Provider(provider), timedelta())
