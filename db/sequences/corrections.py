"""Which person's address an email that was refused because of it asks about."""

from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.views.attention import FAILED
from domain.errors import NotFound, NotPermitted
from domain.notice import ABOUT_THE_ADDRESS

SETTLED = "This email is settled already."


class _Situation(NamedTuple):
    candidate_id: UUID
    reason: str | None
    failed: bool


_SITUATION = SqlFile(__name__).statement("situation", _Situation, failed=FAILED)


def candidate_of(tx: Transaction, delivery_id: UUID) -> UUID:
    """Return the person whose address was refused. Raises ``NotFound``, ``NotPermitted``: settled, or not because of the address."""
    row = _SITUATION.one_or_none(tx, id=delivery_id)
    if row is None:
        raise NotFound("There is no such email.")
    if not row.failed:
        raise NotPermitted(SETTLED)
    if row.reason not in ABOUT_THE_ADDRESS:
        raise NotPermitted("This email did not fail because of its address.")
    return row.candidate_id
