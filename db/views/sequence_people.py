"""The people in one sequence, and where each of them stands."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.views.attention import APPROVAL, BLOCK, FAILED
from domain.approval import WAITS

PER_PAGE = 50
MAX_COUNTED = 10_000
STATES = ("waiting", "approval", "paused", "blocked", "review", "failed", "answered", "bounced", "opted_out", "stopped", "finished")  # fmt: skip


class PersonLine(NamedTuple):
    """Somebody in a sequence. What is of their latest email is None if there is none yet.

    ``away_until``: only while they are.
    """

    id: UUID
    candidate_id: UUID
    name: str
    email: str
    company: str
    status: str
    reason: str | None
    state: str | None
    outcome: str | None
    delivery_reason: str | None
    held: bool | None
    due_at: datetime | None
    sent_at: datetime | None
    position: int | None
    away_until: datetime | None

    @property
    def standing(self) -> str:
        """One of ``STATES``."""
        if self.state in ("review", "in_doubt"):
            return "review"
        if self.state == "closed" and self.outcome == "failed":
            return "failed"
        match self.status, self.reason or "":
            case "active", _ if self.held and self.delivery_reason == WAITS:
                return "approval"
            case "active", _:
                return "waiting"
            case "paused", reason:
                return "blocked" if reason.startswith("missing_merge_field") else "paused"
            case "stopped", ("answered" | "bounced" | "opted_out") as reason:
                return reason
            case "finished", _:
                return "finished"
            case _:
                return "stopped"

    @property
    def missing(self) -> str:
        """The field that they wait for, in words."""
        return (self.reason or "").partition(": ")[2].replace("_", " ").capitalize()


_SQL = SqlFile(__name__)
_PAGE = _SQL.statement("page", PersonLine, approval=APPROVAL, block=BLOCK, failed=FAILED)
_COUNT = _SQL.statement("count", int, approval=APPROVAL, block=BLOCK, failed=FAILED)


def page(
    tx: Transaction,
    sequence_id: UUID,
    *,
    search: str = "",
    state: str = "",
    after: UUID | None = None,
    limit: int = PER_PAGE + 1,
) -> list[PersonLine]:
    """Return people who match, those who joined first. ``after``: the enrollment of the last one seen."""
    return _PAGE.all(tx, id=sequence_id, search=search, state=state, after=after, limit=limit)


def count(tx: Transaction, sequence_id: UUID, *, search: str = "", state: str = "") -> int:
    """Count people who match, up to ``MAX_COUNTED`` and one."""
    return _COUNT.one(tx, id=sequence_id, search=search, state=state, after=None)
