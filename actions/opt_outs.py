"""Somebody opts out: by the link of an email, or because a person decided that a message says so."""

from uuid import UUID

from actions.withdraw import carry_out
from app.runtime import Runtime
from db.listening import opt_outs, overrules
from domain.opt_out import OptOut
from domain.withdrawal import Action, WithdrawalResult


def opt_out(runtime: Runtime, named: OptOut) -> WithdrawalResult:
    """The recipient of an email wants no more of them, by its link. Raises ``NotFound``: they are erased."""
    return carry_out(
        runtime,
        opt_outs.BY,
        Action.SUPPRESS_CANDIDATE,
        named.candidate_id,
        lambda tx: [opt_outs.opt_out_by_link(tx, named)],
    )


def confirm(runtime: Runtime, organization_id: UUID, message_id: UUID, *, actor: str) -> WithdrawalResult:
    """Somebody has decided that a message is an opt-out. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        candidate_id = overrules.message(tx, organization_id, message_id).candidate_id
    return carry_out(
        runtime,
        actor,
        Action.SUPPRESS_CANDIDATE,
        candidate_id,
        lambda tx: [opt_outs.opt_out_by_words(tx, organization_id, message_id, actor=actor)],
    )
