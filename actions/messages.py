"""What people decide on messages that came in."""

from uuid import UUID

import structlog

from app.runtime import Runtime
from db.listening import classes
from domain.errors import InvalidInput
from domain.listening.kinds import AnswerClass

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


def handle(runtime: Runtime, message_id: UUID, *, actor: str) -> None:
    """Record that somebody has decided on a message."""
    with runtime.database.transaction() as tx:
        classes.handle(tx, message_id, actor=actor)
