"""What people decide on messages that came in."""

from uuid import UUID

import structlog

from actions import opt_outs, overrule
from app.runtime import Runtime
from db.listening import classes, overrules
from domain.errors import InvalidInput, NotPermitted
from domain.listening.kinds import AnswerClass, Decision, Kind
from domain.withdrawal import WithdrawalResult

log = structlog.get_logger()


def classify(runtime: Runtime, message_id: UUID, answer: str, *, actor: str) -> AnswerClass:
    """File an answer under a class. Raises ``InvalidInput``, ``NotFound``, ``NotPermitted``."""
    try:
        answer_class = AnswerClass(answer)
    except ValueError:
        known = ", ".join(each.value for each in AnswerClass)
        raise InvalidInput("there is no such class", where="answer", fix=f"Use one of {known}.") from None
    with runtime.database.transaction() as tx:
        classes.classify(tx, message_id, answer_class, actor=actor)
    log.info("answer_classified", outcome=answer_class.value)
    return answer_class


def decide(
    runtime: Runtime, organization_id: UUID, message_id: UUID, decision: str, *, actor: str
) -> WithdrawalResult | None:
    """Decide what a message is; returns what an opt-out stopped, None for every other decision.

    After ``no`` and ``neither`` follows what follows from an answer. After ``no_answer`` the person continues at once. Raises
    ``InvalidInput``, ``NotFound``, ``NotPermitted``: somebody has decided, or it cannot be that.
    """
    if decision not in list(Decision):
        known = ", ".join(each.value for each in Decision)
        raise InvalidInput("there is no such decision", where="decision", fix=f"Use one of {known}.")
    match Decision(decision):
        case Decision.OPT_OUT:
            return opt_outs.confirm(runtime, organization_id, message_id, actor=actor)
        case Decision.NO_ANSWER:
            _is_no_answer(runtime, organization_id, message_id, actor)
        case what:
            with runtime.database.transaction() as tx:
                held = classes.no_opt_out(tx, message_id, no=what is Decision.NO, actor=actor)
            overrule.resume_all(runtime, held, actor=actor)
    log.info("message_decided", outcome=decision)
    return None


def _is_no_answer(runtime: Runtime, organization_id: UUID, message_id: UUID, actor: str) -> None:
    with runtime.database.transaction() as tx:
        known = overrules.message(tx, organization_id, message_id)
    if known.kind != Kind.UNCLEAR or known.handled_at is not None or known.overruled_at is not None:
        raise NotPermitted(classes.DECIDED)
    if overrule.overrule(runtime, organization_id, message_id, actor=actor, reason="No answer") is None:
        raise NotPermitted(classes.DECIDED)
