"""The access tokens of mailboxes that a withdrawal is erasing: workers remove drafts with them until it is answered, and no longer.

A trigger puts them aside, because the web process, which withdraws, may write tokens and not read them.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.core.crypto import KeyRing
from db.core.session import Transaction
from db.mailboxes.credentials import open_access_token
from domain.withdrawal import RETURNS_WITHIN


def read(tx: Transaction, ring: KeyRing, mailbox_id: UUID) -> tuple[str, datetime] | None:
    """The access token that a withdrawal has put aside while it removes drafts, and when it ends."""
    row = tx.execute(
        text(
            "SELECT organization_id, last_token, last_token_until FROM credentials"
            " WHERE mailbox_id = :id AND last_token_until > clock_timestamp()"
        ),
        {"id": mailbox_id},
    ).one_or_none()
    if row is None:
        return None
    value = open_access_token(ring, row.organization_id, mailbox_id, bytes(row.last_token))
    return value, row.last_token_until


def put_aside(tx: Transaction, mailbox_ids: Sequence[UUID]) -> list[UUID]:
    """Erase all tokens, but put by access tokens that are good still (a trigger does); returns whose. Part of a withdrawal."""
    rows = tx.execute(
        text(
            "UPDATE credentials SET access_token = NULL, access_expires_at = NULL, refresh_token = NULL,"
            " last_token_until = CASE WHEN access_expires_at > clock_timestamp()"
            "   THEN least(access_expires_at, clock_timestamp() + CAST(:lasts AS interval)) ELSE last_token_until END,"
            " version = version + 1, epoch = epoch + 1, updated_at = clock_timestamp() WHERE mailbox_id = ANY(:ids)"
            " RETURNING mailbox_id, last_token_until > clock_timestamp() AS kept"
        ),
        {"ids": list(mailbox_ids), "lasts": RETURNS_WITHIN},
    )
    return [row.mailbox_id for row in rows if row.kept]


def forget(tx: Transaction, mailbox_ids: Sequence[UUID]) -> None:
    """The withdrawal is answered."""
    if mailbox_ids:
        tx.execute(
            text("UPDATE credentials SET last_token_until = NULL WHERE mailbox_id = ANY(:ids)"),
            {"ids": list(mailbox_ids)},
        )


def purge(tx: Transaction) -> None:
    """Forget those whose withdrawal never came to its answer."""
    tx.execute(
        text("UPDATE credentials SET last_token_until = NULL WHERE last_token_until < clock_timestamp()")
    )
