"""What ends a sequence's pause or lets a draft start, as buttons that do it or lead to the page where one click does."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.access import authority
from db.core.session import Transaction
from db.views.overviews import SequenceLine
from domain.authority import Sender, missing
from domain.events import EventKind
from domain.notice_parts import ask
from domain.person_name import split_name


@dataclass(frozen=True, slots=True)
class Remedy:
    """A link or, if it ``acts``, a form of one button."""

    label: str
    path: str
    acts: bool = False


def change_sender(sequence_id: UUID, owner_id: UUID) -> Remedy:
    """To where a sequence's owner keeps it and chooses another mailbox."""
    return Remedy("Change sender", f"/sequences/{sequence_id}/hand-over?to={owner_id}")


def remedies(tx: Transaction, lines: Sequence[SequenceLine], member_id: UUID) -> dict[UUID, list[Remedy]]:
    """Return what would let each sequence send again, the best first; empty if nothing keeps it from sending.

    ``member_id``: who reads it. Only owners ask for a permission and connect their mailbox; everybody may change the sender.
    """
    found = authority.senders(tx, [line.id for line in lines])
    return {line.id: _of(line, found[line.id], member_id) for line in lines}


def _of(line: SequenceLine, sender: Sender, member_id: UUID) -> list[Remedy]:
    kinds = {each.kind for each in missing(sender)}
    if EventKind.MEMBER_DEACTIVATED in kinds:
        return [Remedy("Hand over", f"/sequences/{line.id}/hand-over")]
    if not kinds:
        return []
    change = change_sender(line.id, line.owner_id)
    if kinds & {EventKind.GRANT_REVOKED, EventKind.GRANT_EXPIRED, EventKind.GRANT_MISSING}:
        first = (split_name(line.sender or "")[0] or line.sender or "").split()[:1]
        asked = [Remedy(f"Ask {' '.join(first)}", ask(line.address))] if line.owner_id == member_id else []
        return [change, *asked]
    if line.sender_id is not None and line.sender_id == member_id:
        microsoft = sender.provider == "graph"
        return [
            Remedy("Connect again", f"/settings/sequences{'/connect' if microsoft else ''}", microsoft),
            change,
        ]
    return [change]
