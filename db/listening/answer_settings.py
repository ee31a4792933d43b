"""Settings of what follows from answers, absences and opt-outs: of organizations, and of sequences that differ."""

from dataclasses import asdict
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import Statement
from domain.answer_settings import AnswerSettings, StopScope
from domain.errors import NotFound
from domain.hand_edits import Overtaken


class _Row(NamedTuple):
    organization_id: UUID
    stop_scope: str | None
    away_days: int | None
    opt_out_line: str | None


_OF_ORGANIZATION = Statement(
    "SELECT id AS organization_id, stop_scope, away_days, opt_out_line FROM organizations WHERE id = :id FOR UPDATE",
    _Row,
)
_OF_SEQUENCE = Statement(
    "SELECT organization_id, stop_scope, NULL::int AS away_days, opt_out_line FROM sequences WHERE id = :id FOR UPDATE",
    _Row,
)
_SET_ORGANIZATION = Statement(
    "UPDATE organizations SET stop_scope = :stop_scope, away_days = :away_days, opt_out_line = :opt_out_line WHERE id = :id"
)
_SET_SEQUENCE = Statement(
    "UPDATE sequences SET stop_scope = :stop_scope, opt_out_line = :opt_out_line WHERE id = :id"
)


def of_organization(tx: Transaction, organization_id: UUID) -> AnswerSettings:
    """Return an organization's settings. Raises ``NotFound``."""
    return _settings(_OF_ORGANIZATION.one_or_none(tx, id=organization_id))


def of_sequence(tx: Transaction, sequence_id: UUID) -> AnswerSettings:
    """Return a sequence's own settings; None where it has the organization's. Raises ``NotFound``."""
    return _settings(_OF_SEQUENCE.one_or_none(tx, id=sequence_id))


def set_organization(
    tx: Transaction, organization_id: UUID, wanted: AnswerSettings, *, actor: str, version: str = ""
) -> bool:
    """Set an organization's settings, audited. Returns False if they were so.

    ``version``: of what their author read; empty: whatever they are. Raises ``NotFound``, ``InvalidInput``, ``Overtaken``.
    """
    wanted, present = wanted.checked(), of_organization(tx, organization_id)
    wanted = AnswerSettings(
        wanted.stop_scope or present.stop_scope, wanted.away_days or present.away_days, wanted.opt_out_line
    )
    if wanted == present:
        return False
    _check_read(present, version)
    _SET_ORGANIZATION.run(tx, id=organization_id, **asdict(wanted))
    _audit(tx, organization_id, f"organization:{organization_id}", wanted, actor)
    return True


def set_sequence(
    tx: Transaction, sequence_id: UUID, wanted: AnswerSettings, *, actor: str, version: str = ""
) -> bool:
    """Set a sequence's settings, audited. As ``set_organization``."""
    wanted, row = wanted.checked(), _OF_SEQUENCE.one_or_none(tx, id=sequence_id)
    present = _settings(row)
    if present == wanted:
        return False
    _check_read(present, version)
    _SET_SEQUENCE.run(tx, id=sequence_id, stop_scope=wanted.stop_scope, opt_out_line=wanted.opt_out_line)
    assert row is not None
    _audit(tx, row.organization_id, f"sequence:{sequence_id}", wanted, actor)
    return True


def _check_read(present: AnswerSettings, version: str) -> None:
    if version and version != present.version:
        raise Overtaken("Somebody has changed these settings since you opened them. Nothing was saved.")


def _settings(row: _Row | None) -> AnswerSettings:
    if row is None:
        raise NotFound("There is no such organization or sequence.")
    scope = None if row.stop_scope is None else StopScope(row.stop_scope)
    return AnswerSettings(scope, row.away_days, row.opt_out_line)


def _audit(tx: Transaction, organization_id: UUID, subject: str, wanted: AnswerSettings, actor: str) -> None:
    audit.write(tx, organization_id, actor, "answer_settings_changed", subject, asdict(wanted))
