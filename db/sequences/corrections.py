"""A person's address is corrected: an email that was refused for it goes out again, to the right one."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.audit import audit
from db.core.session import Transaction
from db.sending.enrollments import lock_lane_of
from db.sequences import decisions
from db.views.attention import FAILED
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.notice import ABOUT_THE_ADDRESS


def correct(tx: Transaction, delivery_id: UUID, address: str, *, actor: str) -> None:
    """Change the address of the delivery's person and try it again. Raises as ``actions/attention.py`` says."""
    lock_lane_of(tx, delivery_id)
    row = tx.execute(
        text(
            f"SELECT c.organization_id, c.id AS candidate_id, c.email, d.reason, {FAILED} AS failed,"
            " EXISTS (SELECT FROM suppressions x WHERE x.organization_id = c.organization_id AND x.email = c.email"
            "   AND x.reason <> 'bounced') AS said_no,"
            " EXISTS (SELECT FROM suppressions x WHERE x.organization_id = c.organization_id AND x.email = :address) AS closed,"
            " EXISTS (SELECT FROM deliveries v JOIN enrollments o ON o.id = v.enrollment_id WHERE o.candidate_id = c.id"
            "   AND v.state IN ('sending', 'in_doubt', 'review', 'sent')) AS written_to"
            " FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id"
            " WHERE d.id = :id FOR UPDATE OF c"
        ),
        {"id": delivery_id, "address": address},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such email.")
    if not row.failed:
        raise NotPermitted("This email is settled already.")
    if row.reason not in ABOUT_THE_ADDRESS:
        raise NotPermitted("This email did not fail because of its address.")
    if row.said_no:
        raise NotPermitted(f"Nobody writes to {row.email} again, under any address.")
    if row.closed:
        raise NotPermitted(f"Nobody writes to {address} again.")
    if row.email == address:
        raise InvalidInput(
            f"{address} is the address that was refused", where="address", fix="Enter the right one."
        )
    if row.written_to:
        raise NotPermitted(
            f"Emails have left for {row.email}, and their receipts name it. Import {address} as a person of its own."
        )
    try:
        tx.execute(
            text("UPDATE candidates SET email = :address WHERE id = :id"),
            {"address": address, "id": row.candidate_id},
        )
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
