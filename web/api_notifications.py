"""The JSON API's notifications: what went to a member, read or unread; and the zone in which they read times."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from actions import my_zone
from actions import notices as actions
from db.views import frame, notice_lists
from web.api_call import Called
from web.api_models import REFUSALS, Asked

router = APIRouter(prefix="/members/{member}", responses=REFUSALS)


class Notifications(BaseModel):
    """One page, newest first. ``next_before`` is null on the last page. ``unread``: of all pages."""

    items: list[dict[str, Any]]
    next_before: UUID | None
    unread: int


class WhatIsRead(Asked):
    """``notification_id``: that one. Else all, up to and with ``up_to``; null: every one."""

    notification_id: UUID | None = None
    up_to: UUID | None = None


class Unread(BaseModel):
    """How many are unread now."""

    unread: int


class Zone(Asked):
    """``zone``: of the IANA database; null: the organization's."""

    zone: str | None = Field(default=None, max_length=64)


@router.get("/notifications", response_model=Notifications)
def list_notifications(
    call: Called,
    member: UUID,
    unread: bool = False,
    search: Annotated[str, Query(max_length=100)] = "",
    before: Annotated[UUID | None, Query(description="next_before of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = notice_lists.PER_PAGE,
) -> Notifications:
    """What went to a member."""
    call.own("members", member)
    with call.runtime.database.transaction() as tx:
        found = notice_lists.of_recipient(
            tx, member, unread_only=unread, search=search.strip(), before=before, limit=limit + 1
        )
        count = notice_lists.unread(tx, member)
    shown = found[:limit]
    return Notifications(
        items=[{**asdict(each), "state": each.state} for each in shown],
        next_before=shown[-1].id if len(found) > limit else None,
        unread=count,
    )


@router.post("/notifications/read", response_model=Unread)
def mark_read(call: Called, member: UUID, what: WhatIsRead) -> Response:
    """Say that a member has read one notification, or all."""
    call.own("members", member)

    def work() -> object:
        if what.notification_id is not None:
            actions.mark_read(call.runtime, member, what.notification_id)
        else:
            actions.mark_all_read(call.runtime, member, up_to=what.up_to)
        with call.runtime.database.transaction() as tx:
            return {"unread": notice_lists.unread(tx, member)}

    return call.do(work)


@router.get("/time-zone", response_model=Zone)
def show_zone(call: Called, member: UUID) -> Zone:
    """The zone in which a member reads times."""
    call.own("members", member)
    with call.runtime.database.transaction() as tx:
        return Zone(zone=frame.zones(tx, member).own)


@router.post("/time-zone", response_model=Zone)
def set_zone(call: Called, member: UUID, wanted: Zone) -> Response:
    """Set the zone in which a member reads times."""
    call.own("members", member)

    def work() -> object:
        my_zone.set_zone(call.runtime, member, wanted.zone or "")
        return {"zone": wanted.zone or None}

    return call.do(work)
