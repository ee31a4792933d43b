"""From where on a mailbox's log is read: everything that the log had before a bookmark was read.

A log says what came in since a bookmark, in one request. A list by time says it too, from an index that may be behind. Neither is known
to show at once what has arrived, so each reading begins where an earlier one had begun.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.listening.cadence import OVERLAP

# The log's records come out of order (google-api-nodejs-client issue 3508).
LOG_OVERLAP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bookmarks:
    """``read``: what the log had before it is read; None: nobody knows, so read by time.

    ``newest``: where the log stood when a complete reading began, at ``newest_at``. Later readings make sure of it.
    """

    read: str | None = None
    newest: str | None = None
    newest_at: datetime | None = None


NONE = Bookmarks()


def moved(known: Bookmarks, stands: str, began: datetime, *, by_log: bool) -> Bookmarks:
    """Return the bookmarks after a complete reading. ``stands``: where the log stood as it began.

    A bookmark counts once a reading that began long enough after it has read all that came before: by log, in the log; by time, in the
    index.
    """
    if known.newest is None or known.newest_at is None:
        return Bookmarks(known.read if by_log else None, stands, began)
    if began - known.newest_at < (LOG_OVERLAP if by_log else OVERLAP):
        return known
    return Bookmarks(known.newest, stands, began)
