"""Who hears of an event beside the owners of its sequences, who is spared it, and the facts that their notices are made of."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, text

from db.access.authority import authorized
from db.core.session import Transaction, database_now
from db.events import events
from db.events.events import Event, affected
from db.views.attention import BLOCKED
from domain import moments
from domain.audit import ActorKind
from domain.connection import REFUSED_BY
from domain.events import NAMES_PEOPLE, PAUSING, EventKind
from domain.notice import Facts, Notice, TouchedSequence, isolated
from domain.notice_texts import write_notice

# Beside the owners of the sequences: whoever can put it right, and whoever's permission it was. Each: a query of members.
_BOX = "mailboxes b JOIN members m ON m.id = b.owner_id WHERE b.id = CAST(:mailbox_id AS uuid)"
_ADMINS = (
    "mailboxes b JOIN members m ON m.organization_id = b.organization_id AND m.role IN ('owner', 'admin')"
    " WHERE b.id = CAST(:mailbox_id AS uuid) AND b.owner_id IS NULL"
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
    EventKind.GRANT_REVOKED: (f"{_BOX} AND CAST(:grant_id AS uuid) IS NOT NULL", _GRANTEE),
    EventKind.GRANT_EXPIRED: (_GRANTEE,),
    EventKind.MAILBOX_DISCONNECTED: (_BOX, _ADMINS, _WITH_THE_MAILBOX),
    EventKind.CONNECTION_LOST: (_BOX, _ADMINS),
    EventKind.MAILBOX_RECONNECTED: (_BOX,),
    EventKind.MEMBER_DEACTIVATED: (_WITH_THE_MEMBER,),
}
# Heard of by whoever acts, too: should it not have been them, this is how they learn of it; or nobody of us has done it.
_ALWAYS_NOTIFIED = frozenset({EventKind.SENDER_ADDRESS_CHANGED, EventKind.MAILBOX_RENAMED})
_MAX_NAMED = 20  # people, in one notice
# Whose emails an incident is about, as SQL over deliveries d.
_CONCERNED = {
    EventKind.DELIVERY_IN_REVIEW: (
        "d.state = 'review' AND (d.id = CAST(:delivery_id AS uuid) OR (d.mailbox_id = CAST(:mailbox_id AS uuid)"
        " AND EXISTS (SELECT FROM events v WHERE v.organization_id = :organization_id"
        "   AND v.cause_key = 'review:' || d.id || ':' || d.attempts AND v.payload->>'incident' = :incident)))"
    ),
    EventKind.STILL_IN_DRAFTS: "d.still_draft_at IS NOT NULL AND d.mailbox_id = CAST(:mailbox_id AS uuid)",
}
# A sequence with nobody left in it is nobody's concern.
_PEOPLE_LEFT = (
    "EXISTS (SELECT FROM enrollments e WHERE e.sequence_id = s.id AND e.status IN ('active', 'paused'))"
)
# What of a payload may be written from right to left.
_WRITTEN_BY_PEOPLE = frozenset({"actor", "person", "reason", "sequence", "program"})


def also(tx: Transaction, event: Event) -> list[UUID]:
    """Active members who hear of an event whether or not a sequence of theirs is touched; not whoever did it."""
    sources = _ALSO.get(event.kind, ())
    if event.kind is EventKind.MAILBOX_RECONNECTED and event.actor not in REFUSED_BY.values():
        sources = ()  # somebody has connected it, perhaps for the first time; only what came back by itself is news
    if event.kind is EventKind.MAILBOX_DISCONNECTED and event.payload.get("reason") == "disabled":
        # Who manages a sender address hears of that by ``SENDER_ADDRESS_CHANGED``.
        sources = tuple(source for source in sources if source is not _ADMINS)
    found: list[UUID] = [] if event.recipient is None else [event.recipient]
    for source in sources:
        rows = tx.execute(text(f"SELECT DISTINCT m.id FROM {source} AND m.active"), _values(event))
        found += list(rows.scalars())
    return [each for each in dict.fromkeys(found) if not _own_act(tx, event, each)]


def concerns(tx: Transaction, event: Event, recipient: UUID) -> bool:
    """Is the event news for them: not their own act, and about a sequence with people in it, or about themselves?

    Emails have to be still what it says of them.
    """
    if event.kind in NAMES_PEOPLE:
        return bool(_of_incident(tx, event, recipient))
    if event.kind is EventKind.SENDER_AWAY:
        return bool(_touched(tx, event, recipient))
    if _own_act(tx, event, recipient):
        # Who has connected their mailbox again still has sequences to resume.
        return event.kind is EventKind.MAILBOX_RECONNECTED and bool(_touched(tx, event, recipient))
    if event.kind not in PAUSING or recipient in also(tx, event):
        return True
    return bool(_touched(tx, event, recipient))


def _own_act(tx: Transaction, event: Event, recipient: UUID) -> bool:
    if event.kind in _ALWAYS_NOTIFIED or event.actor.kind not in (ActorKind.MEMBER, ActorKind.NAME):
        return False
    # Where only a name is known and two members share it, both are notified rather than the wrong one spared.
    found: bool = tx.execute(
        text(
            "SELECT (:actor_id = m.id::text OR :actor_id = '' AND :actor = m.name AND NOT EXISTS (SELECT FROM members other"
            "   WHERE other.organization_id = m.organization_id AND other.id <> m.id AND other.name = m.name))"
            # A sequence that was started, or paused, long after it is news all the same.
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
    """Word the event for one recipient, from what it has touched so far."""
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
    whole = (mine or admin) and event.kind in (EventKind.CONNECTION_LOST, EventKind.MAILBOX_DISCONNECTED)
    if event.kind in NAMES_PEOPLE:
        touched, names, count = _incident(tx, event, recipient)
    else:
        touched = _touched(tx, event, None if whole else recipient)
        names, count = _people(tx, event)
    grant = _grant(tx, event)
    return write_notice(
        event.kind,
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
            key=event.cause_key.partition(":")[2] if event.kind is EventKind.GRANT_ASKED else "",
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


def _touched(tx: Transaction, event: Event, recipient: UUID | None) -> list[TouchedSequence]:
    """Of one recipient, or of all (None): those that the event paused, or concerns, with people in them."""
    # What it has paused, whether or not it would touch it now.
    found = events.paused_by(tx, event) if event.kind in PAUSING else affected(tx, event)
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
            "pauses": event.kind in PAUSING,
            # A step that failed may have been the last one of the last person.
            "of_person": event.kind is EventKind.DELIVERIES_FAILED,
            "of_sender": event.kind is EventKind.SENDER_AWAY,
            # Of an absence; other kinds of events keep other things by this name.
            "ends": event.payload.get("ends") if event.kind is EventKind.SENDER_AWAY else None,
        },
    ).all()
    return [
        TouchedSequence(isolated(row.name), row.people, row.id, isolated(row.owner), row.authorized)
        for row in rows
    ]


def _people(tx: Transaction, event: Event) -> tuple[Sequence[str], int]:
    """The people whom an event is about: the first three names, and how many they are."""
    kind, values = event.kind, _values(event)
    if kind is EventKind.PEOPLE_BLOCKED:
        source = (
            "enrollments e WHERE e.sequence_id = CAST(:sequence_id AS uuid) AND e.status = 'paused'"
            " AND e.reason = :blocked"
        )
    elif kind is EventKind.DELIVERIES_FAILED:
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
            **values,
            "blocked": event.payload.get("blocked_reason", BLOCKED),
            "failed": event.payload.get("failed_reason"),
        },
    ).all()
    return [row.name for row in rows], rows[0].people if rows else 0


def _of_incident(tx: Transaction, event: Event, recipient: UUID) -> Sequence[Row[tuple[object, ...]]]:
    """Each email of the incident that the recipient hears of: its sequence and its person."""
    rows = tx.execute(
        text(
            "SELECT s.id AS sequence_id, s.name AS sequence, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''),"
            "   c.email) AS person FROM deliveries d JOIN sequences s ON s.id = d.sequence_id"
            " JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id"
            f" WHERE d.organization_id = :organization_id AND {_CONCERNED[event.kind]} ORDER BY d.sent_at, d.id"
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
    """The sequences of an incident, its first people, and how many emails it is about."""
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
    """``, only for A and B, at most 5 emails a day, until Thu 24 Dec``."""
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
