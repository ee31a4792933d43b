"""Change a field of a person. Waiting emails use it; emails that left keep what they said."""

from uuid import UUID

import structlog

from actions import attention
from app.runtime import Runtime
from db.sequences import decisions, person_fields
from db.views.attention import BLOCKED
from domain.errors import InvalidInput

log = structlog.get_logger()

_MAX_VALUE = 500  # characters


def change_field(
    runtime: Runtime, candidate_id: UUID, field: str, value: str, *, was: str | None, actor: str
) -> bool:
    """Set a field; whoever waited for it continues. Returns False if it had this value.

    ``was``: the value that was changed, so that two people who change it at once notice each other; None: whatever it was.
    An email that a worker has by now is composed again. Raises ``NotFound``; ``InvalidInput`` for a field that the person does not
    have and no sequence of theirs uses.
    """
    wanted = " ".join(value.split())
    if len(wanted) > _MAX_VALUE:
        raise InvalidInput(
            f"The value has {len(wanted)} characters", where="value", fix=f"Keep it under {_MAX_VALUE}."
        )
    with runtime.database.transaction() as tx:
        person_fields.lock(tx, candidate_id)
        known = person_fields.fields_of(tx, candidate_id)
        if field not in known:
            raise InvalidInput(
                f"This person has no field {field!r}, and no sequence of theirs uses it",
                where="field",
                fix=f"Use one of: {', '.join(known)}.",
            )
        if known[field] == wanted:
            return False
        if was is not None and known[field] != " ".join(was.split()):
            raise InvalidInput(
                f"Somebody set it to “{known[field]}” meanwhile",
                where="value",
                fix="Check it, and save again.",
            )
        decisions.fill_in(tx, candidate_id, field, wanted, actor=actor)
        names = [field, "full_name"] if field in ("first_name", "last_name") else [field]
        waiting = (
            person_fields.blocked(tx, candidate_id, [f"{BLOCKED}{each}" for each in names]) if wanted else []
        )
    for each in waiting:
        attention.let_go(runtime, each.id, running=each.running, actor=actor)
    log.info("person_field_changed", count=len(waiting))
    return True
