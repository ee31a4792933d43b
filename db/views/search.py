"""Search from everywhere: people by the beginning of their name, family name or address; sequences by words of their name."""

from dataclasses import dataclass
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.views.messages import KNOWS, Viewer

SHOWN = 20
EXAMINED = 500  # people whose name fits; of a shorter beginning, some of those whom the member may see can be missing


@dataclass(frozen=True, slots=True)
class Person:
    """A person whom the member may see."""

    id: UUID
    name: str
    email: str
    company: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence of the member or, for owners and admins, of anybody."""

    id: UUID
    name: str
    status: str
    owner: str


_SQL = SqlFile(__name__)
_PEOPLE = _SQL.statement("people", Person, knows=KNOWS)
_SEQUENCES = _SQL.statement("sequences", Sequence)


def people(tx: Transaction, viewer: Viewer, words: str, *, most: int = SHOWN) -> list[Person]:
    """Return people whose name, company or address begins so and whom the viewer may see, as on the person's page; up to ``most``."""
    return _PEOPLE.all(
        tx,
        organization_id=viewer.organization_id,
        words=" ".join(words.split()),
        member_id=viewer.member_id,
        examined=EXAMINED,
        most=most,
    )


def sequences(tx: Transaction, viewer: Viewer, words: str, *, most: int = SHOWN) -> list[Sequence]:
    """Return sequences with these words in their names, those that begin so first, as far as the viewer sees them."""
    return _SEQUENCES.all(
        tx,
        organization_id=viewer.organization_id,
        words=" ".join(words.split()),
        only_of=viewer.member_id,
        most=most,
    )
