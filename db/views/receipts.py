"""Receipts of one person's emails, as their page shows them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile


@dataclass(frozen=True, slots=True)
class Shown:
    """On whose authority an email left, and what was checked. ``checks``: check, at, detail."""

    delivery_id: UUID
    accepted_at: datetime
    authority: str
    checks: list[dict[str, Any]]
    template_version: str
    internet_message_id: str | None
    sender: str
    connection_version: int
    known_by: str
    grant_version: int | None
    recipient: str
    owner: str
    granted_by: str | None
    grant_given_at: datetime | None

    @property
    def text(self) -> str:
        """Which text it was: ``version 3``, and whether somebody edited this email alone."""
        return self.template_version.partition(" ")[2].partition(": ")[0]


_OF_PERSON = SqlFile(__name__).statement("of_person", Shown)


def of_person(tx: Transaction, candidate_id: UUID, only_in: UUID | None, *, limit: int) -> dict[UUID, Shown]:
    """Return the newest receipts by delivery. ``only_in``: of emails that left this member's own mailbox."""
    return {
        each.delivery_id: each for each in _OF_PERSON.all(tx, id=candidate_id, only_in=only_in, limit=limit)
    }
