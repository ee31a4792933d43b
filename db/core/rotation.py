"""Put encrypted columns under the newest key, batch by batch.

Mailboxes' tokens, mail servers' passwords and webhooks' secrets have more that changes with them: see ``rotate_keys`` of
``db/mailboxes/credentials.py``. All other encrypted columns are in ``COLUMNS``. tests/actions/test_keys.py fails if one is missing.
"""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from db.core.crypto import KeyRing, Place
from db.core.session import Transaction
from db.core.statements import SqlFile

_SQL = SqlFile(__name__)
_FIRST = UUID(int=0)
_NOBODY = "CAST('00000000-0000-0000-0000-000000000000' AS uuid)"


class _Older(NamedTuple):
    key: UUID | bytes
    organization_id: UUID
    row_id: UUID
    sealed: bytes


class Encrypted:
    """An encrypted column. ``web``: under the web process's keys, not the workers'. ``key``: orders the rows, after ``first``.

    ``organization``, ``row`` and ``place``: what its ``Place`` names, in SQL and in words.
    """

    def __init__(
        self,
        table: str,
        column: str,
        *,
        web: bool = False,
        key: str = "id",
        first: UUID | bytes = _FIRST,
        organization: str = "organization_id",
        row: str = "id",
        place: str | None = None,
    ) -> None:
        self.web, self.first, self.place = web, first, place or f"{table}.{column}"
        self.take_older = _SQL.statement(
            "take_older", _Older, table=table, column=column, key=key, organization=organization, row=row
        )
        self.encrypt_again = _SQL.statement("encrypt_again", table=table, column=column, key=key)
        self.count_older = _SQL.statement("count_older", int, table=table, column=column)


COLUMNS = (
    Encrypted("received_mail", "raw"),
    Encrypted("incoming_messages", "text", web=True),
    Encrypted("incoming_messages", "html", web=True),
    Encrypted("incoming_files", "content", web=True),
    Encrypted("people_imports", "content", web=True),
    Encrypted("people_imports", "report", web=True),
    Encrypted("people_imports", "left_out", web=True),
    Encrypted("notice_channels", "sealed_url"),
    Encrypted("sessions", "refresh_token", key="token_hash", first=b"", row="member_id"),
    Encrypted("sign_ins", "flow", web=True, key="state_hash", first=b"", organization=_NOBODY, row=_NOBODY),
    # Of a withdrawal that has not answered yet. It was an access token, and is bound to that column.
    Encrypted("credentials", "last_token", key="mailbox_id", row="mailbox_id", place="access_token"),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """``rotated``: rows. ``last``: where the next batch begins; None if none is left behind this one."""

    rotated: int
    last: UUID | bytes | None


def rotate(tx: Transaction, ring: KeyRing, column: Encrypted, after: UUID | bytes, limit: int) -> Batch:
    """Encrypt up to ``limit`` values again, of rows behind ``after``. Passes over rows that somebody writes.

    ``ring``: the column's. Raises ``db.core.crypto.Unreadable``.
    """
    rows = column.take_older.all(tx, newest=ring.newest_id, after=after, limit=limit)
    for row in rows:
        place = Place(row.organization_id, row.row_id, column.place)
        sealed = ring.encrypt_bytes(ring.decrypt_bytes(row.sealed, place), place)
        column.encrypt_again.run(tx, key=row.key, sealed=sealed)
    return Batch(len(rows), rows[-1].key if rows else None)


def left(tx: Transaction, ring: KeyRing, column: Encrypted) -> int:
    """Count values that are still under an older key."""
    return column.count_older.one(tx, newest=ring.newest_id)
