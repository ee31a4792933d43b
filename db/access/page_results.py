"""The result of a form, kept for the page that follows: a redirect loses nothing, and no bookmark shows it forever."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import Statement

KEPT = timedelta(days=1)


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
