"""The result of a form, kept for the page that follows: a redirect loses nothing, and no bookmark shows it forever.

A secret that is shown once is kept too, sealed, for a minute: the page that a repeated form leads to shows it again.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson

from db.core.crypto import KeyRing, Place
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import Statement

KEPT = timedelta(days=1)
SECRET_KEPT = timedelta(minutes=1)
_SEALED = "sealed"
_COLUMN = "page_results.content"


_DROP_OLD = Statement(
    "DELETE FROM page_results WHERE member_id = :id AND created_at < clock_timestamp() - :kept"
)
_PUT = Statement(
    "INSERT INTO page_results (id, organization_id, member_id, content)"
    " VALUES (:id, :organization_id, :member_id, CAST(:content AS jsonb))"
)
_LOAD = Statement(
    "SELECT content FROM page_results WHERE id = :id AND member_id = :member_id"
    " AND created_at > clock_timestamp() - :within",
    dict,
)
_SEAL = Statement(
    "INSERT INTO page_results (id, organization_id, member_id, content)"
    " VALUES (:id, :organization_id, :member_id, CAST(:content AS jsonb))"
    " ON CONFLICT (id) DO UPDATE SET content = excluded.content, created_at = clock_timestamp()"
)
_PURGE = Statement(
    "DELETE FROM page_results WHERE created_at < clock_timestamp()"
    f" - CASE WHEN content->'{_SEALED}' IS NULL THEN CAST(:kept AS interval) ELSE CAST(:secret_kept AS interval) END"
)


@dataclass(frozen=True, slots=True)
class ShownOnce:
    """Where a secret is kept for the member who made it. ``form``: the same for a repeated form, and for no other."""

    keys: KeyRing
    organization_id: UUID
    member_id: UUID
    form: str

    @property
    def id(self) -> UUID:
        """The result's id."""
        return uuid5(self.member_id, self.form)


def put(tx: Transaction, organization_id: UUID, member_id: UUID, content: Mapping[str, object]) -> UUID:
    """Keep a result for its member, and delete their old ones; returns its id."""
    _DROP_OLD.run(tx, id=member_id, kept=KEPT)
    result_id = new_id()
    _PUT.run(
        tx, id=result_id, organization_id=organization_id, member_id=member_id, content=dump_json(content)
    )
    return result_id


def load(
    tx: Transaction, result_id: UUID, member_id: UUID, *, within: timedelta = KEPT
) -> Mapping[str, Any] | None:
    """Return the member's result if it is no older than ``within``, or None."""
    return _LOAD.one_or_none(tx, id=result_id, member_id=member_id, within=within)


def seal(tx: Transaction, where: ShownOnce, secret: Mapping[str, str]) -> None:
    """Keep a secret for a minute, in the transaction that makes it."""
    sealed = where.keys.encrypt_bytes(orjson.dumps(secret), _place(where.organization_id, where.id))
    _SEAL.run(
        tx,
        id=where.id,
        organization_id=where.organization_id,
        member_id=where.member_id,
        content=dump_json({_SEALED: base64.b64encode(sealed).decode()}),
    )


def unseal(
    tx: Transaction, keys: KeyRing, organization_id: UUID, member_id: UUID, result_id: UUID
) -> dict[str, str] | None:
    """Return the member's secret, or None: its minute is over, or there is none."""
    found = load(tx, result_id, member_id, within=SECRET_KEPT)
    if found is None or _SEALED not in found:
        return None
    sealed = base64.b64decode(found[_SEALED])
    secret: dict[str, str] = orjson.loads(keys.decrypt_bytes(sealed, _place(organization_id, result_id)))
    return secret


def purge(tx: Transaction) -> None:
    """Delete the results that are shown no more."""
    _PURGE.run(tx, kept=KEPT, secret_kept=SECRET_KEPT)


def _place(organization_id: UUID, result_id: UUID) -> Place:
    return Place(organization_id, result_id, _COLUMN)
