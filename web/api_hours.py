"""The JSON API's sending hours of one mailbox, instead of those that its provider states."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from actions import mailbox_hours as actions
from db.mailboxes import own_hours
from domain.organization_hours import HoursReport
from web.api_call import Called
from web.api_models import REFUSALS, Asked, SendingHours

router = APIRouter(prefix="/mailboxes/{mailbox}/hours", responses=REFUSALS)


class NewMailboxHours(Asked):
    """``sending`` null: those that the provider states. ``version``: of what you read; another one is refused. Leave it out to replace whatever is there."""

    sending: SendingHours | None
    version: str | None = Field(default=None, max_length=40)


class MailboxHours(BaseModel):
    """``sending`` null: those that the provider states, ``stated``, if any. ``version``: give it back when you change them."""

    sending: dict[str, Any] | None
    stated: dict[str, Any] | None
    version: str


class MovedEmails(BaseModel):
    """``emails``: planned ones that get another time; ``moved``: of which sequences, from when to when."""

    changed: bool
    emails: int
    moved: list[dict[str, Any]]


@router.get("", response_model=MailboxHours)
def show_mailbox_hours(call: Called, mailbox: UUID) -> MailboxHours:
    """When emails may leave from a mailbox."""
    call.own("mailboxes", mailbox)
    with call.runtime.database.transaction() as tx:
        found = own_hours.of(tx, mailbox)
    own, stated = (None if each is None else dict(each) for each in (found.own, found.stated))
    return MailboxHours(sending=own, stated=stated, version=found.version)


@router.post("/preview", response_model=MovedEmails)
def preview_mailbox_hours(call: Called, mailbox: UUID, wanted: NewMailboxHours) -> Response:
    """How many planned emails other hours would move. Changes nothing."""
    call.own("mailboxes", mailbox)
    return call.do(
        lambda: _moves(
            actions.preview_change(call.runtime, mailbox, _sending(wanted), version=wanted.version)
        )
    )


@router.post("", response_model=MovedEmails)
def change_mailbox_hours(call: Called, mailbox: UUID, wanted: NewMailboxHours) -> Response:
    """Set them. Planned emails move; one that has begun keeps its time and is checked again before it leaves."""
    call.own("mailboxes", mailbox)
    return call.do(
        lambda: _moves(
            actions.change(
                call.runtime,
                mailbox,
                _sending(wanted),
                version=wanted.version,
                actor=call.caller.name,
            )
        )
    )


def _sending(wanted: NewMailboxHours) -> dict[str, Any] | None:
    return None if wanted.sending is None else wanted.sending.model_dump(by_alias=True, exclude_none=True)


def _moves(report: HoursReport) -> dict[str, Any]:
    return {
        "changed": report.changed,
        "emails": report.emails,
        "moved": [asdict(each) for each in report.moved],
    }
