"""A person has another address: what came back or was refused goes on under it, and everything that left stays as it was."""

from uuid import UUID

import structlog

from actions import resume
from app.runtime import Runtime
from db.sequences import corrections, new_address
from db.sequences.new_address import Foreseen, Goes
from domain.address import parse_address
from domain.errors import NotPermitted

log = structlog.get_logger()


def foresee(runtime: Runtime, candidate_id: UUID, address: str, *, was: str | None = None) -> Foreseen:
    """Return what ``correct`` would do. Changes nothing. Raises as it does."""
    wanted = parse_address(address, international=True).email
    with runtime.database.transaction() as tx:
        return new_address.foresee(tx, runtime.web_keys, candidate_id, wanted, was=was)


def correct(
    runtime: Runtime, candidate_id: UUID, address: str, *, actor: str, was: str | None = None
) -> Foreseen:
    """Give a person another address; returns which sequences go on, and how. The address that bounced stays suppressed.

    ``was``: the address that was corrected, or None. Raises ``NotFound``; ``InvalidInput`` for an invalid address or somebody else's;
    ``NotPermitted`` if the person or the address is suppressed, an email is on its way, or emails have left and none came back.
    """
    wanted = parse_address(address, international=True).email
    with runtime.database.transaction() as tx:
        done = new_address.correct(tx, runtime.web_keys, candidate_id, wanted, actor=actor, was=was)
    _resume(runtime, done, actor)
    return done


def correct_refused(runtime: Runtime, delivery_id: UUID, address: str, *, actor: str) -> None:
    """The same for the person whose email was refused because of its address: it goes out again, through every check.

    Raises as ``correct``; ``NotPermitted`` also if the email did not fail because of its address.
    """
    wanted = parse_address(address, international=True).email
    with runtime.database.transaction() as tx:
        candidate_id = corrections.candidate_of(tx, delivery_id)
        done = new_address.correct(
            tx, runtime.web_keys, candidate_id, wanted, actor=actor, refused=delivery_id
        )
    _resume(runtime, done, actor)


def _resume(runtime: Runtime, done: Foreseen, actor: str) -> None:
    for each in done.places:
        if each.goes is not Goes.NEXT:
            continue
        try:
            resume.resume_enrollment(runtime, each.enrollment_id, actor=actor)
        except NotPermitted as error:
            # The sequence itself is paused: they wait with it, as others do there.
            log.info("not_resumed", enrollment_id=str(each.enrollment_id), error=type(error).__name__)
    log.info("address_corrected", count=len(done.places))
