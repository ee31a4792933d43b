"""Lists of what came due and waits for somebody, the oldest first: approvals and tasks."""

from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import Statement
from db.views.outbox import Placed, place_of

Row = TypeVar("Row", bound=Placed)


class DueList(Generic[Row]):
    """What waits in a member's sequences (None: everybody's), or in one of them. ``per_page``: as many as a page shows."""

    def __init__(self, page: Statement[Row], count: Statement[int], *, per_page: int) -> None:
        self._page, self._count, self._per_page = page, count, per_page

    def page(
        self,
        tx: Transaction,
        organization_id: UUID,
        owner_id: UUID | None,
        sequence_id: UUID | None = None,
        *,
        after: tuple[datetime, UUID] | None = None,
        limit: int | None = None,
    ) -> tuple[list[Row], str]:
        """Return a page, and the place where the next one begins, "" on the last. ``after``: that of the page before, read."""
        most = limit or self._per_page
        found = self._page.all(
            tx,
            organization_id=organization_id,
            owner_id=owner_id,
            sequence_id=sequence_id,
            after_at=after and after[0],
            after_id=after and after[1],
            limit=most + 1,
        )
        shown = found[:most]
        return shown, place_of(shown[-1]) if len(found) > most else ""

    def count(
        self, tx: Transaction, organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None = None
    ) -> int:
        """Count them, up to 1,000."""
        return self._count.one(
            tx, organization_id=organization_id, owner_id=owner_id, sequence_id=sequence_id
        )
