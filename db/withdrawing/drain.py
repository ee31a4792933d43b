"""The queries of V2: what in a scope is past the gate, what will not leave, and what has left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.access.authority import authorized
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.withdrawing.withdrawals import Scope
from domain.delivery import GRACE

_SQL = SqlFile(__name__)


def in_scope(besides: str = "true", joins: str = "") -> str:
    """Return SQL that selects a scope's deliveries ``d``. ``besides``: an extra condition on the grants ``g`` that count."""
    return _SQL.fragment("in_scope", authorized=authorized(besides), joins=joins)


STOPPED = _SQL.fragment("stopped")  # of those: what will not leave


@dataclass(frozen=True, slots=True)
class InFlight:
    """A delivery that passed the gate before it closed and is not settled."""

    delivery_id: UUID
    mailbox_id: UUID
    state: str
    draft_id: str
    provider: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Counts:
    """A scope's counts after its drain."""

    stopped: int
    already_sent: int
    last_left_at: datetime | None


class _State(NamedTuple):
    id: UUID
    state: str


_IN_SCOPE = in_scope()
_IN_FLIGHT = _SQL.statement("in_flight", InFlight, in_scope=_IN_SCOPE)
_ONE = _SQL.statement("one", InFlight)
_ASKED_ABOUT_LATELY = _SQL.statement("asked_about_lately", UUID, in_scope=_IN_SCOPE)
_DRAFTS_LEFT = _SQL.statement("drafts_left", InFlight, in_scope=_IN_SCOPE)
_MARK_RECALLED = _SQL.statement("mark_recalled", UUID)
_COUNT = _SQL.statement("count", Counts, in_scope=_IN_SCOPE)
_STATES = Statement("SELECT id, state FROM deliveries WHERE id = ANY(:ids)", _State)


def parameters(scope: Scope) -> dict[str, object]:
    """Return the values for a scope's conditions."""
    return {
        "organization_id": scope.organization_id,
        # A scope without mailboxes covers all. A scope of an owner's mailboxes may be empty and then covers none.
        "any_mailbox": not scope.mailbox_ids
        and (
            scope.sequence_id is not None
            or scope.enrollment_id is not None
            or scope.candidate_ids is not None
        ),
        "mailbox_ids": list(scope.mailbox_ids),
        "sequence_owner": scope.sequence_owner,
        "sequence_id": scope.sequence_id,
        "enrollment_id": scope.enrollment_id,
        "candidate_ids": None if scope.candidate_ids is None else list(scope.candidate_ids),
        "only_unauthorized": scope.only_unauthorized,
        "only_sequences": None if scope.only_sequences is None else list(scope.only_sequences),
        "closed_at": scope.closed_at,
        "cancels": scope.cancels,
    }


def in_flight(tx: Transaction, scope: Scope) -> list[InFlight]:
    """Return the scope's deliveries that have been sending or in doubt since before the gate closed."""
    return _IN_FLIGHT.all(tx, **parameters(scope))


def one(tx: Transaction, organization_id: UUID, delivery_id: UUID) -> InFlight | None:
    """Return one of an organization's deliveries, if it has a draft."""
    return _ONE.one_or_none(tx, id=delivery_id, organization_id=organization_id)


def asked_about_lately(tx: Transaction, scope: Scope) -> list[UUID]:
    """Return the scope's deliveries that a person must settle and that may still be on their way.

    SMTP offers no look-up, so the delivery goes to review at once, while the submission may still arrive over a
    connection that seemed lost.
    """
    return _ASKED_ABOUT_LATELY.all(tx, **parameters(scope), grace=GRACE)


def drafts_left(tx: Transaction, scope: Scope, limit: int = 200) -> list[InFlight]:
    """Return the scope's drafts that are certainly unsent and still in mailboxes."""
    return _DRAFTS_LEFT.all(tx, **parameters(scope), limit=limit)


def mark_recalled(tx: Transaction, each: InFlight) -> bool:
    """Record that we are about to remove a draft. From then on, an answer to its submission only means doubt.

    Returns False if the delivery is settled. A delivery in doubt stays so for at least another minute: the removal must
    take effect before anybody trusts what the mailbox still shows.
    """
    return _MARK_RECALLED.one_or_none(tx, id=each.delivery_id, draft_id=each.draft_id) is not None


def count(tx: Transaction, scope: Scope) -> Counts:
    """Count what in the scope will not leave and what has left."""
    return _COUNT.one(tx, **parameters(scope))


def states_of(tx: Transaction, delivery_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the current states of these deliveries."""
    return {row.id: row.state for row in _STATES.all(tx, ids=list(delivery_ids))}
