"""Have an organization's audit chain verified, by a worker: it has the keys."""

from uuid import UUID

from actions import errands
from app.runtime import Runtime
from domain.errands import ErrandKind


def verify(runtime: Runtime, organization_id: UUID, *, actor: str) -> dict[str, object] | None:
    """Return what the check found (``workers/audit_errands.py``), or None if it takes longer: then the page shows it later.

    Raises ``WorkersSilent``, ``TooMany``.
    """
    with runtime.limiter.check(organization_id, "audit"):
        return errands.ask(
            runtime, organization_id, ErrandKind.VERIFY_AUDIT, organization_id, actor=actor
        ).wait()
