"""What came in of people, and what waits for a person's decision."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Recorded:
    """One incoming message, without what it says. ``words``: those of an opt-out that we propose."""

    id: UUID
    received_at: datetime
    kind: str
    person: str
    email: str
    sender: str
    subject: str
    sequence: str | None
    why: str
    words: str | None
    return_on: date | None
    bounce_class: str | None
    bounce_status: str | None
    candidate_id: UUID
    handled_at: datetime | None
    handled_by: str | None
    overruled_at: datetime | None
    overruled_by: str | None
    overrule_reason: str | None

    @property
    def proposes(self) -> bool:
        """Does it wait for a decision on an opt-out?"""
        return self.kind == "opt_out" and self.words is not None and self.handled_at is None

    @property
    def can_be_overruled(self) -> bool:
        """Has something followed from it that a person may take back? An opt-out by link or address stands."""
        followed = self.kind in ("answer", "auto_reply", "left_company", "sender_wrote", "unclear", "bounce")
        return self.overruled_at is None and (followed or self.proposes) and self.bounce_class != "sender"


_SQL = SqlFile(__name__)
_RECENT = _SQL.statement("recent", Recorded)


def recent(
    tx: Transaction,
    organization_id: UUID,
    *,
    candidate_id: UUID | None = None,
    only_in: UUID | None = None,
    only_open: bool = False,
    limit: int = SHOWN,
) -> list[Recorded]:
    """Return messages, newest first. ``only_in``: in this member's own mailbox."""
    return _RECENT.all(
        tx,
        organization_id=organization_id,
        candidate_id=candidate_id,
        only_in=only_in,
        only_open=only_open,
        limit=limit,
    )
