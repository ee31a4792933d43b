"""Sending hours of one mailbox, set by its owner or an admin instead of those that its provider states."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog

from app.runtime import Runtime
from db.audit import audit
from db.core.session import Transaction
from db.mailboxes import own_hours
from db.sequences import organization_hours
from domain.hand_edits import Overtaken
from domain.organization_hours import HoursReport, OrganizationHours

log = structlog.get_logger()


def change(
    runtime: Runtime, mailbox_id: UUID, sending: Mapping[str, Any] | None, *, version: str | None, actor: str
) -> HoursReport:
    """Set them; planned emails move as ``preview_change`` said. ``sending`` None: those that the provider states.

    ``version``: what its author read, None: whatever it is. The gate decides by what is stored when an email passes it. Raises
    ``NotFound``, ``InvalidInput``, ``Overtaken``.
    """
    with runtime.database.transaction() as tx:
        report = _change(tx, mailbox_id, sending, version, actor)
    if report.changed:
        log.info("mailbox_hours_changed", mailbox_id=str(mailbox_id))
    return report


def preview_change(
    runtime: Runtime, mailbox_id: UUID, sending: Mapping[str, Any] | None, *, version: str | None
) -> HoursReport:
    """Return what ``change`` would do, and change nothing. Raises what it raises."""
    with runtime.database.transaction() as tx:
        report = _change(tx, mailbox_id, sending, version, "preview")
        tx.rollback()
    return report


def _change(
    tx: Transaction, mailbox_id: UUID, sending: Mapping[str, Any] | None, version: str | None, actor: str
) -> HoursReport:
    organization_id = own_hours.of(tx, mailbox_id).organization_id
    organization_hours.lock(tx, organization_id)
    present = own_hours.of(tx, mailbox_id)
    wanted = OrganizationHours(present.zone if sending is None else str(sending.get("zone")), sending)
    own = wanted.checked().sending
    if present.own == own:
        return HoursReport()
    if version is not None and version != present.version:
        raise Overtaken("Somebody has changed these hours since you opened them. Nothing was saved.")
    report = own_hours.replace(tx, mailbox_id, own)
    audit.write(
        tx,
        organization_id,
        actor,
        "mailbox_hours_changed",
        f"mailbox:{mailbox_id}",
        {"sending": own, "emails_moved": report.emails},
    )
    return report
