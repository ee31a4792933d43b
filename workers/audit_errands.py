"""Verify an organization's audit chain, which needs the keys that seal it: pages have none."""

from app.runtime import Runtime
from db.audit import audit, audit_chain
from db.events.errands import Errand


def verify(runtime: Runtime, errand: Errand) -> dict[str, object]:
    """Check every seal of the errand's organization, and its receipts; as ``onbehalf audit verify`` does."""
    organization_id = errand.organization_id
    with runtime.database.transaction() as tx:
        found = audit_chain.verify(tx, runtime.keys.audit, organization_id)
        return {
            "holds": found.holds,
            "entries": found.entries,
            "position": found.head.position,
            "broken_at": found.broken_at,
            "problem": found.problem,
            "altered_receipts": audit.broken_receipts(tx, organization_id),
        }
