"""Erase one person, or hand out everything that is known of them."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import structlog

from actions import conversation, errands, withdraw
from app.runtime import Runtime
from db.audit import audit
from db.views import everything
from db.views.messages import Viewer
from db.withdrawing import erasing
from db.withdrawing.erasing import Erased, Known, Person
from domain.errands import ErrandKind
from domain.withdrawal import WithdrawalResult

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did: the withdrawal with which it began, and the proof."""

    withdrawal: WithdrawalResult
    erased: Erased


def foresee(runtime: Runtime, organization_id: UUID, candidate_id: UUID) -> tuple[Person, Known]:
    """Return what an erasure would take. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        person = erasing.person_of(tx, organization_id, candidate_id)
        return person, erasing.known(tx, person)


def erase(runtime: Runtime, organization_id: UUID, candidate_id: UUID, *, actor: str) -> Erasure:
    """Erase a person. First nothing can leave to them any more, then their drafts go, and at last what we know of them.

    A keyed hash of the address stays on the suppression list, so that an import of it later stays suppressed. Raises ``NotFound``,
    ``WorkersSilent`` (nobody removes the drafts: nothing was erased).
    """
    with runtime.database.transaction() as tx:
        person = erasing.person_of(tx, organization_id, candidate_id)
        drafts = erasing.drafts(tx, person)
    if drafts:
        errands.ask(runtime, organization_id, ErrandKind.RECALL_DRAFT, *drafts, actor=actor).wait()
    answer = withdraw.suppress_candidate(runtime, candidate_id, actor=actor, reason="erased")
    with runtime.database.transaction() as tx:
        erased = erasing.erase(tx, runtime.web_keys, person, actor=actor)
    log.info("person_erased", count=erased.messages + erased.deliveries)
    return Erasure(answer, erased)


def export(runtime: Runtime, organization_id: UUID, candidate_id: UUID, *, actor: str) -> dict[str, Any]:
    """Return everything that is known of a person, as JSON's types and times. Audited. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        erasing.person_of(tx, organization_id, candidate_id)
        found = everything.of_person(tx, candidate_id)
        said = conversation.load(
            tx, runtime.web_keys, candidate_id, Viewer(organization_id, None), newest=None
        )
        audit.write(tx, organization_id, actor, "person_exported", f"candidate:{candidate_id}", {})
    return {**asdict(found), "messages": [conversation.as_json(each) for each in said.entries]}
