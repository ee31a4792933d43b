"""What a worker holds: one delivery, everything its email is made of, and every fact that the gate asks, in one row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.access.authority import sender_of
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import Statement
from db.mailboxes.credentials import SealedToken
from db.sending.moves import Expected, Move, leased
from domain.connection import TRACEABLE
from domain.delivery import LEASE, State
from domain.names import first_name_of
from domain.person_name import full_name
from domain.preflight import Facts
from domain.recovery import History
from domain.send_window import Absence, SendWindow


@dataclass(frozen=True, slots=True)
class Content:
    """What the email is made of, as of one snapshot."""

    step_id: UUID
    position: int
    version: int
    subject: str | None
    body: str
    thread_subject: str | None
    recipient: str
    recipient_name: str
    values: Mapping[str, str]
    sender: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's hold on one delivery, valid while ``lease_token`` is the row's."""

    delivery_id: UUID
    organization_id: UUID
    enrollment_id: UUID
    sequence_id: UUID
    mailbox_id: UUID
    lease_token: UUID
    attempts: int
    failures: int
    releases: int
    first_failed_at: datetime | None
    correlation_id: str
    draft_id: str | None
    recalled_draft: str | None
    internet_message_id: str
    conversation_id: str
    send_started_at: datetime | None
    previous_correlation_id: str | None  # of the last email sent to this person, for the thread
    previous_draft_id: str | None
    previous_message_id: str | None
    references: tuple[str, ...]  # the Message-IDs of the thread that it goes on with, the oldest first
    content: Content
    facts: Facts
    token: SealedToken | None  # the mailbox's, as of the claim
    settings_at: datetime | None  # when the mailbox's settings were read last

    @property
    def held(self) -> Expected:
        """It is still this worker's."""
        return leased(self.lease_token)

    @property
    def history(self) -> History:
        """What was tried before this attempt."""
        return History(
            attempts=self.attempts,
            crashes=self.attempts - self.releases - 1,
            submitted=self.send_started_at is not None,
            draft_id=self.draft_id,
            recalled=self.recalled_draft,
            traceable=self.facts.provider in TRACEABLE,
        )


# One person's emails of one sequence, and what they have had, with its subject of then: a step may have been reworded since, and
# stand elsewhere. OFFSET 0 keeps the planner from turning these few rows, or the one lane below, into a scan of every email that
# was ever sent, or of all lanes: it did, whenever it knew its tables badly.
_THEIRS = """theirs AS (SELECT v.* FROM held d, LATERAL (SELECT * FROM deliveries WHERE enrollment_id = d.enrollment_id OFFSET 0) v),
had AS (SELECT v.correlation_id, v.draft_id, v.internet_message_id, v.mailbox_id, v.sent_at, v.still_draft_at,
  CASE WHEN y.former ? (v.authority->>'step_version') THEN y.former->(v.authority->>'step_version')->>'subject' ELSE y.subject END AS subject
  FROM theirs v JOIN steps y ON y.id = v.step_id WHERE v.state = 'sent')"""
# One row: everything the gate asks and everything the email is made of.
_FACTS = f""", {_THEIRS}
SELECT clock_timestamp() AS now, d.id AS delivery_id, d.organization_id, d.enrollment_id, d.sequence_id, d.mailbox_id,
  d.lease_token, d.attempts, d.failures, d.releases, d.first_failed_at, d.correlation_id, d.draft_id, d.recalled_draft, d.internet_message_id,
  d.conversation_id, d.send_started_at, d.due_at,
  b.address AS sender, b.status AS mailbox_status, b.status_reason, b.provider, b.scopes, b.connection_version, b.settings, b.settings_at,
  h.id AS mailbox_owner_id, h.active AS mailbox_owner_active, h.activity_version AS mailbox_owner_version,
  w.id AS owner_id, w.active AS owner_active, w.activity_version AS owner_version,
  coalesce(h.name, w.name) AS sender_name,
  s.status AS sequence_status, s.sending AS sequence_sending, s.fields AS extra_fields, o.sending AS organization_sending,
  e.status AS enrollment_status, p.reason AS suppressed,
  t.id AS step_id, t.retired_at IS NOT NULL AS step_removed, t.position, t.version, t.subject, t.body,
  c.email, c.first_name, c.last_name, c.company, c.title, c.location, c.fields,
  ((l.today + 1)::timestamp AT TIME ZONE l.zone) AS tomorrow,
  (SELECT jsonb_agg(jsonb_build_object('id', g.id, 'version', g.version, 'grantee_id', g.grantee_id,
      'expires_at', g.expires_at, 'sequence_ids', g.sequence_ids, 'daily_limit', g.daily_limit,
      'used_today', CASE WHEN g.used_on = l.today THEN g.used_today ELSE 0 END)) FROM grants g
    WHERE g.mailbox_id = b.id AND g.archived_at IS NULL AND (g.grantee_id = w.id OR g.grantee_id IS NULL)) AS grants,
  (SELECT jsonb_build_object('id', g.id, 'version', g.version, 'grantee_id', g.grantee_id) FROM grants g
    WHERE g.mailbox_id = b.id AND g.archived_at IS NOT NULL AND (g.grantee_id = w.id OR g.grantee_id IS NULL)
    ORDER BY g.archived_at DESC LIMIT 1) AS ended_grant,
  NOT EXISTS (SELECT FROM theirs v WHERE v.created_at < d.created_at AND v.state NOT IN ('sent', 'closed')) AS previous_sent,
  {{also}}, previous.correlation_id AS previous_correlation_id, previous.draft_id AS previous_draft_id,
  previous.internet_message_id AS previous_message_id, previous.mailbox_id <> d.mailbox_id AS sender_changed,
  previous.still_draft_at AS previous_still_draft,
  ARRAY(SELECT internet_message_id FROM had WHERE internet_message_id <> '' AND mailbox_id = d.mailbox_id
    AND sent_at >= coalesce((SELECT max(sent_at) FROM had WHERE subject IS NOT NULL), '-infinity') ORDER BY sent_at) AS thread_ids,
  coalesce((SELECT subject FROM had WHERE subject IS NOT NULL ORDER BY sent_at DESC LIMIT 1),
    (SELECT x.subject FROM steps x WHERE x.sequence_id = t.sequence_id AND x.position < t.position
      AND x.subject IS NOT NULL AND x.retired_at IS NULL ORDER BY x.position DESC LIMIT 1)) AS thread_subject
FROM held d
JOIN enrollments e ON e.id = d.enrollment_id
JOIN candidates c ON c.id = e.candidate_id
JOIN sequences s ON s.id = d.sequence_id
JOIN steps t ON t.id = d.step_id
JOIN mailboxes b ON b.id = d.mailbox_id
JOIN LATERAL (SELECT zone, (clock_timestamp() AT TIME ZONE zone)::date AS today FROM lanes
  WHERE mailbox_id = d.mailbox_id OFFSET 0) l ON true
LEFT JOIN members h ON h.id = b.owner_id
JOIN members w ON w.id = s.owner_id
JOIN organizations o ON o.id = d.organization_id
LEFT JOIN (SELECT * FROM had ORDER BY sent_at DESC LIMIT 1) previous ON true
LEFT JOIN suppressions p ON p.organization_id = d.organization_id AND p.email = c.email
"""
_TAKE = Move(State.PREPARING, State.QUEUED)
_CLAIM = Statement(
    f"WITH held AS (UPDATE deliveries SET {_TAKE.set}, lease_token = :token,"
    "   lease_until = clock_timestamp() + :lease, attempts = attempts + 1, correlation_id = coalesce(correlation_id, :correlation_id)"
    f"   WHERE id = :id AND {_TAKE.by_key()} AND dispatch_no = :dispatch_no RETURNING *)"
    + _FACTS.format(also="k.access_token, k.access_expires_at")
    + " LEFT JOIN credentials k ON k.mailbox_id = d.mailbox_id AND k.refresh_token IS NOT NULL"
)
_LOAD = Statement(
    "WITH held AS (SELECT * FROM deliveries WHERE id = :id AND lease_token = :token)"
    + _FACTS.format(also="NULL::bytea AS access_token, NULL::timestamptz AS access_expires_at")
)


def take_claim(tx: Transaction, delivery_id: UUID, dispatch_no: int, correlation_id: str) -> Claim | None:
    """C1: take a queued delivery, counting the attempt before any work. None: a late or repeated message, or junk."""
    row = _CLAIM.one_or_none(
        tx,
        id=delivery_id,
        dispatch_no=dispatch_no,
        token=new_id(),
        lease=LEASE,
        correlation_id=correlation_id,
    )
    return None if row is None else _claim(row)


def load_claim(tx: Transaction, delivery_id: UUID, lease_token: UUID) -> Claim | None:
    """Read a held delivery afresh, in a new snapshot. None: the lease is lost."""
    row = _LOAD.one_or_none(tx, id=delivery_id, token=lease_token)
    return None if row is None else _claim(row)


def _claim(row: Any) -> Claim:
    return Claim(
        delivery_id=row.delivery_id,
        organization_id=row.organization_id,
        enrollment_id=row.enrollment_id,
        sequence_id=row.sequence_id,
        mailbox_id=row.mailbox_id,
        lease_token=row.lease_token,
        attempts=row.attempts,
        failures=row.failures,
        releases=row.releases,
        first_failed_at=row.first_failed_at,
        correlation_id=row.correlation_id,
        draft_id=row.draft_id,
        recalled_draft=row.recalled_draft,
        internet_message_id=row.internet_message_id or "",
        conversation_id=row.conversation_id or "",
        send_started_at=row.send_started_at,
        previous_correlation_id=row.previous_correlation_id,
        previous_draft_id=row.previous_draft_id,
        previous_message_id=row.previous_message_id,
        references=tuple(row.thread_ids),
        content=content_of(row),
        facts=_facts(row),
        token=_token(row),
        settings_at=row.settings_at,
    )


def _token(row: Any) -> SealedToken | None:
    if row.access_token is None or row.access_expires_at is None:
        return None
    return SealedToken(row.organization_id, row.access_token, row.access_expires_at, row.now)


def content_of(row: Any) -> Content:
    """What an email is made of. ``row``: the step, the candidate and the sender, as ``_FACTS`` names them."""
    first, last = row.first_name, row.last_name
    values = {
        **{name: row.fields.get(name, "") for name in row.extra_fields},
        "first_name": first,
        "last_name": last,
        "full_name": full_name(first, last),
        "email": row.email,
        "company": row.company,
        "title": row.title,
        "location": row.location,
        "sender_name": row.sender_name,
        "sender_first_name": first_name_of(row.sender_name),
        "sender_email": row.sender,
    }
    return Content(
        step_id=row.step_id,
        position=row.position,
        version=row.version,
        # From another mailbox than their last email: a thread of its own, which does not pretend to be the old one.
        subject=row.thread_subject if row.subject is None and row.sender_changed else row.subject,
        body=row.body,
        thread_subject=row.thread_subject,
        recipient=row.email,
        recipient_name=values["full_name"],
        values=values,
        sender=row.sender,
    )


def _facts(row: Any) -> Facts:
    settings = row.settings or {}
    windows = [row.organization_sending, row.sequence_sending, settings.get("window")]
    return Facts(
        **sender_of(row),
        sequence_status=row.sequence_status,
        enrollment_status=row.enrollment_status,
        step_removed=row.step_removed,
        suppressed=row.suppressed,
        tomorrow=row.tomorrow,
        previous_sent=row.previous_sent,
        previous_still_draft=row.previous_still_draft is not None,
        due_at=row.due_at,
        windows=[SendWindow.from_json(window) for window in windows if window],
        absences=[Absence.from_json(absence) for absence in settings.get("absences", [])],
    )
