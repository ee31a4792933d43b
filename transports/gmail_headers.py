"""Headers of messages at Gmail that were read a moment ago. Gmail gives them one by one, and each reading overlaps the one before."""

from collections import OrderedDict
from threading import Lock

from transports.gmail_answers import Json

_MOST = 2_000  # messages; a mailbox at full pace sends 300 in the ten minutes that readings overlap


class KnownHeaders:
    """What a process has read lately, the oldest out first. Nothing changes in a message that is no draft but its labels."""

    def __init__(self) -> None:
        self._items: OrderedDict[tuple[str, str], Json] = OrderedDict()
        self._lock = Lock()

    def get(self, address: str, item_id: str) -> Json | None:
        """Return a message of this mailbox, or None if it is not known."""
        with self._lock:
            return self._items.get((address, item_id))

    def keep(self, address: str, item_id: str, item: Json) -> None:
        """Keep a message. Ids are a mailbox's own, so another mailbox may have the same."""
        with self._lock:
            self._items[address, item_id] = item
            while len(self._items) > _MOST:
                self._items.popitem(last=False)
