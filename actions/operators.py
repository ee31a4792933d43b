"""Who operates the installation: only the command line says so."""

from uuid import UUID

from app.runtime import Runtime
from db.access import operators


def add_operator(runtime: Runtime, member_id: UUID, *, actor: str) -> bool:
    """Let a member see how the whole installation stands. Returns False if they do. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        return operators.add(tx, member_id, actor=actor)


def remove_operator(runtime: Runtime, member_id: UUID, *, actor: str) -> bool:
    """End it. Returns False if they do not. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        return operators.remove(tx, member_id, actor=actor)
