"""What people do with the suppression list: add, import, lift. Adding is a withdrawal: it answers when nothing can leave any more."""

from collections.abc import Sequence
from uuid import UUID

from actions.withdraw import carry_out
from app.runtime import Runtime
from db.core.session import Transaction
from db.withdrawing import suppressing, suppressions
from db.withdrawing.suppressing import Added
from db.withdrawing.withdrawals import Scope
from domain.suppression import Entry
from domain.withdrawal import Action, WithdrawalResult


def add(
    runtime: Runtime, organization_id: UUID, entries: Sequence[Entry], *, actor: str
) -> tuple[Added, WithdrawalResult]:
    """Add entries, stop whomever they name, and wait for what was on its way to them."""
    outcome: list[Added] = []

    def close_gate(tx: Transaction) -> list[Scope]:
        added, scope = suppressing.suppress_entries(tx, organization_id, entries, actor=actor)
        outcome.append(added)
        return [scope]

    result = carry_out(runtime, actor, Action.SUPPRESS_ENTRIES, organization_id, close_gate)
    return outcome[-1], result


def foresee(runtime: Runtime, organization_id: UUID, entries: Sequence[Entry]) -> Added:
    """Return what adding them would do."""
    with runtime.database.transaction() as tx:
        return suppressing.foresee(tx, organization_id, entries)


def lift(runtime: Runtime, organization_id: UUID, entry_id: UUID, *, actor: str, reason: str) -> bool:
    """Lift an entry. Returns False if it was lifted before. Raises ``NotFound``, ``InvalidInput``."""
    with runtime.database.transaction() as tx:
        return suppressions.lift(tx, organization_id, entry_id, actor=actor, reason=reason)
