"""The judge's evidence: emails that recipients got, calls that callers made, and the product's own records."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.audit import audit, audit_chain
from db.core.session import Database
from domain.audit import Keys
from lab.drills.company import Company
from lab.drills.heard import Heard, gather_heard
from lab.drills.journal import Call
from lab.emulator.client import EmulatorControl
from lab.emulator.world import LedgerEntry

_STEP = re.compile(r"this is step (\d+)(?: of sequence (\d+))?")
OPEN = ("pending", "queued", "preparing", "drafted", "sending", "in_doubt")


@dataclass(frozen=True, slots=True)
class Email:
    """One email as a recipient got it. ``accepted_at``: monotonic; when the provider accepted it."""

    recipient: str
    step: int
    accepted_at: float
    mailbox: str
    sender: str
    correlation_id: str
    item: str
    sequence: int = 0  # as its text says; 0: it does not

    @property
    def key(self) -> tuple[str, int, int]:
        """What a recipient knows it by: the recipient, the sequence, the step."""
        return self.recipient, self.sequence, self.step


@dataclass(frozen=True, slots=True)
class Delivery:
    """One step for one person, as the product records it. ``keys``: everything that can forbid it."""

    id: str
    recipient: str
    step: int
    delay: float  # seconds after the previous step
    state: str
    outcome: str | None
    reason: str | None
    held: bool
    active: bool  # sequence, enrollment and lane allow it to continue
    correlation_id: str | None
    mailbox: str
    keys: tuple[str, ...]
    receipts: int
    submitted: bool  # it passed the gate at least once
    searched_for: bool  # it may have left, and its grace is not over
    due_at: datetime
    still_draft: bool = False  # accepted, but still in Drafts minutes later
    unchecked: bool = False  # accepted, but its mailbox was closed before a check
    behind_a_draft: bool = False  # the previous email has not left Drafts
    sequence: int = 0
    passed_at: datetime | None = None  # when it passed the gate last, on the database's clock
    put_off: bool = False  # until a later day, by what was heard of the person
    no_answer_as_of: datetime | None = None  # what its receipt says


@dataclass(frozen=True, slots=True)
class Notified:
    """One cause and one recipient: pauses of the recipient's sequences, in-app notices, emailed notices."""

    cause: str
    kind: str
    recipient: str
    pauses: int
    in_app: int
    by_mail: int
    standing: int = 0  # pauses that nobody has ended, with people left to email
    mailed: int = 0  # emails that the mail service accepted, as the product records it
    in_doubt: int = 0  # emails that it may have accepted


@dataclass(slots=True)
class Evidence:
    """Everything about one company, gathered after all work has had time to finish."""

    emails: list[Email]
    deliveries: list[Delivery]
    notified: list[Notified]
    mails: list[LedgerEntry]
    calls: Sequence[Call]
    violations: list[str]
    chain_breaks_at: int | None
    broken_receipts: int
    audited_as_sent: int
    stored_tokens: list[str]  # addresses of disconnected mailboxes that still have a stored token or password
    parked_jobs: int
    recipients: dict[str, str]  # forbidden key -> who must be notified
    forgotten: list[str]  # enrolled people without a planned step
    leaked: dict[str, int] = field(default_factory=dict)
    mailbox_owners: dict[str, str] = field(default_factory=dict)  # forbidden key -> the owner of its mailbox
    by_key: dict[tuple[str, int, int], Delivery] = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)


def gather(
    database: Database,
    keys: Keys,
    emulator: EmulatorControl,
    company: Company,
    calls: Sequence[Call],
    *,
    settled: bool = True,
) -> Evidence:
    """Gather all evidence. Waits up to 15 s until the audit trail is sealed, unless work goes on anyway (``settled``)."""
    ours = {desk.address for desk in company.desks}
    recipients = {each for desk in company.desks for each in (desk.owner_email, desk.mailbox_owner_email)}
    ledger = emulator.ledger()
    mails = [entry for entry in ledger if entry.via not in ("graph", "gmail") and recipients & set(entry.to)]
    emails = [_email(entry) for entry in ledger if entry.mailbox in ours and entry not in mails]
    if settled:
        _wait_for_seals(database, company.id)
    with database.transaction() as tx:

        def rows(statement: str) -> list[Any]:
            return list(tx.execute(text(statement), {"id": company.id}).all())

        deliveries = [_delivery(row) for row in rows(_DELIVERIES)]
        notified = [Notified(*row) for row in rows(_NOTIFIED)]
        stored = [row.address for row in rows(_STORED_TOKENS)]
        forgotten = [row.email for row in rows(_FORGOTTEN)]
        leaked = {row.what: row.count for row in rows(_LEAKED)}
        sent = rows(
            "SELECT count(*) FROM audit_entries WHERE organization_id = :id AND action = 'email_sent'"
        )
        parked = rows(
            "SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL AND CAST(:id AS uuid) IS NOT NULL"
        )
        breaks = audit_chain.verify(tx, keys, company.id).broken_at
        broken = audit.broken_receipts(tx, company.id)
        heard = gather_heard(tx, emulator, company.id, ours)
    domain = f"@{company.desks[0].address.partition('@')[2]}:"
    return Evidence(
        emails=sorted(emails, key=lambda each: each.accepted_at),
        deliveries=deliveries,
        notified=notified,
        mails=mails,
        calls=calls,
        violations=[line for line in emulator.stats()["violations"] if domain in line],
        chain_breaks_at=breaks,
        broken_receipts=broken,
        audited_as_sent=sent[0][0],
        stored_tokens=stored,
        parked_jobs=parked[0][0],
        recipients={key: desk.owner_email for desk in company.desks for key in desk.keys},
        forgotten=forgotten,
        leaked=leaked,
        mailbox_owners={key: desk.mailbox_owner_email for desk in company.desks for key in desk.keys[:2]},
        by_key={(each.recipient, each.sequence, each.step): each for each in deliveries},
        heard=heard,
    )


def _email(entry: LedgerEntry) -> Email:
    step = _STEP.search(entry.body)
    recipient = entry.to[0] if entry.to else ""
    return Email(
        recipient,
        int(step[1]) if step else 0,
        entry.accepted_at,
        entry.mailbox,
        entry.sender,
        entry.correlation_id,
        entry.item,
        int(step[2] or 0) if step else 0,
    )


def _delivery(row: Any) -> Delivery:
    keys = (
        f"mailbox:{row.mailbox_id}",
        f"grant:{row.mailbox_id}",
        f"sequence:{row.sequence_id}",
        f"enrollment:{row.enrollment_id}",
        f"candidate:{row.candidate_id}",
        f"hold:{row.mailbox_id}",  # apart from the mailbox's own: a hold pauses nothing and notifies as news
        f"hold:{row.organization_id}",
    )
    return Delivery(
        str(row.id),
        row.email,
        row.position,
        0.0 if row.position == 1 else float(re.sub(r"\D", "", row.delay) or 0),
        row.state,
        row.outcome,
        row.reason,
        row.held,
        row.active,
        row.correlation_id,
        row.address,
        keys,
        row.receipts,
        row.submitted,
        row.searched_for,
        row.due_at,
        row.still_draft,
        row.unchecked,
        row.behind_a_draft,
        int(row.sequence or 0),
        row.passed_at,
        row.put_off,
        row.no_answer_as_of,
    )


def _wait_for_seals(database: Database, organization_id: UUID) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        with database.transaction() as tx:
            if audit.unsealed(tx, organization_id) == 0:
                return
        time.sleep(0.2)


_DELIVERIES = """
SELECT d.id, c.email, t.position, t.delay, d.state, d.outcome, d.reason, d.held, d.correlation_id, b.address, d.due_at,
  d.organization_id, d.mailbox_id, d.sequence_id, d.enrollment_id, e.candidate_id, d.send_started_at IS NOT NULL AS submitted,
  (d.state = 'in_doubt' AND d.grace_until > clock_timestamp()) AS searched_for,
  (s.status = 'active' AND e.status = 'active' AND l.open) AS active, d.still_draft_at IS NOT NULL AS still_draft,
  (d.left_check_at IS NOT NULL AND d.still_draft_at IS NULL AND NOT l.open) AS unchecked,
  EXISTS (SELECT FROM deliveries p WHERE p.enrollment_id = d.enrollment_id AND p.still_draft_at IS NOT NULL) AS behind_a_draft,
  substring(t.body FROM 'of sequence (\\d+)') AS sequence, d.send_started_at AS passed_at,
  (d.state = 'pending' AND d.due_at > clock_timestamp() + interval '1 minute' AND (c.away_until > clock_timestamp()
    OR c.unclear_until > clock_timestamp() OR EXISTS (SELECT FROM incoming_messages i WHERE i.enrollment_id = e.id
      AND i.bounce_class = 'soft'))) AS put_off,
  (SELECT CAST(min(substring(c.value->>'detail' FROM '^no answer as of (.*)')) AS timestamptz)
    FROM receipts r, jsonb_array_elements(r.checks) c WHERE r.delivery_id = d.id AND c.value->>'check' = 'answers') AS no_answer_as_of,
  (SELECT count(*) FROM receipts r WHERE r.delivery_id = d.id) AS receipts
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id JOIN mailboxes b ON b.id = d.mailbox_id
JOIN lanes l ON l.mailbox_id = d.mailbox_id
WHERE d.organization_id = :id
"""

# Each cause that paused something or notified somebody of a pause: the owners of what it paused, and who was notified.
_NOTIFIED = """
SELECT coalesce(p.cause_key, n.cause_key),
  coalesce((SELECT v.kind FROM events v WHERE v.organization_id = :id AND v.cause_key = coalesce(p.cause_key, n.cause_key)), n.kind),
  coalesce(p.recipient, n.recipient), coalesce(p.pauses, 0), coalesce(n.in_app, 0), coalesce(n.by_mail, 0),
  coalesce(p.standing, 0), coalesce(n.mailed, 0), coalesce(n.in_doubt, 0)
FROM (SELECT p.cause_key, m.email AS recipient, count(*) AS pauses,
    count(*) FILTER (WHERE p.resumed_at IS NULL AND EXISTS (SELECT FROM enrollments e
      WHERE e.sequence_id = s.id AND e.status IN ('active', 'paused'))) AS standing
  FROM pauses p JOIN sequences s ON s.id = p.sequence_id JOIN members m ON m.id = s.owner_id WHERE p.organization_id = :id GROUP BY 1, 2) p
FULL JOIN (SELECT n.cause_key, m.email AS recipient, count(*) FILTER (WHERE n.channel = 'in_app') AS in_app,
  count(*) FILTER (WHERE n.channel = 'email') AS by_mail, count(*) FILTER (WHERE n.mail_state = 'sent') AS mailed,
  count(*) FILTER (WHERE n.mail_state = 'unknown') AS in_doubt, max(x.kind) AS kind
  FROM notices n JOIN events x ON x.id = n.event_id JOIN members m ON m.id = n.owner_id
  WHERE n.organization_id = :id GROUP BY 1, 2) n ON n.cause_key = p.cause_key AND n.recipient = p.recipient
"""

_FORGOTTEN = """
SELECT c.email FROM enrollments e JOIN candidates c ON c.id = e.candidate_id
WHERE e.organization_id = :id AND e.status IN ('active', 'paused') AND NOT EXISTS (SELECT FROM deliveries d
  WHERE d.enrollment_id = e.id AND d.state NOT IN ('sent', 'closed'))
"""

# Settings of a mail server that somebody saves after the removal wait, with their password, for their test.
_STORED_TOKENS = """
SELECT b.address FROM mailboxes b LEFT JOIN credentials c ON c.mailbox_id = b.id
LEFT JOIN smtp_settings s ON s.mailbox_id = b.id AND s.provider = 'smtp'
WHERE b.organization_id = :id AND b.status = 'disconnected' AND b.status_reason = 'removed'
  AND (c.access_token IS NOT NULL OR c.refresh_token IS NOT NULL
    OR (s.password IS NOT NULL AND s.updated_at < b.disconnected_at))
"""

_LEAKED = """
SELECT 'leases' AS what, count(*) FROM deliveries WHERE organization_id = :id AND state IN ('preparing', 'drafted', 'sending')
UNION ALL SELECT 'transactions left open', count(*) FROM pg_stat_activity WHERE datname = current_database()
  AND state LIKE 'idle in transaction%' AND clock_timestamp() - state_change > interval '20 seconds'
UNION ALL SELECT 'jobs not done', count(*) FROM outbox WHERE done_at IS NULL AND parked_at IS NULL
  AND available_at < clock_timestamp() - interval '20 seconds'
UNION ALL SELECT 'jobs that count as done and nobody did', count(*) FROM outbox o WHERE done_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM inbox i WHERE i.outbox_id = o.id)
"""
