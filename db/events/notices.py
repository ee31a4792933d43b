"""Notices: one per cause, recipient and channel, however often the cause is noticed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import incidents, notice_facts, outbox
from db.events.events import Event
from domain.jobs import NotifyOwner
from domain.notice import Notice

MAX_MAIL_TAKES = timedelta(seconds=90)  # after that, an email without a recorded outcome counts as unknown


class _Member(NamedTuple):
    email: str
    name: str
    now: datetime


class _Earlier(NamedTuple):
    mail_state: str
    old: bool


class _Written(NamedTuple):
    title: str
    body: str
    links: list[list[str]]


_SQL = SqlFile(__name__)
_BEGIN_IN_APP, _WORD_IN_APP = _SQL.statement("begin_in_app"), _SQL.statement("word_in_app")
_WRITTEN_IN_APP = _SQL.statement("written_in_app", _Written)
_MEMBER = Statement("SELECT email, name, clock_timestamp() AS now FROM members WHERE id = :id", _Member)
_CLAIM_MAIL = _SQL.statement("claim_mail", UUID)
_EARLIER_MAIL = _SQL.statement("earlier_mail", _Earlier)
_RECORD_MAIL = _SQL.statement("record_mail")


def write_in_app(tx: Transaction, event: Event, recipient: UUID) -> Notice:
    """Write the recipient's in-app notice of the event, or bring it up to date."""
    _BEGIN_IN_APP.run(
        tx,
        id=new_id(),
        organization_id=event.organization_id,
        owner_id=recipient,
        event_id=event.id,
        cause_key=event.incident,
    )
    notice = notice_facts.word(tx, event, recipient)
    _WORD_IN_APP.run(
        tx,
        title=notice.title,
        body=notice.body,
        links=dump_json([list(each) for each in notice.links]),
        cause_key=event.incident,
        owner_id=recipient,
    )
    if event.type.recovery is not None:
        incidents.open_one(tx, event.incident, recipient)
    return notice


def written(tx: Transaction, event: Event, recipient: UUID) -> Notice:
    """Return what the recipient's in-app notice of the event says, so that every channel says the same; or word it if it is gone."""
    found = _WRITTEN_IN_APP.one_or_none(tx, cause_key=event.incident, owner_id=recipient)
    if found is None:
        return notice_facts.word(tx, event, recipient)
    return Notice(found.title, found.body, [(label, path) for label, path in found.links])


def bring_up_to_date(tx: Transaction, event: Event, recipient: UUID) -> None:
    """One more sequence was paused for an event that is announced: it is in the notice, and not in another email."""
    if not outbox.put(tx, NotifyOwner(event.id, recipient)) and notice_facts.concerns(tx, event, recipient):
        write_in_app(tx, event, recipient)


@dataclass(frozen=True, slots=True)
class MailClaim:
    """``state``: new (send it), busy (a worker is sending it), or how an earlier attempt ended."""

    state: str
    address: str
    name: str
    now: datetime


def claim_mail(tx: Transaction, event: Event, recipient: UUID, notice: Notice) -> MailClaim:
    """Claim the one email of this notice. An attempt that died on the way counts as unknown and is not repeated."""
    member = _MEMBER.one(tx, id=recipient)
    keys = {"cause_key": event.incident, "owner_id": recipient}
    claimed = _CLAIM_MAIL.one_or_none(
        tx,
        **keys,
        id=new_id(),
        organization_id=event.organization_id,
        event_id=event.id,
        title=notice.title,
        body=notice.body,
        links=dump_json([list(each) for each in notice.links]),
    )
    if claimed is not None:
        return MailClaim("new", member.email, member.name, member.now)
    row = _EARLIER_MAIL.one(tx, **keys, limit=MAX_MAIL_TAKES)
    if row.mail_state == "sending" and row.old:
        record_mail(tx, event, recipient, "unknown")
        return MailClaim("unknown", member.email, member.name, member.now)
    return MailClaim(
        "busy" if row.mail_state == "sending" else row.mail_state,
        member.email,
        member.name,
        member.now,
    )


def record_mail(tx: Transaction, event: Event, recipient: UUID, state: str) -> None:
    """Record how the email of a notice ended: sent, failed or unknown."""
    _RECORD_MAIL.run(tx, state=state, cause_key=event.incident, owner_id=recipient)
