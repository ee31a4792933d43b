"""Keys of the JSON API: made, shown once, ended."""

from uuid import UUID

from app.runtime import Runtime
from db.access import api_keys
from db.views import programs


def make_key(runtime: Runtime, organization_id: UUID, name: str, scopes: list[str], *, actor: str) -> str:
    """Make a key and return it; we keep only its hash. Raises ``InvalidInput``."""
    with runtime.database.transaction() as tx:
        return api_keys.make(tx, organization_id, name, scopes, actor=actor)


def end_key(runtime: Runtime, organization_id: UUID, key_id: UUID, *, actor: str) -> tuple[str, bool]:
    """End a key; returns its name, and False if it had ended before. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        found = programs.key(tx, organization_id, key_id)
        if found.revoked_at is not None:
            return found.name, False
        api_keys.revoke(tx, organization_id, found.name, actor=actor)
        return found.name, True
