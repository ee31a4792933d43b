"""Legal entities, added one at a time."""

from uuid import UUID

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import Statement
from domain.errors import InvalidInput, NotFound

_IS_OF = Statement(
    "SELECT EXISTS (SELECT FROM legal_entities WHERE id = :id AND organization_id = :organization_id)", bool
)
_ADD = Statement(
    "INSERT INTO legal_entities (id, organization_id, name, parent_id)"
    " SELECT CAST(:id AS uuid), CAST(:organization_id AS uuid), CAST(:name AS text), CAST(:parent_id AS uuid)"
    " WHERE NOT EXISTS (SELECT FROM legal_entities e WHERE e.organization_id = :organization_id AND lower(e.name) = lower(:name))"
    " ON CONFLICT (organization_id, name) DO NOTHING RETURNING id",
    UUID,
)


def add(tx: Transaction, organization_id: UUID, name: str, parent_id: UUID | None, *, actor: str) -> UUID:
    """Add one, audited. Raises ``InvalidInput``: there is one of that name, ignoring case; ``NotFound``: there is no such parent."""
    if parent_id is not None and not _IS_OF.one(tx, id=parent_id, organization_id=organization_id):
        raise NotFound("There is no such legal entity.")
    added = _ADD.one_or_none(tx, id=new_id(), organization_id=organization_id, name=name, parent_id=parent_id)
    if added is None:
        raise InvalidInput(
            f"There is a legal entity {name} already", where="name", fix="Choose another name."
        )
    audit.write(
        tx,
        organization_id,
        actor,
        "legal_entity_added",
        f"legal_entity:{added}",
        {"name": name, "parent_id": None if parent_id is None else str(parent_id)},
    )
    return added
