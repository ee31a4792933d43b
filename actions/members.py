"""Bring a member back. What their leaving archived or disconnected stays so, and is given again explicitly."""

from uuid import UUID

from app.runtime import Runtime
from db.withdrawing import people


def reactivate_member(runtime: Runtime, member_id: UUID, *, actor: str) -> None:
    """Make a member active again. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        people.reactivate_member(tx, member_id, actor=actor)
