"""Give permission to send from one's mailbox."""

from uuid import UUID

from db import grants
from workers.runtime import Runtime


def give_grant(
    runtime: Runtime,
    *,
    mailbox_id: UUID,
    grantor_id: UUID,
    grantee_id: UUID | None,
    actor: str,
) -> UUID:
    """Give one person, or everyone (None), permission; returns the grant. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        return grants.give(
            tx,
            mailbox_id=mailbox_id,
            grantor_id=grantor_id,
            grantee_id=grantee_id,
            actor=actor,
        )
