"""What happened to one person besides their messages: who enrolled, paused, stopped or skipped what."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.history import SAID, WHY


@dataclass(frozen=True, slots=True)
class Happened:
    """``action``: of ``domain.history.SAID``. ``sequence``, ``step``, ``actor``: None where there is none, or nobody knows."""

    id: UUID
    at: datetime
    action: str
    sequence: str | None
    step: int | None
    actor: str | None
    data: Json

    @property
    def says(self) -> str:
        """What happened, in a word or two."""
        return SAID[self.action][0]

    @property
    def picture(self) -> str:
        """The name of its picture."""
        return SAID[self.action][1]

    @property
    def why(self) -> str:
        """Why, in words, or the field that was changed."""
        reason = str(self.data.get("because") or self.data.get("reason") or self.data.get("field") or "")
        return WHY.get(reason, reason.replace("_", " "))


_OF_PERSON = SqlFile(__name__).statement("of_person", Happened)


def of_person(tx: Transaction, organization_id: UUID, candidate_id: UUID, *, limit: int) -> list[Happened]:
    """Return the newest of it."""
    return _OF_PERSON.all(
        tx, organization_id=organization_id, id=candidate_id, actions=list(SAID), limit=limit
    )
