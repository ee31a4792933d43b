"""Give a sequence another owner or sender: not while it runs, and only to somebody who may send it."""

from uuid import UUID

from db.core.session import Transaction
from db.sequences import sequences
from db.sequences.sequences import KnownSequence
from domain.errors import NotPermitted


class StillRunningError(NotPermitted):
    """It keeps its owner and sender while it runs."""


def hand_over(
    tx: Transaction,
    known: KnownSequence,
    *,
    owner_id: UUID,
    mailbox_id: UUID,
    uses_sender_address: bool,
    actor: str,
    quietly: bool = False,
    by_file: bool = False,
) -> None:
    """Hand it over. The caller holds the lanes. ``quietly``: whoever owns it does it themselves, so no notice says so.

    ``by_file``: its organization's file says so, which leaves alone what a person has decided.

    Raises ``StillRunningError``, and ``NotPermitted`` with why the new one may not send.
    """
    if known.status == "active":
        raise StillRunningError(
            f"{known.name} is running and keeps its sender meanwhile. Pause it first, then change the sender and resume."
        )
    reason = sequences.why_not(tx, known.id, owner_id, mailbox_id)
    if reason is not None:
        raise NotPermitted(reason)
    sequences.hand_over(
        tx,
        known.id,
        owner_id=owner_id,
        mailbox_id=mailbox_id,
        uses_sender_address=uses_sender_address,
        actor=actor,
        quietly=quietly,
        by_file=by_file,
    )
