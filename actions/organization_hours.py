"""An organization's time zone, sending hours and holidays, with what another choice moves."""

from uuid import UUID

import structlog

from app.runtime import Runtime
from db.audit import audit
from db.core.session import Transaction
from db.sequences import organization_hours
from domain.hand_edits import Overtaken
from domain.organization_hours import HoursReport, OrganizationHours

log = structlog.get_logger()


def change(
    runtime: Runtime, organization_id: UUID, wanted: OrganizationHours, *, version: str | None, actor: str
) -> HoursReport:
    """Set them; planned emails move as ``preview_change`` said. ``version``: what its author read, None: whatever it is.

    The gate decides by what is stored when an email passes it. Raises ``NotFound``, ``InvalidInput``, ``Overtaken``.
    """
    with runtime.database.transaction() as tx:
        report = _change(tx, organization_id, wanted, version, actor)
    if report.changed:
        log.info("organization_hours_changed", organization_id=str(organization_id))
    return report


def preview_change(
    runtime: Runtime, organization_id: UUID, wanted: OrganizationHours, *, version: str | None
) -> HoursReport:
    """Return what ``change`` would do, and change nothing. Raises what it raises."""
    with runtime.database.transaction() as tx:
        report = _change(tx, organization_id, wanted, version, "preview")
        tx.rollback()
    return report


def _change(
    tx: Transaction, organization_id: UUID, wanted: OrganizationHours, version: str | None, actor: str
) -> HoursReport:
    wanted = wanted.checked()
    organization_hours.lock(tx, organization_id)
    present = organization_hours.of(tx, organization_id)
    if present == wanted:
        return HoursReport()
    if version is not None and version != present.version:
        raise Overtaken("Somebody has changed these settings since you opened them. Nothing was saved.")
    report = organization_hours.replace(tx, organization_id, present, wanted)
    audit.write(
        tx,
        organization_id,
        actor,
        "organization_hours_changed",
        f"organization:{organization_id}",
        {"time_zone": wanted.time_zone, "sending": wanted.sending, "emails_moved": report.emails},
    )
    return report
