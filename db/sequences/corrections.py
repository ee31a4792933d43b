"""Correct a person's address and send the email that was refused because of it again."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from db.audit import audit
from db.core.crypto import KeyRing
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sending.enrollments import lock_lane_of
from db.sequences import decisions
from db.views.attention import FAILED
from db.withdrawing import suppressions
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.notice import ABOUT_THE_ADDRESS


class _Situation(NamedTuple):
    organization_id: UUID
    candidate_id: UUID
    email: str
    reason: str | None
    failed: bool
    said_no: bool
    closed: bool
    written_to: bool


_SQL = SqlFile(__name__)
_SITUATION = _SQL.statement("situation", _Situation, failed=FAILED)
_CORRECT = Statement("UPDATE candidates SET email = :address WHERE id = :id")


def correct(tx: Transaction, keys: KeyRing, delivery_id: UUID, address: str, *, actor: str) -> None:
    """Change the address of the delivery's person and retry. Raises the errors that ``actions/attention.py`` lists.

    ``keys``: recognise an address that was erased from the suppression list.
    """
    lock_lane_of(tx, delivery_id)
    row = _SITUATION.one_or_none(tx, id=delivery_id, address=address)
    if row is None:
        raise NotFound("There is no such email.")
    if not row.failed:
        raise NotPermitted("This email is settled already.")
    if row.reason not in ABOUT_THE_ADDRESS:
        raise NotPermitted("This email did not fail because of its address.")
    if row.said_no:
        raise NotPermitted(f"{row.email} gets no more emails, under any address.")
    if row.closed or suppressions.recognise(tx, keys, row.organization_id, [address]):
        raise NotPermitted(f"{address} gets no more emails.")
    if row.email == address:
        raise InvalidInput(
            f"{address} is the address that was refused", where="address", fix="Enter the right one."
        )
    if row.written_to:
        raise NotPermitted(
            f"Emails to {row.email} have left, and their receipts name that address. Import {address} as a separate person."
        )
    try:
        _CORRECT.run(tx, address=address, id=row.candidate_id)
    except IntegrityError as error:
        raise InvalidInput(
            f"{address} is the address of another person in your organization",
            where="address",
            fix="Leave this email out, or enter another address.",
        ) from error
    audit.write(
        tx,
        row.organization_id,
        actor,
        "candidate_address_corrected",
        f"candidate:{row.candidate_id}",
        {"delivery": str(delivery_id)},
    )
    if not decisions.retry(tx, delivery_id, actor=actor):
        raise NotPermitted("This email is settled already.")
