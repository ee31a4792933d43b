"""The people of an organization, as a list: the newest first or by name, those in one state, or those whose name or address begins so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, get_args
from uuid import UUID

from db.core.session import Database, Transaction
from db.core.statements import SqlFile
from db.views import messages, search
from db.views.attention import APPROVAL, BLOCK
from db.views.messages import Viewer
from domain.cells import as_text

PER_PAGE = 50
_EXPORTED = 1000  # people in one transaction
COLUMNS = ("name", "email", "title", "company", "state", "sequence", "last email", "next email")
GOING_ON = ("waiting", "approval", "task", "away", "paused", "blocked", "in_review")
State = Literal["waiting", "approval", "task", "away", "paused", "blocked", "in_review", "answered", "opted_out", "bounced", "failed", "stopped", "finished"]  # fmt: skip
STATES: tuple[str, ...] = get_args(State)
Sort = Literal["newest", "name", "name_down"]
_LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Listed:
    """A person, and where they stand in the newest sequence that runs for them. ``sequence`` None: in none that the viewer sees."""

    id: UUID
    name: str
    email: str
    title: str
    company: str
    suppressed: bool
    sequence: str | None
    state: str
    sequence_status: str | None
    next_due_at: datetime | None
    last_sent_at: datetime | None
    created_at: datetime


class _Place(NamedTuple):
    """Where a page by name begins: behind this person."""

    name: str
    email: str


class InSequence(NamedTuple):
    """A sequence to filter by."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class People:
    """A page. ``before``: where the next one begins; None on the last. ``more``: a search found more than are shown."""

    listed: list[Listed]
    before: UUID | None
    more: bool = False


_SQL = SqlFile(__name__)
# Where person ``c`` stands in enrollment ``e``: one of ``STATES``.
STATE = _SQL.fragment("state", approval=APPROVAL, block=BLOCK)
_EVERYBODY = _SQL.statement("everybody", UUID)
_OF_SEQUENCES = _SQL.statement("of_sequences", UUID, in_mailbox=messages.IN_MAILBOX, state=STATE)
_EVERYBODY_NAMED = {
    "name": _SQL.statement("everybody_up", UUID, state=STATE, beyond=">"),
    "name_down": _SQL.statement("everybody_down", UUID, state=STATE, beyond="<"),
}
_THEIRS_NAMED = {
    "name": _SQL.statement("theirs_up", UUID, in_mailbox=messages.IN_MAILBOX, state=STATE, beyond=">"),
    "name_down": _SQL.statement("theirs_down", UUID, in_mailbox=messages.IN_MAILBOX, state=STATE, beyond="<"),
}
# Before everybody, and behind everybody: no name has a character above the last one of Unicode.
_ENDS = {"name": _Place("", ""), "name_down": _Place(chr(0x10FFFF), "")}
_PLACE = _SQL.statement("place", _Place)
_IN_NONE = _SQL.statement("in_none", UUID, knows=messages.KNOWS)
_SEQUENCES = _SQL.statement("sequences", InSequence)
_SEEN = _SQL.statement("seen", UUID, knows=messages.KNOWS)
_WHOLE = _SQL.statement("whole", str, sees=messages.SEES)
_SHOWN = _SQL.statement("shown", Listed, label=messages.LABEL, state=STATE)


def page(
    tx: Transaction,
    viewer: Viewer,
    *,
    state: str = "",
    words: str = "",
    sequence: UUID | None = None,
    in_none: bool = False,
    sort: Sort = "newest",
    before: UUID | None = None,
    limit: int = PER_PAGE,
) -> People:
    """Return people whom the viewer may see. ``state``: one of ``STATES``. ``words``: the beginning of a name, a company or an address.

    ``sequence``: those in it; ``in_none``: those for whom none goes on. ``before``: the last person of the page before. A search has
    one page.
    """
    if words.strip():
        narrowed = state or sequence is not None or in_none or sort != "name"
        found = search.people(tx, viewer, words, most=search.EXAMINED if narrowed else limit + 1)
        ids = [each.id for each in found]  # by name
        if sort != "name":
            ids = sorted(ids, reverse=True) if sort == "newest" else ids[::-1]
        listed = _shown(tx, viewer, ids, state, sequence)
        listed = [each for each in listed if not (in_none and each.state in GOING_ON)]
        return People(listed[:limit], None, more=len(listed) > limit)
    asked = {"organization_id": viewer.organization_id, "before": before or _LAST, "limit": limit + 1}
    if sort != "newest":
        ids = _by_name(tx, viewer, state, sequence, sort, in_none=in_none, before=before, limit=limit + 1)
    elif in_none:
        ids = _IN_NONE.all(tx, **asked, member_id=viewer.member_id)
    elif viewer.member_id is None and not state and sequence is None:
        ids = _EVERYBODY.all(tx, **asked)
    else:
        ids = _OF_SEQUENCES.all(tx, **asked, member_id=viewer.member_id, state=state, sequence_id=sequence)
    here = ids[:limit]
    shown = _shown(tx, viewer, here, "" if in_none else state, sequence)
    return People(shown, here[-1] if len(ids) > limit else None)


def _by_name(
    tx: Transaction,
    viewer: Viewer,
    state: str,
    sequence: UUID | None,
    sort: Sort,
    *,
    in_none: bool,
    before: UUID | None,
    limit: int,
) -> list[UUID]:
    here = before and _PLACE.one_or_none(tx, organization_id=viewer.organization_id, id=before)
    asked = {
        "organization_id": viewer.organization_id,
        **(here or _ENDS[sort])._asdict(),
        "state": "" if in_none else state,
        "in_none": in_none,
        "limit": limit,
    }
    if viewer.member_id is None and sequence is None:
        return _EVERYBODY_NAMED[sort].all(tx, **asked)
    return _THEIRS_NAMED[sort].all(tx, **asked, member_id=viewer.member_id, sequence_id=sequence)


def sequences(tx: Transaction, viewer: Viewer) -> list[InSequence]:
    """Return the sequences to filter by: the member's own or, for owners and admins who see everybody, all; the newest 200."""
    return _SEQUENCES.all(tx, organization_id=viewer.organization_id, member_id=viewer.member_id)


def export(
    database: Database,
    viewer: Viewer,
    *,
    state: str,
    words: str,
    sequence: UUID | None,
    in_none: bool,
    sort: Sort = "newest",
) -> Iterator[tuple[str, ...]]:
    """Yield everybody whom the list would show, as rows of ``COLUMNS``. Each piece is read in a transaction of its own."""
    before = None
    while True:
        with database.transaction() as tx:
            found = page(
                tx,
                viewer,
                state=state,
                words=words,
                sequence=sequence,
                in_none=in_none,
                sort=sort,
                before=before,
                limit=_EXPORTED,
            )
        for each in found.listed:
            texts = (each.name, each.email, each.title, each.company, each.state, each.sequence or "")
            times = (each.last_sent_at, each.next_due_at)
            yield (
                *(as_text(text) for text in texts),
                *("" if at is None else at.isoformat(timespec="seconds") for at in times),
            )
        if found.before is None:
            return
        before = found.before


def named(tx: Transaction, viewer: Viewer, ids: list[UUID]) -> list[Listed]:
    """Return those of them whom the viewer may see."""
    seen = _SEEN.all(tx, organization_id=viewer.organization_id, member_id=viewer.member_id, ids=ids)
    return _shown(tx, viewer, seen, "", None)


def _shown(
    tx: Transaction, viewer: Viewer, ids: list[UUID], state: str, sequence: UUID | None
) -> list[Listed]:
    return _SHOWN.all(
        tx,
        organization_id=viewer.organization_id,
        member_id=viewer.member_id,
        ids=ids,
        state=state,
        sequence_id=sequence,
    )


def whole(tx: Transaction, viewer: Viewer, emails: Sequence[str]) -> frozenset[str]:
    """Return the addresses among these of people of whom the viewer sees everything."""
    asked = {"organization_id": viewer.organization_id, "member_id": viewer.member_id}
    return frozenset(_WHOLE.all(tx, **asked, emails=list(emails)))
