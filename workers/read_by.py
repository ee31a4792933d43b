"""How a mailbox is read: by the provider's log where that says for sure what came, by time otherwise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from db.listening.reads import Reading
from domain.listening.bookmarks import NONE, Bookmarks, moved
from domain.listening.cadence import OVERLAP
from transports.base import Header, KeepsLog, Reads

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Way:
    """Pages of what came. ``by_log``: in no order of time. ``stands``: where the log stood before; "" if there is none."""

    pages: Iterator[Sequence[Header]]
    by_log: bool = False
    stands: str = ""
    known: Bookmarks = NONE

    def bookmarks(self, began: datetime) -> Bookmarks:
        """Return the bookmarks once all pages are kept."""
        return moved(self.known, self.stands, began, by_log=self.by_log) if self.stands else self.known


def way_to_read(reading: Reading, transport: Reads) -> Way:
    """Ask for the first of it. By time the first time, and where the log has a gap."""
    since = reading.watermark - OVERLAP
    if not isinstance(transport, KeepsLog):
        return Way(transport.incoming(since))
    known = reading.bookmarks
    if known.read is not None:
        added = transport.added(known.read)
        if added is not None:
            return Way(added.pages, by_log=True, stands=added.stands, known=known)
        known = NONE
        log.info("log_has_gap")
    stands = transport.stands()  # before the list: what comes meanwhile is in the log
    return Way(transport.incoming(since), stands=stands, known=known)
