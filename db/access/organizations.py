"""Organizations, added one at a time."""

from uuid import UUID

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import Statement
from domain.errors import InvalidInput

_ADD = Statement(
    "INSERT INTO organizations (id, name, time_zone) SELECT CAST(:id AS uuid), CAST(:name AS text), CAST(:time_zone AS text)"
    " WHERE NOT EXISTS (SELECT FROM organizations o WHERE lower(o.name) = lower(:name))"
    " ON CONFLICT (name) DO NOTHING RETURNING id",
    UUID,
)


def add(tx: Transaction, name: str, time_zone: str, *, actor: str) -> UUID:
    """Add an organization without anybody in it, audited. Raises ``InvalidInput``: there is one of that name, ignoring case."""
    added = _ADD.one_or_none(tx, id=new_id(), name=name, time_zone=time_zone)
    if added is None:
        raise InvalidInput(f"There is an organization {name}", where="name", fix="Choose another name.")
    audit.write(
        tx,
        added,
        actor,
        "organization_added",
        f"organization:{added}",
        {"name": name, "time_zone": time_zone},
    )
    return added
