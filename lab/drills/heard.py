"""The evidence of listening: what reached our mailboxes, as the emulator saw it, and what the product made of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction
from lab.emulator.client import EmulatorControl
from lab.emulator.records import Arrival


@dataclass(frozen=True, slots=True)
class Message:
    """One row of incoming mail. ``item``: the provider's id. ``recorded_at``: on the database's clock.

    ``whole``: it was read with its text; otherwise by its headers alone, because it was gone.
    """

    mailbox: str
    item: str
    person: str
    kind: str
    bounce_class: str | None
    recorded_at: datetime
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One person in one sequence, as the product records it. ``keys``: everything that can forbid it."""

    person: str
    sequence: int
    status: str
    reason: str | None
    owner: str
    keys: tuple[str, ...]
    away_until: datetime | None = None
    unclear_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoticesOf:
    """The in-app notices that one member has of one incoming message."""

    item: str
    recipient: str
    notices: int


@dataclass(slots=True)
class Heard:
    """Everything about one company. ``arrivals``: what reached its mailboxes; ``gone``: items that were deleted since.

    ``suppressed``: address -> reason. ``read_as_of``: mailbox -> when its last complete reading began, on the database's clock.
    ``shift``: monotonic seconds of a moment -> its seconds since 1970. ``fresh``: seconds; how old a reading may be at the gate.
    ``within``: seconds after an answer until the provider accepts no follow-up.
    """

    arrivals: Sequence[Arrival] = ()
    messages: Sequence[Message] = ()
    enrolled: Sequence[Enrolled] = ()
    suppressed: dict[str, str] = field(default_factory=dict)
    notified: Sequence[NoticesOf] = ()
    read_as_of: dict[str, datetime] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    shift: float = 0.0
    fresh: float = 90.0
    within: float = 90.0

    def monotonic(self, moment: datetime) -> float:
        """Return a moment on the clock of the ledger."""
        return moment.timestamp() - self.shift


def gather_heard(
    tx: Transaction, emulator: EmulatorControl, organization_id: UUID, mailboxes: set[str]
) -> Heard:
    """Gather it. ``mailboxes``: the organization's addresses."""

    def rows(statement: str) -> list[Any]:
        return list(tx.execute(text(statement), {"id": organization_id}).all())

    arrivals = [each for each in emulator.arrivals() if each.mailbox in mailboxes]
    messages = [Message(*row) for row in rows(_MESSAGES)]
    asked = {each.mailbox for each in arrivals if each.person}
    present = {message["id"] for mailbox in asked for message in emulator.messages(mailbox)}
    return Heard(
        arrivals=arrivals,
        messages=messages,
        enrolled=[
            Enrolled(
                row.email,
                int(row.sequence or 0),
                row.status,
                row.reason,
                row.owner,
                (
                    f"mailbox:{row.mailbox_id}",
                    f"grant:{row.mailbox_id}",
                    f"sequence:{row.sequence_id}",
                    f"enrollment:{row.id}",
                    f"candidate:{row.candidate_id}",
                ),
                row.away_until,
                row.unclear_until,
            )
            for row in rows(_ENROLLED)
        ],
        suppressed={row.value: row.reason for row in rows(_SUPPRESSED)},
        notified=[NoticesOf(*row) for row in rows(_NOTIFIED)],
        read_as_of={row.address: row.read_as_of for row in rows(_READ) if row.read_as_of is not None},
        gone=frozenset(each.item for each in arrivals if each.mailbox in asked and each.item not in present),
        shift=time.time() - time.monotonic(),
    )


_MESSAGES = """
SELECT b.address, m.provider_id, c.email, m.kind, m.bounce_class, m.recorded_at, m.text IS NOT NULL AS whole
FROM incoming_messages m JOIN candidates c ON c.id = m.candidate_id JOIN mailboxes b ON b.id = m.mailbox_id
WHERE m.organization_id = :id
"""

_ENROLLED = """
SELECT e.id, e.candidate_id, e.sequence_id, s.mailbox_id, c.email, e.status, e.reason, o.email AS owner, c.away_until, c.unclear_until,
  (SELECT substring(t.body FROM 'of sequence (\\d+)') FROM steps t WHERE t.sequence_id = s.id ORDER BY t.position LIMIT 1) AS sequence
FROM enrollments e JOIN candidates c ON c.id = e.candidate_id JOIN sequences s ON s.id = e.sequence_id
JOIN members o ON o.id = s.owner_id WHERE e.organization_id = :id
"""

_SUPPRESSED = """
SELECT value, reason FROM suppressions
WHERE organization_id = :id AND kind = 'address' AND value IS NOT NULL AND lifted_at IS NULL
"""

_NOTIFIED = """
SELECT m.provider_id, x.email, count(*) FROM notices n JOIN incoming_messages m ON n.cause_key = 'incoming:' || m.id
JOIN members x ON x.id = n.owner_id WHERE n.organization_id = :id AND n.channel = 'in_app' AND m.mailbox_id IS NOT NULL
GROUP BY 1, 2
"""

_READ = """
SELECT b.address, r.read_as_of FROM mailbox_reads r JOIN mailboxes b ON b.id = r.mailbox_id WHERE r.organization_id = :id
"""
