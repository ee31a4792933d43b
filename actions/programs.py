"""Keys of the JSON API: made, shown once, ended."""

from datetime import datetime
from uuid import UUID

from app.runtime import Runtime
from db.access import api_keys, page_results
from db.access.page_results import ShownOnce
from db.core.session import database_now
from db.sequences import organization_hours
from db.views import programs
from domain.errors import InvalidInput
from domain.grant import end_of


def make_key(
    runtime: Runtime,
    organization_id: UUID,
    name: str,
    scopes: list[str],
    *,
    until: str = "",
    actor: str,
    shown: ShownOnce | None = None,
) -> str:
    """Make a key and return it; we keep only its hash. ``until``: its last day, by the organization's clock; empty: no end.

    ``shown``: a page shows it. Raises ``InvalidInput``.
    """
    with runtime.database.transaction() as tx:
        ends = end_of(until, organization_hours.of(tx, organization_id).time_zone) if until else None
        if ends is not None and ends <= database_now(tx):
            raise InvalidInput(
                "This day is over", where="until", fix="Choose today or later, or leave it empty."
            )
        key = api_keys.make(tx, organization_id, name, scopes, expires_at=ends, actor=actor)
        if shown is not None:
            page_results.seal(tx, shown, {"what": "Key", "name": name.strip(), "secret": key})
        return key


def end_named(runtime: Runtime, organization_id: UUID, name: str, *, actor: str) -> None:
    """End the key in force that has this name. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        api_keys.revoke(tx, organization_id, name, actor=actor)


def end_key(runtime: Runtime, organization_id: UUID, key_id: UUID, *, actor: str) -> tuple[str, bool]:
    """End a key; returns its name, and False if it had ended before. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        found = programs.key(tx, organization_id, key_id)
        if found.revoked_at is not None:
            return found.name, False
        api_keys.revoke(tx, organization_id, found.name, actor=actor)
        return found.name, True


def replace_key(
    runtime: Runtime, organization_id: UUID, key_id: UUID, *, actor: str, shown: ShownOnce | None = None
) -> tuple[str, str, datetime]:
    """Make another key for the same program; returns its name, the key, and until when the one before it works too.

    ``shown``: a page shows it. Raises ``NotFound``: it has ended.
    """
    with runtime.database.transaction() as tx:
        found = programs.key(tx, organization_id, key_id)
        key, until = api_keys.replace(tx, organization_id, found.name, actor=actor)
        if shown is not None:
            page_results.seal(tx, shown, {"what": "Key", "name": found.name, "secret": key})
        return found.name, key, until
