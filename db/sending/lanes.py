"""Hold a mailbox's lane: until when, and why."""

from datetime import datetime, timedelta
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile

# Refusals no further apart than this are one incident, because a sliding limit lets a few emails through now and then.
_SAME_INCIDENT = timedelta(hours=6)

_SQL = SqlFile(__name__)
_HOLD = _SQL.statement("hold")
_LIMITED_SINCE = _SQL.statement("limited_since", datetime)


def hold(tx: Transaction, mailbox_id: UUID, until: datetime, reason: str | None = None) -> None:
    """Let the mailbox send nothing until then, or until a later end already set.

    ``reason`` None: a short wait the provider asked for.
    """
    _HOLD.run(tx, id=mailbox_id, until=until, reason=reason)


def limited_since(tx: Transaction, mailbox_id: UUID) -> datetime:
    """Record that the provider's sending limit is reached; returns when this incident began."""
    return _LIMITED_SINCE.one(tx, id=mailbox_id, same=_SAME_INCIDENT)
