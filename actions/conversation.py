"""A person's conversation as people and programs read it: filled, decrypted, sanitised, with what is quoted folded away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db.core.crypto import KeyRing
from db.core.session import Transaction
from db.sending.by_hand import KIND
from db.sending.content import content_of
from db.views import messages
from db.views.messages import NEWEST, InSequence, Person, Received, Viewer, Written
from domain.errors import InvalidInput, MessageRejected
from domain.listening.quoted import newly_written
from transports.html import sanitise, sanitise_received, to_text
from workers.compose import compose_email


@dataclass(frozen=True, slots=True)
class Entry:
    """One email of a conversation. ``ours``: we sent it. ``kind``: of what came in, or ``email`` and ``by_hand`` of ours.

    ``text``: what it newly says; ``whole``: with what it quotes, "" if that is the same. ``html``: sanitised, without anything that
    would be fetched. ``state``: of ours, a delivery's state. ``row``: everything else about it, as ``db.views.messages`` read it.
    """

    id: UUID
    ours: bool
    kind: str
    at: datetime
    subject: str
    text: str
    whole: str
    html: str
    state: str
    row: Written | Received


@dataclass(frozen=True, slots=True)
class Conversation:
    """A person, where they are, and what was written, oldest first."""

    person: Person
    places: Sequence[InSequence]
    entries: Sequence[Entry]


def load(
    tx: Transaction, keys: KeyRing, candidate_id: UUID, viewer: Viewer, *, newest: int | None = NEWEST
) -> Conversation:
    """Return the conversation with a person. Raises ``NotFound`` for everybody whom it does not concern.

    ``newest``: so many of ours and of theirs; None: all.
    """
    person = messages.person_of(tx, candidate_id, viewer)
    written, received = messages.messages_of(tx, person, viewer, newest)
    entries = [*map(ours, written), *(theirs(keys, each) for each in received)]
    return Conversation(person, messages.places_of(tx, person, viewer), sorted(entries, key=_place))


def _place(entry: Entry) -> datetime:
    # Times of receipt come in whole seconds: what came in is later than what left in the same second, and earlier than
    # what left after it was recorded.
    if isinstance(entry.row, Written):
        return entry.at
    return min(entry.at + timedelta(seconds=1), entry.row.recorded_at)


def ours(row: Written) -> Entry:
    """An email of ours, filled as it was; if a field was emptied since, as its step was written."""
    try:
        filled = compose_email(content_of(row))
        subject, text = filled.subject, filled.text
    except (MessageRejected, InvalidInput):
        subject, text = row.subject or row.thread_subject or "", to_text(sanitise(row.body))
    kind = KIND if row.kind == KIND else "email"
    return Entry(row.id, True, kind, row.at, subject, text.strip(), "", "", row.state, row)


def theirs(keys: KeyRing, row: Received) -> Entry:
    """What came in."""
    text, html = messages.opened(keys, row)
    safe = sanitise_received(html)
    whole = (text or to_text(safe)).strip()
    new = newly_written(whole, row.quoted_body or "").strip()
    return Entry(
        row.id,
        False,
        row.kind,
        row.received_at,
        row.subject,
        new or whole,
        "" if not new or new == whole else whole,
        safe,
        "",
        row,
    )


def as_json(entry: Entry) -> dict[str, Any]:
    """An entry for programs."""
    row = entry.row
    common = {
        "id": entry.id,
        "direction": "out" if entry.ours else "in",
        "kind": entry.kind,
        "at": entry.at,
        "subject": entry.subject,
        "text": entry.text,
        "sequence": row.sequence,
    }
    if isinstance(row, Written):
        return common | {
            "state": row.state,
            "outcome": row.outcome,
            "reason": row.reason,
            "sender": row.sender,
        }
    return common | {
        "sender": row.sender,
        "mailbox": row.mailbox,
        "whole_text": entry.whole or entry.text,
        "attachments": row.attachments,
        "why": row.why,
        "class": row.answer_class,
        "handled_at": row.handled_at,
        "return_on": row.return_on,
        "bounce_class": row.bounce_class,
    }
