"""The JSON API's settings: the organization's sending hours and holidays, and mailboxes' limits of a day."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from actions import default_mailbox as default
from actions import legal_entities, mailbox_limits
from actions import organization_hours as actions
from db.mailboxes import default_mailbox, limits
from db.sequences import organization_hours
from db.views import sent_in_name
from domain.lane import MAX_DAILY_CAP
from domain.organization_hours import HoursReport, OrganizationHours
from web import api_hours
from web.api_call import Call, Called
from web.api_models import REFUSALS, Asked, SendingHours

router = APIRouter(responses=REFUSALS)
router.include_router(api_hours.router)


class NewHours(Asked):
    """``sending`` null: at any time. ``version``: of what you read; another one is refused. Leave it out to replace whatever is there."""

    time_zone: str = Field(min_length=1, max_length=60)
    sending: SendingHours | None
    version: str | None = Field(default=None, max_length=40)


class Hours(BaseModel):
    """When emails may leave. ``version``: give it back when you change them."""

    time_zone: str
    sending: dict[str, Any] | None
    version: str


class Moves(BaseModel):
    """``emails``: planned ones that get another time; ``moved``: of which sequences, from when to when."""

    changed: bool
    emails: int
    moved: list[dict[str, Any]]


class NewLimits(Asked):
    """``was``: the limit that you decided on; another one is refused. Leave it out to change whatever it is."""

    daily_cap: int = Field(ge=1, le=MAX_DAILY_CAP)
    was: int | None = Field(default=None, ge=1, le=MAX_DAILY_CAP)


class MailboxLimits(BaseModel):
    """``zone``: whose midnight begins a new day. ``waiting``: emails that wait for tomorrow because today's limit is used up."""

    daily_cap: int
    sent_today: int
    waiting: int
    zone: str


@router.get("/mailboxes/{mailbox}/limits", response_model=MailboxLimits)
def show_limits(call: Called, mailbox: UUID) -> MailboxLimits:
    """How many emails a mailbox sends a day."""
    call.own("mailboxes", mailbox)
    return _limits(call, mailbox)


@router.post("/mailboxes/{mailbox}/limits", response_model=MailboxLimits)
def change_limits(call: Called, mailbox: UUID, wanted: NewLimits) -> Response:
    """Set how many emails a mailbox sends a day, also while emails wait. It counts from the next email on."""
    call.own("mailboxes", mailbox)

    def work() -> MailboxLimits:
        mailbox_limits.set_daily_cap(
            call.runtime, mailbox, wanted.daily_cap, was=wanted.was, actor=call.caller.name
        )
        return _limits(call, mailbox)

    return call.do(work)


def _limits(call: Call, mailbox: UUID) -> MailboxLimits:
    with call.runtime.database.transaction() as tx:
        found = limits.of(tx, mailbox)
    return MailboxLimits(
        daily_cap=found.daily_cap, sent_today=found.sent_today, waiting=found.waiting, zone=found.zone
    )


class DefaultMailbox(Asked):
    """``mailbox_id`` null: nothing is chosen; the member's own mailbox comes first."""

    mailbox_id: UUID | None


@router.get("/members/{member}/default-mailbox", response_model=DefaultMailbox)
def show_default(call: Called, member: UUID) -> DefaultMailbox:
    """The mailbox that a member's new sequences and emails by hand start with."""
    call.own("members", member)
    with call.runtime.database.transaction() as tx:
        return DefaultMailbox(mailbox_id=default_mailbox.of(tx, member).mailbox_id)


@router.post("/members/{member}/default-mailbox", response_model=DefaultMailbox)
def choose_default(call: Called, member: UUID, wanted: DefaultMailbox) -> Response:
    """Choose it. It gives no permission: the member has to be allowed to send from that mailbox."""
    call.own("members", member)

    def work() -> DefaultMailbox:
        default.choose(call.runtime, member, wanted.mailbox_id, actor=call.caller.name)
        return wanted

    return call.do(work)


class NewEntity(Asked):
    """``parent_id`` null: below the organization."""

    name: str = Field(min_length=1, max_length=legal_entities.MAX_NAME)
    parent_id: UUID | None = None


class AddedEntity(BaseModel):
    """The new legal entity's id."""

    id: UUID


@router.post("/legal-entities", response_model=AddedEntity, status_code=201)
def add_entity(call: Called, new: NewEntity) -> Response:
    """Add a legal entity. It sends from its parent's address until it has one of its own."""
    organization_id, actor = call.caller.organization_id, call.caller.name
    return call.do(
        lambda: {
            "id": legal_entities.add(call.runtime, organization_id, new.name, new.parent_id, actor=actor)
        },
        201,
        scope="addresses",
    )


class SentInName(BaseModel):
    """One page, newest first. ``next_before``: the delivery to give as ``before``; null on the last page."""

    items: list[dict[str, Any]]
    next_before: UUID | None


@router.get("/mailboxes/{mailbox}/sent-by-others", response_model=SentInName)
def list_sent_by_others(
    call: Called,
    mailbox: UUID,
    grant_id: UUID | None = None,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = sent_in_name.PER_PAGE,
) -> SentInName:
    """What left from a mailbox on permissions of its owner: by whom, to whom, of which sequence."""
    call.own("mailboxes", mailbox)
    with call.runtime.database.transaction() as tx:
        found = sent_in_name.sent(tx, [mailbox], grant_id=grant_id, before=before, limit=limit + 1)
    shown = found[:limit]
    return SentInName(
        items=[asdict(each) for each in shown],
        next_before=shown[-1].delivery_id if len(found) > limit else None,
    )


@router.get("/organization/hours", response_model=Hours)
def show_hours(call: Called) -> Hours:
    """Time zone, sending hours and holidays of your organization."""
    with call.runtime.database.transaction() as tx:
        found = organization_hours.of(tx, call.caller.organization_id)
    return Hours(
        time_zone=found.time_zone,
        sending=None if found.sending is None else dict(found.sending),
        version=found.version,
    )


@router.post("/organization/hours/preview", response_model=Moves)
def preview_hours(call: Called, wanted: NewHours) -> Response:
    """How many planned emails other hours would move. Changes nothing."""
    return call.do(
        lambda: _moves(
            actions.preview_change(
                call.runtime, call.caller.organization_id, _wanted(wanted), version=wanted.version
            )
        )
    )


@router.post("/organization/hours", response_model=Moves)
def change_hours(call: Called, wanted: NewHours) -> Response:
    """Set them. Planned emails move; one that has begun keeps its time and is checked again before it leaves."""
    return call.do(lambda: _moves(_change(call, call.caller.organization_id, wanted)))


def _change(call: Call, organization_id: UUID, wanted: NewHours) -> HoursReport:
    return actions.change(
        call.runtime, organization_id, _wanted(wanted), version=wanted.version, actor=call.caller.name
    )


def _wanted(asked: NewHours) -> OrganizationHours:
    sending = None if asked.sending is None else asked.sending.model_dump(by_alias=True, exclude_none=True)
    return OrganizationHours(asked.time_zone, sending)


def _moves(report: HoursReport) -> dict[str, Any]:
    return {
        "changed": report.changed,
        "emails": report.emails,
        "moved": [asdict(each) for each in report.moved],
    }
