"""Holding a mailbox's lane: until when, and why."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction

# Refusals no further apart than this are one incident: a limit that slides lets a few through now and then.
_SAME_INCIDENT = timedelta(hours=6)


def hold(tx: Transaction, mailbox_id: UUID, until: datetime, reason: str | None = None) -> None:
    """Nobody of this mailbox sends before then; a later end stands. ``reason`` None: the provider asked to wait a moment."""
    tx.execute(
        text(
            "UPDATE lanes SET retry_after_until = :until, wait_reason = CAST(:reason AS text) WHERE mailbox_id = :id"
            " AND (retry_after_until IS NULL OR retry_after_until < :until)"
        ),
        {"id": mailbox_id, "until": until, "reason": reason},
    )


def limited_since(tx: Transaction, mailbox_id: UUID) -> datetime:
    """The provider's sending limit is reached: when this incident of it began."""
    since: datetime = tx.execute(
        text(
            "UPDATE lanes SET limited_at = clock_timestamp(), limited_since ="
            "   CASE WHEN limited_at > clock_timestamp() - CAST(:same AS interval) THEN limited_since"
            "   ELSE clock_timestamp() END WHERE mailbox_id = :id RETURNING limited_since"
        ),
        {"id": mailbox_id, "same": _SAME_INCIDENT},
    ).scalar_one()
    return since
