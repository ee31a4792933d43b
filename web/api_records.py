"""The JSON API's records: the receipt of an email, what a withdrawal stopped, and what was read of a member's mailboxes."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from db.audit import audit
from db.views import lookups, readings
from db.withdrawing import withdrawal_results
from domain.audit import digest
from domain.errors import NotFound
from web.api_call import Called
from web.api_models import REFUSALS, spelled

router = APIRouter(responses=REFUSALS)


class Receipt(BaseModel):
    """``receipt``: on whose authority the email left, and each check with its time. ``matches_audit_trail``: nobody changed it since."""

    receipt: dict[str, Any]
    matches_audit_trail: bool


class Result(BaseModel):
    """``answered_at`` null: it waits for emails in flight. ``doubts``: what was in doubt then, and what we know now."""

    id: UUID
    action: str
    subject_id: UUID
    actor: str
    created_at: datetime
    answered_at: datetime | None
    stopped: int
    already_sent: int
    touched: list[dict[str, Any]]
    doubts: list[dict[str, Any]]


class Readings(BaseModel):
    """``mailboxes``: how far each is read. ``items``: what was kept, newest first; ``next_before`` is null on the last page."""

    mailboxes: list[dict[str, Any]]
    items: list[dict[str, Any]]
    next_before: UUID | None


@router.get("/deliveries/{delivery}/receipt", response_model=Receipt)
def show_receipt(call: Called, delivery: UUID) -> Receipt:
    """The receipt of an email that left."""
    call.own("deliveries", delivery)
    with call.runtime.database.transaction() as tx:
        found = lookups.receipt(tx, delivery)
        if found is None:
            raise NotFound("That email has no receipt: it has not been sent.")
        genuine = audit.receipt_digest(tx, delivery) == digest(audit.receipt_as_signed(tx, delivery))
    return Receipt(receipt=spelled(found), matches_audit_trail=genuine)


@router.get("/withdrawals/{withdrawal}", response_model=Result)
def show_withdrawal(call: Called, withdrawal: UUID) -> Result:
    """What a withdrawal stopped, had left and had in doubt, as we know it now."""
    with call.runtime.database.transaction() as tx:
        found = withdrawal_results.load(tx, withdrawal, call.caller.organization_id)
    shown = Result.model_fields.keys() - {"doubts"}
    return Result(
        **{name: getattr(found, name) for name in shown}, doubts=[asdict(each) for each in found.doubts]
    )


@router.get("/members/{member}/readings", response_model=Readings)
def list_readings(
    call: Called,
    member: UUID,
    before: Annotated[UUID | None, Query(description="next_before of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = readings.PER_PAGE,
) -> Readings:
    """What was read of a member's mailboxes: each message that was kept, why and for whom."""
    call.own("members", member)
    with call.runtime.database.transaction() as tx:
        boxes = readings.mailboxes_of(tx, member)
        found = readings.kept_of(tx, member, before=before, limit=limit + 1)
    shown = found[:limit]
    return Readings(
        mailboxes=[asdict(each) for each in boxes],
        items=[asdict(each) for each in shown],
        next_before=shown[-1].id if len(found) > limit else None,
    )
