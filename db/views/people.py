"""The people of an organization, as a list: the newest first, those in one state, or those whose name or address begins so."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.views import messages, search
from db.views.messages import Viewer

PER_PAGE = 50
STATES = ("waiting", "away", "blocked", "in_review", "answered", "opted_out", "bounced", "failed", "stopped", "finished")  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class People:
    """A page. ``before``: where the next one begins; None on the last. ``more``: a search found more than are shown."""

    listed: list[Listed]
    before: UUID | None
    more: bool = False


_SQL = SqlFile(__name__)
_EVERYBODY = _SQL.statement("everybody", UUID)
_OF_SEQUENCES = _SQL.statement("of_sequences", UUID, in_mailbox=messages.IN_MAILBOX)
_SEEN = _SQL.statement("seen", UUID, knows=messages.KNOWS)
_SHOWN = _SQL.statement("shown", Listed, label=messages.LABEL)


def page(
    tx: Transaction, viewer: Viewer, *, state: str = "", words: str = "", before: UUID | None = None
) -> People:
    """Return 50 people whom the viewer may see. ``state``: one of ``STATES``. ``words``: the beginning of a name or an address.

    A search has one page.
    """
    if words.strip():
        found = search.people(tx, viewer, words, most=search.EXAMINED)
        listed = _shown(tx, viewer, [each.id for each in found], state)
        return People(listed[:PER_PAGE], None, more=len(listed) > PER_PAGE)
    asked = {
        "organization_id": viewer.organization_id,
        "before": before or _LAST,
        "limit": PER_PAGE + 1,
    }
    if viewer.member_id is None and not state:
        ids = _EVERYBODY.all(tx, **asked)
    else:
        ids = _OF_SEQUENCES.all(tx, **asked, member_id=viewer.member_id, state=state)
    here = ids[:PER_PAGE]
    return People(_shown(tx, viewer, here, state), here[-1] if len(ids) > PER_PAGE else None)


def named(tx: Transaction, viewer: Viewer, ids: list[UUID]) -> list[Listed]:
    """Return those of them whom the viewer may see."""
    seen = _SEEN.all(tx, organization_id=viewer.organization_id, member_id=viewer.member_id, ids=ids)
    return _shown(tx, viewer, seen, "")


def _shown(tx: Transaction, viewer: Viewer, ids: list[UUID], state: str) -> list[Listed]:
    return _SHOWN.all(
        tx, organization_id=viewer.organization_id, member_id=viewer.member_id, ids=ids, state=state
    )
