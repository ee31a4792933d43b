"""Keys of the JSON API: made, shown once, ended."""

from uuid import UUID

from app.runtime import Runtime
from db.access import api_keys, page_results
from db.access.page_results import ShownOnce
from db.views import programs


def make_key(
    runtime: Runtime,
    organization_id: UUID,
    name: str,
    scopes: list[str],
    *,
    actor: str,
    shown: ShownOnce | None = None,
) -> str:
    """Make a key and return it; we keep only its hash. ``shown``: a page shows it. Raises ``InvalidInput``."""
    with runtime.database.transaction() as tx:
        key = api_keys.make(tx, organization_id, name, scopes, actor=actor)
        if shown is not None:
            page_results.seal(tx, shown, {"what": "Key", "name": name.strip(), "secret": key})
        return key


def end_key(runtime: Runtime, organization_id: UUID, key_id: UUID, *, actor: str) -> tuple[str, bool]:
    """End a key; returns its name, and False if it had ended before. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        found = programs.key(tx, organization_id, key_id)
        if found.revoked_at is not None:
            return found.name, False
        api_keys.revoke(tx, organization_id, found.name, actor=actor)
        return found.name, True
