"""A worker's claim: one delivery, everything its email consists of, and every fact the gate checks, in one row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.access.authority import sender_of
from db.core.ids import new_id
from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.listening.answers import heard_of
from db.mailboxes.credentials import SealedToken
from db.sending import by_hand
from db.sending.by_hand import Answers
from db.sending.content import Content, content_of, mark_of
from db.sending.holds import read_hold
from db.sending.moves import Expected, Move, leased
from domain.approval import Approval, StepKind
from domain.connection import TRACEABLE
from domain.delivery import LEASE, State
from domain.errors import NotFound
from domain.handover import HandedOver
from domain.preflight import Facts, Heard
from domain.recovery import History
from domain.send_window import Absence, SendWindow


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's claim on a delivery, valid while the row has its ``lease_token``."""

    delivery_id: UUID
    organization_id: UUID
    enrollment_id: UUID
    candidate_id: UUID
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
    previous_correlation_id: str | None  # of the last email sent to this person, to thread with
    previous_draft_id: str | None
    previous_message_id: str | None
    previous_conversation_id: str | None
    previous_left: bool  # it is known to have left Drafts
    references: tuple[str, ...]  # Message-IDs of the thread that this email continues, oldest first
    answers: Answers | None  # of an email written by hand
    content: Content
    facts: Facts
    token: SealedToken | None  # the mailbox's, as of the claim
    settings_at: datetime | None  # when we last read the mailbox's settings
    unread: Sequence[UUID]  # mailboxes to read before this follow-up

    @property
    def held(self) -> Expected:
        """The condition that the delivery is still this worker's."""
        return leased(self.lease_token)

    @property
    def history(self) -> History:
        """What earlier attempts did."""
        return History(
            attempts=self.attempts,
            crashes=self.attempts - self.releases - 1,
            submitted=self.send_started_at is not None,
            draft_id=self.draft_id,
            recalled=self.recalled_draft,
            traceable=self.facts.provider in TRACEABLE,
        )


class _Row(NamedTuple):
    """A row of ``facts``: 70 columns for each email, and a named tuple of them costs least."""

    now: datetime
    delivery_id: UUID
    organization_id: UUID
    enrollment_id: UUID
    candidate_id: UUID
    sequence_id: UUID
    mailbox_id: UUID
    lease_token: UUID | None  # None: nobody has claimed it
    attempts: int
    failures: int
    releases: int
    first_failed_at: datetime | None
    correlation_id: str | None
    draft_id: str | None
    recalled_draft: str | None
    internet_message_id: str | None
    conversation_id: str | None
    send_started_at: datetime | None
    due_at: datetime
    not_before: datetime | None
    own_text: bool
    approval: Json | None
    sender: str
    mailbox_status: str
    status_reason: str | None
    provider: str
    scopes: list[str]
    connection_version: int
    tenant_wide: Json | None
    settings: Json | None
    settings_at: datetime | None
    mailbox_owner_id: UUID | None
    mailbox_owner_active: bool | None
    mailbox_owner_version: int | None
    owner_id: UUID
    owner_active: bool
    owner_version: int
    sender_name: str
    signature: str
    signature_version: int
    with_signature: bool
    sequence_status: str
    sequence_sending: Json | None
    kind: str
    extra_fields: list[str]
    opt_out_line: str | None
    organization_sending: Json | None
    handed_over: Json | None
    sequence_mailbox_id: UUID
    enrollment_status: str
    suppressed: str | None
    hold: Json | None
    step_id: UUID
    step_kind: str
    step_removed: bool
    position: int
    version: int
    subject: str | None
    body: str
    away_until: datetime | None
    unclear_until: datetime | None
    email: str
    first_name: str
    last_name: str
    company: str
    title: str
    location: str
    fields: Json
    tomorrow: datetime
    grants: list[Json] | None
    ended_grant: Json | None
    previous_sent: bool
    access_token: bytes | None
    access_expires_at: datetime | None
    previous_correlation_id: str | None
    previous_draft_id: str | None
    previous_message_id: str | None
    sender_changed: bool | None
    still_draft_at: datetime | None
    left_check_at: datetime | None
    previous_thread: str | None
    thread_ids: list[str]
    thread_subject: str | None


_SQL = SqlFile(__name__)
_TAKE = Move(State.PREPARING, State.QUEUED)
_CLAIM = _SQL.statement(
    "claim", _Row, take=_TAKE.set, queued=_TAKE.by_key(), access="k.access_token, k.access_expires_at"
)
_NO_SECRETS = "NULL::bytea AS access_token, NULL::timestamptz AS access_expires_at"
_LOAD = _SQL.statement("load", _Row, access=_NO_SECRETS)
_PRESENT = _SQL.statement("present", _Row, access=_NO_SECRETS)


def take_claim(tx: Transaction, delivery_id: UUID, dispatch_no: int, correlation_id: str) -> Claim | None:
    """C1: claim a queued delivery. Counts the attempt before any work. Returns None for a late, repeated or bogus message."""
    row = _CLAIM.one_or_none(
        tx,
        id=delivery_id,
        dispatch_no=dispatch_no,
        token=new_id(),
        lease=LEASE,
        correlation_id=correlation_id,
    )
    return None if row is None else _claim(tx, row)


def load_claim(tx: Transaction, delivery_id: UUID, lease_token: UUID) -> Claim | None:
    """Read a claimed delivery again, in a new snapshot. Returns None if we lost the lease."""
    row = _LOAD.one_or_none(tx, id=delivery_id, token=lease_token)
    return None if row is None else _claim(tx, row)


def present(tx: Transaction, delivery_id: UUID) -> tuple[Content, Facts]:
    """Return what an email that nobody has claimed would consist of now, and what the gate would decide by, apart from answers. Raises ``NotFound``."""
    row = _PRESENT.one_or_none(tx, id=delivery_id)
    if row is None:
        raise NotFound("There is no such email.")
    content = content_of(row, row.opt_out_line, row.handed_over)
    return replace(content, own_text=row.own_text), _facts(row, None, content)


def _claim(tx: Transaction, row: _Row) -> Claim:
    if row.lease_token is None or row.correlation_id is None:
        raise ValueError("nobody has claimed this delivery")
    # Only where an email of ours may have been answered.
    heard, unread = (None, ()) if row.previous_correlation_id is None else heard_of(tx, row.enrollment_id)
    content = replace(content_of(row, row.opt_out_line, row.handed_over), own_text=row.own_text)
    return Claim(
        delivery_id=row.delivery_id,
        organization_id=row.organization_id,
        enrollment_id=row.enrollment_id,
        candidate_id=row.candidate_id,
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
        previous_conversation_id=row.previous_thread,
        previous_left=row.left_check_at is None,
        references=tuple(row.thread_ids),
        answers=by_hand.answers(tx, row.sequence_id) if row.kind == by_hand.KIND else None,
        content=content,
        facts=_facts(row, heard, content),
        unread=unread,
        token=_token(row),
        settings_at=row.settings_at,
    )


def _token(row: _Row) -> SealedToken | None:
    if row.access_token is None or row.access_expires_at is None:
        return None
    return SealedToken(row.organization_id, row.access_token, row.access_expires_at, row.now)


def _facts(row: _Row, heard: Heard | None, content: Content) -> Facts:
    settings = row.settings or {}
    needs_approval = row.step_kind == StepKind.APPROVAL
    sender = sender_of(row)
    bound = needs_approval or any(each.waits_for_first for each in sender["grants"])
    windows = [row.organization_sending, row.sequence_sending, settings.get("window")]
    return Facts(
        **sender,
        sequence_status=row.sequence_status,
        enrollment_status=row.enrollment_status,
        handed_over=None if row.handed_over is None else HandedOver.from_json(row.handed_over),
        moved=row.handed_over is not None and row.sequence_mailbox_id != row.mailbox_id,
        step_removed=row.step_removed,
        suppressed=row.suppressed,
        hold=read_hold(row.hold),
        tomorrow=row.tomorrow,
        previous_sent=row.previous_sent,
        previous_still_draft=row.still_draft_at is not None,
        away_until=row.away_until,
        unclear_until=row.unclear_until,
        heard=heard,
        by_hand=row.kind == by_hand.KIND,
        due_at=row.due_at,
        not_before=row.not_before,
        is_task=row.step_kind == StepKind.TASK,
        needs_approval=needs_approval,
        approval=Approval.from_json(row.approval) if needs_approval else None,
        text=mark_of(content) if bound else None,
        windows=[SendWindow.from_json(window) for window in windows if window],
        absences=[Absence.from_json(absence) for absence in settings.get("absences", [])],
    )
