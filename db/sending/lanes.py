"""Hold a mailbox's lane: until when, and why."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction

# Refusals no further apart than this are one incident, because a sliding limit lets a few emails through now and then.
_SAME_INCIDENT = timedelta(hours=6)


def hold(tx: Transaction, mailbox_id: UUID, until: datetime, reason: str | None = None) -> None:
    """Let the mailbox send nothing until then, or until a later end already set.

    ``reason`` None: a short wait the provider asked for.
    """
    tx.execute(
        text(
            "UPDATE lanes SET retry_after_until = :until, wait_reason = CAST(:reason AS text) WHERE mailbox_id = :id"
            " AND (retry_after_until IS NULL OR retry_after_until < :until)"
        ),
        {"id": mailbox_id, "until": until, "reason": reason},
    )


def limited_since(tx: Transaction, mailbox_id: UUID) -> datetime:
    """Record that the provider's sending limit is reached; returns when this incident began."""
    since: datetime = tx.execute(
        text(
            "UPDATE lanes SET limited_at = clock_timestamp(), limited_since ="
            "   CASE WHEN limited_at > clock_timestamp() - CAST(:same AS interval) THEN limited_since"
            "   ELSE clock_timestamp() END WHERE mailbox_id = :id RETURNING limited_since"
        ),
        {"id": mailbox_id, "same": _SAME_INCIDENT},
    ).scalar_one()
    return since
