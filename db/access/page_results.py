"""What a form did, kept for the page that follows it: a redirect loses nothing, and no bookmark shows it for ever."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction

KEPT = timedelta(days=1)


def put(tx: Transaction, organization_id: UUID, member_id: UUID, content: Mapping[str, object]) -> UUID:
    """Keep it for its member, and forget their old ones; returns where."""
    tx.execute(
        text("DELETE FROM page_results WHERE member_id = :id AND created_at < clock_timestamp() - :kept"),
        {"id": member_id, "kept": KEPT},
    )
    result_id = new_id()
    tx.execute(
        text(
            "INSERT INTO page_results (id, organization_id, member_id, content)"
            " VALUES (:id, :organization_id, :member_id, CAST(:content AS jsonb))"
        ),
        {
            "id": result_id,
            "organization_id": organization_id,
            "member_id": member_id,
            "content": dump_json(content),
        },
    )
    return result_id


def load(
    tx: Transaction, result_id: UUID, member_id: UUID, *, within: timedelta = KEPT
) -> Mapping[str, Any] | None:
    """The member's own, if it is no older than ``within``."""
    found: Mapping[str, Any] | None = tx.execute(
        text(
            "SELECT content FROM page_results WHERE id = :id AND member_id = :member_id"
            " AND created_at > clock_timestamp() - :within"
        ),
        {"id": result_id, "member_id": member_id, "within": within},
    ).scalar_one_or_none()
    return found
