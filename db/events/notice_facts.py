"""Who besides the sequences' owners is notified of an event, who is not, and the facts for their notices."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.access.authority import permitted
from db.core.session import Transaction, database_now
from db.core.statements import SqlFile, Statement
from db.events import events
from db.events.events import Event
from db.views.attention import BLOCKED
from domain import moments
from domain.audit import ActorKind
from domain.connection import REFUSED_BY, Provider
from domain.event_rules import Also, Names, News, Touches
from domain.notice import Facts, Notice, TouchedSequence, isolated

_MAX_NAMED = 20  # people, in one notice
# Payload fields that may contain right-to-left text.
_WRITTEN_BY_PEOPLE = frozenset({"actor", "person", "reason", "sequence", "program", "words", "title"})


class _Box(NamedTuple):
    owner_id: UUID | None
    id: UUID | None
    provider: str | None
    mailbox_owner: str | None
    manages: bool


class _Touched(NamedTuple):
    id: UUID
    name: str
    owner: str
    authorized: bool
    people: int


class _Person(NamedTuple):
    name: str
    people: int


class _Email(NamedTuple):
    sequence_id: UUID
    sequence: str
    person: str


class _Grant(NamedTuple):
    expires_at: datetime | None
    daily_limit: int | None
    zone: str
    person: str | None
    by_its_owner: bool
    names: list[str] | None


_SQL = SqlFile(__name__)
_OWNER = _SQL.fragment("mailbox_owner")
_ALSO = {
    also: Statement(_SQL.fragment("also", whom=whom), UUID)
    for also, whom in {
        Also.MAILBOX_OWNER: _OWNER,
        Also.MAILBOX_OWNER_OF_GRANT: f"{_OWNER} AND CAST(:grant_id AS uuid) IS NOT NULL",
        Also.MAILBOX_OWNER_IF_BY_ITSELF: f"{_OWNER} AND :by_itself",
        Also.MAILBOX_OWNERS_OF_ORGANIZATION: _SQL.fragment("mailbox_owners_of_organization"),
        Also.ADMINS_OF_SENDER_ADDRESS: _SQL.fragment("admins_of_sender_address"),
        Also.ADMINS: _SQL.fragment("admins"),
        Also.MAILBOX_OWNERS_OF_TENANT: _SQL.fragment("mailbox_owners_of_tenant"),
        Also.GRANTEE: _SQL.fragment("grantee"),
        Also.GRANTEES_OF_MAILBOX: _SQL.fragment("grantees_of_mailbox"),
        Also.GRANTEES_OF_MEMBER: _SQL.fragment("grantees_of_member"),
    }.items()
}
_OWN_ACT = _SQL.statement("own_act", bool)
_BOX = _SQL.statement("mailbox", _Box)
_IN_TENANT = _SQL.statement("in_tenant", bool)
_TOUCHED = _SQL.statement("touched", _Touched, permitted=permitted())
_PEOPLE = {
    Names.BLOCKED: Statement(_SQL.fragment("people", source=_SQL.fragment("blocked")), _Person),
    Names.FAILED: Statement(_SQL.fragment("people", source=_SQL.fragment("failed")), _Person),
    Names.SUMMARIZED: _SQL.statement("summarized", _Person),
}
_OF_INCIDENT = {  # whose emails it is about
    Names.IN_REVIEW: Statement(_SQL.fragment("of_incident", concerned=_SQL.fragment("in_review")), _Email),
    Names.IN_DRAFTS: Statement(_SQL.fragment("of_incident", concerned=_SQL.fragment("in_drafts")), _Email),
}
_GRANT = _SQL.statement("grant", _Grant)


def also(tx: Transaction, event: Event) -> list[UUID]:
    """Active members who hear of an event whether or not a sequence of theirs is touched; not whoever did it."""
    found: list[UUID] = [] if event.recipient is None else [event.recipient]
    values = {
        **_values(event),
        "organization_id": event.organization_id,
        "reason": event.payload.get("reason"),
        "by_itself": event.actor in REFUSED_BY.values(),
    }
    for each in event.type.also:
        found += _ALSO[each].all(tx, **values)
    return [each for each in dict.fromkeys(found) if not _own_act(tx, event, each)]


def recipients(tx: Transaction, event: Event) -> list[UUID]:
    """Who hears of an event: for each sequence that it has paused, or touches, one member; and those beside."""
    found = (
        events.paused_by(tx, event, since_resumed=True) if event.type.pauses else events.affected(tx, event)
    )
    touched = [each.recipient for each in sorted(found, key=lambda each: each.sequence_id)]
    return list(dict.fromkeys([*touched, *also(tx, event)]))


def concerns(tx: Transaction, event: Event, recipient: UUID) -> bool:
    """Is the event news to this member: not their own act, and about a sequence with people in it, or about themselves?

    For incidents, the emails must still be in the state that the event reports.
    """
    if event.type.about_emails:
        return bool(_of_incident(tx, event, recipient))
    if event.type.news is News.WHILE_IT_TOUCHES:
        return bool(_touched(tx, event, recipient))
    if _own_act(tx, event, recipient):
        # Who has connected their mailbox again still has sequences to resume.
        return event.type.news is News.TO_RESUME and bool(_touched(tx, event, recipient))
    if not event.type.pauses or recipient in also(tx, event):
        return True
    return bool(_touched(tx, event, recipient))


def has_paused(tx: Transaction, event: Event, recipient: UUID) -> bool:
    """Did somebody else's act pause a sequence of this member that has people in it? It may have been resumed since."""
    return (
        event.type.pauses
        and not _own_act(tx, event, recipient)
        and bool(_touched(tx, event, recipient, since_resumed=True))
    )


def _own_act(tx: Transaction, event: Event, recipient: UUID) -> bool:
    if event.type.news is News.TO_EVERYBODY or event.actor.kind not in (ActorKind.MEMBER, ActorKind.NAME):
        return False
    # If only a name is known and two members share it, we notify both rather than leave out the wrong one.
    return _OWN_ACT.one(
        tx,
        id=recipient,
        actor=event.actor.name,
        actor_id=event.actor.id,
        event_id=event.id,
        occurred_at=event.occurred_at,
    )


def word(tx: Transaction, event: Event, recipient: UUID) -> Notice:
    """Write the event's notice for one recipient, from what it has affected so far."""
    box = _BOX.one(tx, **_values(event), recipient=recipient, mailbox=event.payload.get("mailbox"))
    mine = box.owner_id == recipient
    admin = box.id is not None and box.owner_id is None and box.manages
    whole = (mine or admin) and event.type.touches is Touches.MAILBOX
    if event.type.touches is Touches.TENANT:
        admin, mine = box.manages, _IN_TENANT.one(tx, **_values(event), recipient=recipient)
    if event.type.about_emails:
        touched, names, count = _incident(tx, event, recipient)
    else:
        of = None if whole else recipient
        touched = _touched(tx, event, of) or _touched(tx, event, of, since_resumed=True)
        names, count = _people(tx, event)
    grant = _grant(tx, event)
    return event.type.notice(
        Facts(
            {
                name: isolated(value) if name in _WRITTEN_BY_PEOPLE else value
                for name, value in event.payload.items()
            },
            touched,
            mailbox_is_mine=mine,
            for_admin=admin,
            mailbox_owner=isolated(box.mailbox_owner or ""),
            mailbox_id=str(box.id or ""),
            provider=box.provider or Provider.GRAPH,
            names=[isolated(each) for each in names],
            count=count,
            bounds="" if grant is None else _bounds(grant, database_now(tx)),
            until=""
            if grant is None or grant.expires_at is None
            else moments.last_day(grant.expires_at, grant.zone, database_now(tx)),
            person="" if grant is None else isolated(grant.person or ""),
            given_by_hand=grant is None or grant.by_its_owner,
        ),
    )


def _touched(
    tx: Transaction, event: Event, recipient: UUID | None, *, since_resumed: bool = False
) -> list[TouchedSequence]:
    """Of one recipient, or of all (None): those that the event paused, or concerns, with people in them."""
    # What it has paused, whether or not it would touch it now.
    found = (
        events.paused_by(tx, event, since_resumed=since_resumed)
        if event.type.pauses
        else events.affected(tx, event)
    )
    of_sender = event.type.touches is Touches.WAITING_FOR_SENDER
    ids = [each.sequence_id for each in found if recipient in (None, each.recipient)]
    rows = _TOUCHED.all(
        tx,
        ids=ids,
        event_id=event.id,
        pauses=event.type.pauses,
        # A step that failed may have been the last one of the last person.
        of_person=event.type.names is Names.FAILED,
        of_sender=of_sender,
        # Of an absence; other kinds of events keep other things by this name.
        ends=event.payload.get("ends") if of_sender else None,
    )
    return [
        TouchedSequence(isolated(row.name), row.people, row.id, isolated(row.owner), row.authorized)
        for row in rows
    ]


def _people(tx: Transaction, event: Event) -> tuple[Sequence[str], int]:
    """The people whom an event is about: the first three names, and how many they are."""
    if event.type.names not in _PEOPLE:
        return (), 0
    rows = _PEOPLE[event.type.names].all(
        tx,
        **_values(event),
        blocked=event.payload.get("blocked_reason", BLOCKED),
        failed=event.payload.get("failed_reason"),
        notices=event.payload.get("notices", "").split(),
    )
    return [row.name for row in rows], rows[0].people if rows else 0


def _of_incident(tx: Transaction, event: Event, recipient: UUID) -> list[_Email]:
    """Return the sequence and person of each of the incident's emails that this recipient is notified of."""
    rows = _OF_INCIDENT[event.type.names].all(
        tx,
        organization_id=event.organization_id,
        incident=event.incident,
        mailbox_id=event.payload.get("mailbox_id"),
        delivery_id=event.payload.get("delivery_id"),
    )
    theirs = {each: events.recipient_for(tx, each) == recipient for each in {row.sequence_id for row in rows}}
    return [row for row in rows if theirs[row.sequence_id]]


def _incident(
    tx: Transaction, event: Event, recipient: UUID
) -> tuple[list[TouchedSequence], Sequence[str], int]:
    """Return an incident's sequences, its first people, and its number of emails."""
    rows = _of_incident(tx, event, recipient)
    emails = Counter((row.sequence, row.sequence_id) for row in rows)
    touched = [TouchedSequence(isolated(name), count, key) for (name, key), count in sorted(emails.items())]
    return touched, [row.person for row in rows[:_MAX_NAMED]], len(rows)


def _grant(tx: Transaction, event: Event) -> _Grant | None:
    if event.payload.get("grant_id") is None:
        return None
    return _GRANT.one_or_none(tx, id=UUID(event.payload["grant_id"]))


def _bounds(grant: _Grant, now: datetime) -> str:
    """Describe a grant's bounds: ``, only for A and B, at most 5 emails a day, until Thu 24 Dec``."""
    parts = []
    if grant.names is not None:
        parts.append(f"only for {', '.join(grant.names)}")
    if grant.daily_limit is not None:
        parts.append(f"at most {grant.daily_limit} {'email' if grant.daily_limit == 1 else 'emails'} a day")
    if grant.expires_at is not None:
        parts.append(f"until {moments.last_day(grant.expires_at, grant.zone, now)}")
    return "".join(f", {each}" for each in parts)


def _values(event: Event) -> dict[str, object]:
    names = ("mailbox_id", "grantee_id", "grant_id", "member_id", "sequence_id", "tenant_version")
    return {**{name: event.payload.get(name) for name in names}, "occurred_at": event.occurred_at}
