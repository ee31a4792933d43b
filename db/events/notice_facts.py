"""Who besides the sequences' owners is notified of an event, who is not, and the facts for their notices."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, text

from db.access.authority import authorized
from db.core.session import Transaction, database_now
from db.events import events
from db.events.events import Event
from db.views.attention import BLOCKED
from domain import moments
from domain.audit import ActorKind
from domain.connection import REFUSED_BY
from domain.event_types import Also, Names, News, Touches
from domain.notice import Facts, Notice, TouchedSequence, isolated

# Queries for additional recipients: members who can fix the cause, and grantees who lost a permission.
_BOX = "mailboxes b JOIN members m ON m.id = b.owner_id WHERE b.id = CAST(:mailbox_id AS uuid)"
_ADMINS = (
    "mailboxes b JOIN members m ON m.organization_id = b.organization_id AND m.role IN ('owner', 'admin')"
    " WHERE b.id = CAST(:mailbox_id AS uuid) AND b.owner_id IS NULL"
    # Of one that is disabled they hear as of every change to a sender address.
    " AND CAST(:reason AS text) IS DISTINCT FROM 'disabled'"
)
_GRANTEE = "members m WHERE m.id = CAST(:grantee_id AS uuid) AND CAST(:grant_id AS uuid) IS NOT NULL"
_WITH_THE_MAILBOX = (
    "grants g JOIN members m ON m.id = g.grantee_id WHERE g.mailbox_id = CAST(:mailbox_id AS uuid)"
    " AND g.archived_reason = 'mailbox_disconnected'"
    " AND g.archived_at BETWEEN CAST(:occurred_at AS timestamptz) - interval '1 minute'"
    "   AND CAST(:occurred_at AS timestamptz) + interval '1 minute'"
)
_WITH_THE_MEMBER = (
    "grants g JOIN members m ON m.id = g.grantee_id WHERE g.mailbox_owner_id = CAST(:member_id AS uuid)"
    " AND g.archived_reason = 'member_deactivated'"
)
_ALSO = {
    Also.MAILBOX_OWNER: _BOX,
    Also.MAILBOX_OWNER_OF_GRANT: f"{_BOX} AND CAST(:grant_id AS uuid) IS NOT NULL",
    Also.MAILBOX_OWNER_IF_BY_ITSELF: f"{_BOX} AND :by_itself",
    Also.ADMINS_OF_SENDER_ADDRESS: _ADMINS,
    Also.GRANTEE: _GRANTEE,
    Also.GRANTEES_OF_MAILBOX: _WITH_THE_MAILBOX,
    Also.GRANTEES_OF_MEMBER: _WITH_THE_MEMBER,
}
_MAX_NAMED = 20  # people, in one notice
# Whose emails an incident is about, as SQL over deliveries d.
_CONCERNED = {
    Names.IN_REVIEW: (
        "d.state = 'review' AND (d.id = CAST(:delivery_id AS uuid) OR (d.mailbox_id = CAST(:mailbox_id AS uuid)"
        " AND EXISTS (SELECT FROM events v WHERE v.organization_id = :organization_id"
        "   AND v.cause_key = 'review:' || d.id || ':' || d.attempts AND v.payload->>'incident' = :incident)))"
    ),
    Names.IN_DRAFTS: "d.still_draft_at IS NOT NULL AND d.mailbox_id = CAST(:mailbox_id AS uuid)",
}
# A sequence without open enrollments needs no notice.
_PEOPLE_LEFT = (
    "EXISTS (SELECT FROM enrollments e WHERE e.sequence_id = s.id AND e.status IN ('active', 'paused'))"
)
# Payload fields that may contain right-to-left text.
_WRITTEN_BY_PEOPLE = frozenset({"actor", "person", "reason", "sequence", "program"})


def also(tx: Transaction, event: Event) -> list[UUID]:
    """Active members who hear of an event whether or not a sequence of theirs is touched; not whoever did it."""
    found: list[UUID] = [] if event.recipient is None else [event.recipient]
    values = {
        **_values(event),
        "reason": event.payload.get("reason"),
        "by_itself": event.actor in REFUSED_BY.values(),
    }
    for each in event.type.also:
        rows = tx.execute(text(f"SELECT DISTINCT m.id FROM {_ALSO[each]} AND m.active"), values)
        found += list(rows.scalars())
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
    found: bool = tx.execute(
        text(
            "SELECT (:actor_id = m.id::text OR :actor_id = '' AND :actor = m.name AND NOT EXISTS (SELECT FROM members other"
            "   WHERE other.organization_id = m.organization_id AND other.id <> m.id AND other.name = m.name))"
            # A sequence that started or paused long after the event is news even to the actor.
            " AND NOT EXISTS (SELECT FROM pauses p JOIN sequences s ON s.id = p.sequence_id WHERE p.event_id = :event_id"
            "   AND s.owner_id = m.id AND (s.created_at > :occurred_at OR p.created_at > :occurred_at + interval '10 minutes'))"
            " FROM members m WHERE m.id = :id"
        ),
        {
            "id": recipient,
            "actor": event.actor.name,
            "actor_id": event.actor.id,
            "event_id": event.id,
            "occurred_at": event.occurred_at,
        },
    ).scalar_one()
    return found


def word(tx: Transaction, event: Event, recipient: UUID) -> Notice:
    """Write the event's notice for one recipient, from what it has affected so far."""
    box = tx.execute(
        text(
            "SELECT b.owner_id, b.id, h.name AS mailbox_owner, m.role IN ('owner', 'admin') AS manages, o.time_zone FROM members m"
            " JOIN organizations o ON o.id = m.organization_id"
            " LEFT JOIN mailboxes b ON b.organization_id = o.id"
            "   AND (b.id = CAST(:mailbox_id AS uuid) OR (CAST(:mailbox_id AS uuid) IS NULL AND b.address = :mailbox))"
            " LEFT JOIN members h ON h.id = b.owner_id WHERE m.id = :recipient"
        ),
        {**_values(event), "recipient": recipient, "mailbox": event.payload.get("mailbox")},
    ).one()
    mine = box.owner_id == recipient
    admin = box.id is not None and box.owner_id is None and box.manages
    whole = (mine or admin) and event.type.touches is Touches.MAILBOX
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
    rows = tx.execute(
        text(
            "SELECT s.id, s.name, w.name AS owner, s.owner_id = b.owner_id OR b.owner_id IS NULL OR"
            f"   {authorized()} AS authorized,"
            " coalesce(p.people, (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id"
            "   AND d.state IN ('pending', 'queued', 'preparing', 'drafted') AND (NOT :of_sender OR NOT d.held"
            "   AND d.due_at <= coalesce(CAST(:ends AS timestamptz), clock_timestamp() + interval '1 day')))) AS people"
            " FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id JOIN members w ON w.id = s.owner_id"
            " LEFT JOIN pauses p ON p.sequence_id = s.id AND p.event_id = :event_id"
            " WHERE s.id = ANY(:ids) AND (NOT :pauses OR p.id IS NOT NULL)"
            f" AND (:of_person OR {_PEOPLE_LEFT}) ORDER BY lower(s.name), s.id"
        ),
        {
            "ids": ids,
            "event_id": event.id,
            "pauses": event.type.pauses,
            # A step that failed may have been the last one of the last person.
            "of_person": event.type.names is Names.FAILED,
            "of_sender": of_sender,
            # Of an absence; other kinds of events keep other things by this name.
            "ends": event.payload.get("ends") if of_sender else None,
        },
    ).all()
    return [
        TouchedSequence(isolated(row.name), row.people, row.id, isolated(row.owner), row.authorized)
        for row in rows
    ]


def _people(tx: Transaction, event: Event) -> tuple[Sequence[str], int]:
    """The people whom an event is about: the first three names, and how many they are."""
    if event.type.names is Names.BLOCKED:
        source = (
            "enrollments e WHERE e.sequence_id = CAST(:sequence_id AS uuid) AND e.status = 'paused'"
            " AND e.reason = :blocked"
        )
    elif event.type.names is Names.FAILED:
        source = (
            "deliveries d JOIN enrollments e ON e.id = d.enrollment_id WHERE d.sequence_id = CAST(:sequence_id AS uuid)"
            " AND d.state = 'closed' AND d.outcome = 'failed' AND d.reason = :failed"
        )
    else:
        return (), 0
    rows = tx.execute(
        text(
            "SELECT coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS name, n.people FROM"
            f" (SELECT e.candidate_id, count(*) OVER () AS people FROM {source}) n JOIN candidates c ON c.id = n.candidate_id"
            " ORDER BY lower(c.last_name), c.email LIMIT 3"
        ),
        {
            **_values(event),
            "blocked": event.payload.get("blocked_reason", BLOCKED),
            "failed": event.payload.get("failed_reason"),
        },
    ).all()
    return [row.name for row in rows], rows[0].people if rows else 0


def _of_incident(tx: Transaction, event: Event, recipient: UUID) -> Sequence[Row[tuple[object, ...]]]:
    """Return the sequence and person of each of the incident's emails that this recipient is notified of."""
    rows = tx.execute(
        text(
            "SELECT s.id AS sequence_id, s.name AS sequence, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''),"
            "   c.email) AS person FROM deliveries d JOIN sequences s ON s.id = d.sequence_id"
            " JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id"
            f" WHERE d.organization_id = :organization_id AND {_CONCERNED[event.type.names]} ORDER BY d.sent_at, d.id"
        ),
        {
            "organization_id": event.organization_id,
            "incident": event.incident,
            "mailbox_id": event.payload.get("mailbox_id"),
            "delivery_id": event.payload.get("delivery_id"),
        },
    ).all()
    theirs = {each: events.recipient_for(tx, each) == recipient for each in {row.sequence_id for row in rows}}
    return [row for row in rows if theirs[row.sequence_id]]


def _incident(
    tx: Transaction, event: Event, recipient: UUID
) -> tuple[list[TouchedSequence], Sequence[str], int]:
    """Return an incident's sequences, its first people, and its number of emails."""
    rows = _of_incident(tx, event, recipient)
    emails = Counter((str(row.sequence), row.sequence_id) for row in rows)
    touched = [TouchedSequence(isolated(name), count, key) for (name, key), count in sorted(emails.items())]
    return touched, [row.person for row in rows[:_MAX_NAMED]], len(rows)


def _grant(tx: Transaction, event: Event) -> Row[tuple[object, ...]] | None:
    if event.payload.get("grant_id") is None:
        return None
    return tx.execute(
        text(
            "SELECT g.expires_at, g.daily_limit, l.zone, p.name AS person, g.given_by_kind = 'member' AS by_its_owner,"
            " (SELECT array_agg(s.name ORDER BY s.name) FROM sequences s WHERE s.id = ANY(g.sequence_ids)) AS names"
            " FROM grants g JOIN lanes l ON l.mailbox_id = g.mailbox_id LEFT JOIN members p ON p.id = g.grantee_id WHERE g.id = :id"
        ),
        {"id": UUID(event.payload["grant_id"])},
    ).one_or_none()


def _bounds(grant: Row[tuple[object, ...]], now: object) -> str:
    """Describe a grant's bounds: ``, only for A and B, at most 5 emails a day, until Thu 24 Dec``."""
    parts = []
    if grant.names is not None:
        parts.append(f"only for {', '.join(grant.names)}")
    if grant.daily_limit is not None:
        parts.append(f"at most {grant.daily_limit} {'email' if grant.daily_limit == 1 else 'emails'} a day")
    if grant.expires_at is not None:
        parts.append(f"until {moments.last_day(grant.expires_at, grant.zone, now)}")  # type: ignore[arg-type]
    return "".join(f", {each}" for each in parts)


def _values(event: Event) -> dict[str, object]:
    names = ("mailbox_id", "grantee_id", "grant_id", "member_id", "sequence_id")
    return {**{name: event.payload.get(name) for name in names}, "occurred_at": event.occurred_at}
