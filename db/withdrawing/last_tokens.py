"""Access tokens of mailboxes that a withdrawal is erasing. Until it is answered, workers remove drafts with them.

A trigger puts them aside, because the web process, which withdraws, may write tokens but not read them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.crypto import KeyRing
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.mailboxes.credentials import open_access_token
from domain.connection import Provider
from domain.withdrawal import RETURNS_WITHIN


class _Token(NamedTuple):
    organization_id: UUID
    last_token: bytes
    last_token_until: datetime


class _Erased(NamedTuple):
    mailbox_id: UUID
    kept: bool | None


_READ = Statement(
    "SELECT organization_id, last_token, last_token_until FROM credentials"
    " WHERE mailbox_id = :id AND last_token_until > clock_timestamp()",
    _Token,
)
_PUT_ASIDE = SqlFile(__name__).statement("put_aside", _Erased)
_FORGET = Statement("UPDATE credentials SET last_token_until = NULL WHERE mailbox_id = ANY(:ids)")
_AT_GOOGLE = Statement(
    f"SELECT id FROM mailboxes WHERE id = ANY(:ids) AND provider = '{Provider.GMAIL}' ORDER BY id", UUID
)
_PURGE = Statement(
    "UPDATE credentials SET last_token_until = NULL WHERE last_token_until < clock_timestamp()"
)


def read(tx: Transaction, ring: KeyRing, mailbox_id: UUID) -> tuple[str, datetime] | None:
    """Return the access token that a withdrawal has put aside, and when it expires, or None."""
    row = _READ.one_or_none(tx, id=mailbox_id)
    if row is None:
        return None
    value = open_access_token(ring, row.organization_id, mailbox_id, row.last_token)
    return value, row.last_token_until


def put_aside(tx: Transaction, mailbox_ids: Sequence[UUID]) -> list[UUID]:
    """Erase all tokens, but have a trigger keep access tokens that are still valid; returns whose. Part of a withdrawal."""
    rows = _PUT_ASIDE.all(tx, ids=list(mailbox_ids), lasts=RETURNS_WITHIN)
    return [row.mailbox_id for row in rows if row.kept]


def forget(tx: Transaction, mailbox_ids: Sequence[UUID]) -> None:
    """Erase the tokens: the withdrawal is answered."""
    if mailbox_ids:
        _FORGET.run(tx, ids=list(mailbox_ids))


def at_google(tx: Transaction, mailbox_ids: Sequence[UUID]) -> list[UUID]:
    """Return those whose provider ends our access when we ask it to."""
    return _AT_GOOGLE.all(tx, ids=list(mailbox_ids))


def purge(tx: Transaction) -> None:
    """Erase tokens of withdrawals that were never answered."""
    _PURGE.run(tx)
