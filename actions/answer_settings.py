"""Set what follows from answers, absences and opt-outs: of an organization, and of a sequence that differs."""

from uuid import UUID

from app.runtime import Runtime
from db.listening import answer_settings
from domain.answer_settings import AnswerSettings


def set_organization(
    runtime: Runtime, organization_id: UUID, wanted: AnswerSettings, *, actor: str, version: str = ""
) -> AnswerSettings:
    """Set an organization's; returns them as they are now. Audited. ``version``: of what their author read; empty: whatever they are.

    Raises ``NotFound``, ``InvalidInput``, ``Overtaken``.
    """
    with runtime.database.transaction() as tx:
        answer_settings.set_organization(tx, organization_id, wanted, actor=actor, version=version)
        return answer_settings.of_organization(tx, organization_id)


def set_sequence(
    runtime: Runtime, sequence_id: UUID, wanted: AnswerSettings, *, actor: str, version: str = ""
) -> AnswerSettings:
    """Set a sequence's, as ``set_organization`` does; returns them as they are now."""
    with runtime.database.transaction() as tx:
        answer_settings.set_sequence(tx, sequence_id, wanted, actor=actor, version=version)
        return answer_settings.of_sequence(tx, sequence_id)
