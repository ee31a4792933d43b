"""Say whose a message is that came to a default address, or that it is nobody's. Each decision is audited, with who and why."""

from uuid import UUID

import structlog

from app.runtime import Runtime
from db.audit import audit
from db.core.session import Transaction
from db.listening import unassigned
from db.listening.unassigned import Unassigned
from db.sequences import candidates
from domain.address import parse_address
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.person_name import split_name

log = structlog.get_logger()


def assign(runtime: Runtime, message_id: UUID, email: str, *, actor: str) -> UUID:
    """Give it to the person with this address, and do what follows from it; returns the person.

    Raises ``NotFound``, ``InvalidInput``, and ``NotPermitted`` if somebody has decided on it already.
    """
    address = parse_address(email, where="email", international=True).email
    with runtime.database.transaction() as tx:
        message = _known(tx, message_id)
        found = candidates.ids_of(tx, message.organization_id, [address])
        if not found:
            raise NotFound("Your organization has no person with this address.")
        _assign(tx, message_id, found[0], actor=actor)
    log.info("mail_assigned", organization_id=str(message.organization_id))
    return found[0]


def make_candidate(runtime: Runtime, message_id: UUID, *, actor: str) -> UUID:
    """Make its sender a person of the organization, or find them, and give it to them; returns the person.

    Raises ``NotFound``, ``NotPermitted``, and ``InvalidInput`` if it names no sender.
    """
    with runtime.database.transaction() as tx:
        message = _known(tx, message_id)
        try:
            address = parse_address(message.sender, where="sender", international=True).email
        except InvalidInput as error:
            raise InvalidInput(
                "the message names no sender that can be written to",
                where="sender",
                fix="Assign it to a person by their address.",
            ) from error
        first, last = split_name(message.sender_name) if message.sender_name else ("", "")
        row = {"email": address, "first_name": first, "last_name": last, "fields": {}}
        known = candidates.ids_of(tx, message.organization_id, [address])
        if not known:
            candidates.upsert_candidates(tx, message.organization_id, [row])
            known = candidates.ids_of(tx, message.organization_id, [address])
            audit.write(
                tx,
                message.organization_id,
                actor,
                "candidate_made",
                f"candidate:{known[0]}",
                {"message": str(message_id)},
            )
        _assign(tx, message_id, known[0], actor=actor)
    log.info("mail_assigned", organization_id=str(message.organization_id))
    return known[0]


def discard(runtime: Runtime, message_id: UUID, *, because: str, actor: str) -> None:
    """Say that it is nobody's. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput`` without a reason."""
    if not because.strip():
        raise InvalidInput(
            "A reason is needed.", where="because", fix="Say in a few words why nobody needs to see it."
        )
    with runtime.database.transaction() as tx:
        message = _open(tx, message_id)
        unassigned.discard(tx, message_id, actor=actor)
        audit.write(
            tx,
            message.organization_id,
            actor,
            "message_discarded",
            f"message:{message_id}",
            {"because": because.strip()},
        )
    log.info("mail_discarded", organization_id=str(message.organization_id))


def _assign(tx: Transaction, message_id: UUID, candidate_id: UUID, *, actor: str) -> None:
    # The lanes first, as everywhere, so that no email of theirs passes the gate meanwhile.
    unassigned.lock_lanes(tx, candidate_id)
    message = _open(tx, message_id)
    audit.write(
        tx,
        message.organization_id,
        actor,
        "message_assigned",
        f"message:{message_id}",
        {"candidate": str(candidate_id)},
    )
    unassigned.assign(tx, message, candidate_id, because=f"{actor} said that it is theirs.")


def _known(tx: Transaction, message_id: UUID) -> Unassigned:
    message = unassigned.load(tx, message_id)
    if message is None:
        raise NotFound("There is no such message.")
    return message


def _open(tx: Transaction, message_id: UUID) -> Unassigned:
    message = unassigned.load(tx, message_id, lock=True)
    if message is None:
        raise NotFound("There is no such message.")
    if message.status != "unassigned":
        raise NotPermitted(f"This message is {message.status} already.")
    return message
