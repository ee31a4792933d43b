"""Legal entities of an organization: each may send from an address of its own, or from its parent's."""

from uuid import UUID

from app.runtime import Runtime
from db.access import legal_entities
from domain.errors import InvalidInput

MAX_NAME = 200  # characters


def add(runtime: Runtime, organization_id: UUID, name: str, parent_id: UUID | None, *, actor: str) -> UUID:
    """Add a legal entity below ``parent_id``, None: below the organization. Raises ``InvalidInput``, ``NotFound``."""
    said = " ".join(name.split())
    if not said or not said.isprintable() or len(said) > MAX_NAME:
        raise InvalidInput(
            f"A legal entity has a name of 1 to {MAX_NAME} characters", where="name", fix="Write it."
        )
    with runtime.database.transaction() as tx:
        return legal_entities.add(tx, organization_id, said, parent_id, actor=actor)
