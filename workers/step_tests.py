"""A step that somebody sends to themselves: what it says, and whether its sequence may send from this mailbox."""

from dataclasses import replace

from app.runtime import Runtime
from db.access import authority
from db.core.session import Transaction
from db.mailboxes.mailboxes import Mailbox
from db.sequences import built, previews
from domain.address import Address
from domain.errors import NotFound
from domain.message import OutgoingMessage
from domain.step_test import StepTest
from workers.compose import compose_email, way_out_of_test


def message_of(runtime: Runtime, mailbox: Mailbox, test: StepTest) -> OutgoingMessage:
    """Return the step's email, to the member. It begins a thread of its own, and its opt-out link stops nothing.

    Raises ``NotFound``, ``MessageRejected``.
    """
    with runtime.database.transaction() as tx:
        content = previews.content(
            tx, test.sequence_id, test.step_id, enrollment_id=test.enrollment_id, member_id=test.member_id
        )
        myself = previews.address_of(tx, mailbox.organization_id, test.member_id)
    if content is None or myself is None:
        raise NotFound("This step is gone.")
    return replace(
        compose_email(content, way_out_of_test(runtime)), recipient=Address(myself.email, myself.name)
    )


def refused(tx: Transaction, mailbox: Mailbox, test: StepTest) -> str:
    """Return why the sequence may not send from this mailbox, or nothing. The caller holds the lane."""
    sequence = built.built(tx, test.sequence_id)
    if (sequence.organization_id, sequence.mailbox_id) != (mailbox.organization_id, mailbox.id):
        return f"The sequence does not send from {mailbox.address} any more."
    return " ".join(authority.blockers(tx, [test.sequence_id])[test.sequence_id])
