"""Say that a member has read notices of theirs."""

from uuid import UUID

from app.runtime import Runtime
from db.views import notice_lists


def mark_read(runtime: Runtime, member_id: UUID | None, notice_id: UUID) -> None:
    """Mark one notice as read. ``member_id`` None: whoever it is for. Raises ``NotFound``: it is not one of theirs."""
    with runtime.database.transaction() as tx:
        notice_lists.mark_read(tx, member_id, notice_id)


def mark_all_read(runtime: Runtime, member_id: UUID, *, up_to: UUID | None) -> int:
    """Mark a member's notices as read, up to a given one (None: all). Returns how many were unread."""
    with runtime.database.transaction() as tx:
        return notice_lists.mark_all_read(tx, member_id, up_to=up_to)
