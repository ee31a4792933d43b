"""What changed in Gmail mailboxes, by history ids ("Synchronize clients with Gmail").

Changes are found by comparing a mailbox with how it looked before, at every request: what arrived and went in between left no trace.
"""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from lab.emulator.gmail_items import labels_of, reference
from lab.emulator.world import Mailbox


@dataclass(slots=True)
class _Kept:
    first: int
    now: int
    seen: dict[str, tuple[dict[str, str], list[str]]] = field(default_factory=dict)
    records: list[tuple[float, dict[str, Any]]] = field(default_factory=list)  # each with when it was noted


class History:
    """One per world. It is not kept over a restart: ids from before are then too old, as after a long time."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._past = 0  # the highest id that was forgotten; with their gaps, ids run ahead of the clock

    def forget(self) -> None:
        """Let all ids of before be too old."""
        self._past = max((each.now for each in self._kept.values()), default=self._past)
        self._kept.clear()

    def note(self, mailbox: Mailbox) -> int:
        """Record what has changed; returns the mailbox's history id."""
        began = max(time.time_ns() // 1_000_000, self._past + 1)
        kept = self._kept.get(mailbox.user_id)
        if kept is None:
            kept = self._kept[mailbox.user_id] = _Kept(began, began)
        now = {each.id: (reference(each), labels_of(each)) for each in mailbox.messages.values()}
        for item_id, (item, labels) in now.items():
            before = kept.seen.get(item_id)
            if before is None:
                _record(kept, "messagesAdded", item, {"message": {**item, "labelIds": labels}})
                continue
            for kind, some, others in (
                ("labelsAdded", labels, before[1]),
                ("labelsRemoved", before[1], labels),
            ):
                if changed := [each for each in some if each not in others]:
                    change = {"message": {**item, "labelIds": labels}, "labelIds": changed}
                    _record(kept, kind, item, change)
        for item_id, (item, labels) in kept.seen.items():
            if item_id not in now:
                _record(kept, "messagesDeleted", item, {"message": {**item, "labelIds": labels}})
        kept.seen = now
        return kept.now

    def since(self, mailbox: Mailbox, start: int, delay: float = 0) -> list[dict[str, Any]] | None:
        """Return the changes after ``start``, oldest first. None: the id is too old, or none of this mailbox.

        ``delay``: seconds until a change is shown. The mailbox's id says nothing about it.
        """
        self.note(mailbox)
        kept = self._kept[mailbox.user_id]
        if not kept.first <= start <= kept.now:
            return None
        shown = time.monotonic() - delay
        return [each for noted, each in kept.records if int(each["id"]) > start and noted <= shown]


def _record(kept: _Kept, kind: str, item: dict[str, str], change: dict[str, Any]) -> None:
    kept.now += 1 + secrets.randbelow(40)  # "not contiguous, with random gaps in between valid IDs"
    kept.records.append((time.monotonic(), {"id": str(kept.now), "messages": [item], kind: [change]}))
