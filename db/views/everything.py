"""Everything that is known of one person, besides their conversation, for an export."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile


@dataclass(frozen=True, slots=True)
class Everything:
    """The person as stored, their suppressions, places in sequences, receipts, events, and the audit trail about them."""

    person: Json
    suppressions: list[dict[str, Any]]
    sequences: list[dict[str, Any]]
    receipts: list[dict[str, Any]]
    events: list[dict[str, Any]]
    audit: list[dict[str, Any]]


_OF_PERSON = SqlFile(__name__).statement("of_person", Everything)


def of_person(tx: Transaction, candidate_id: UUID) -> Everything:
    """Return it. The person is one that is not erased."""
    return _OF_PERSON.one(tx, id=candidate_id)
