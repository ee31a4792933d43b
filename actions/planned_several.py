"""Several planned emails at once: each is changed by itself, as ``planned.change`` does, and none holds up another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from actions import planned
from actions.planned import Foreseen
from app.runtime import Runtime
from db.core.session import Transaction
from db.sending import changes
from db.sending.changes import Email
from domain.changes import Cancel, Change, Skip
from domain.errors import InvalidInput, NotFound, NotPermitted

MOST = 50  # one page of a list


@dataclass(frozen=True, slots=True)
class Whose:
    """Of which organization, and of which member's sequences; None: whosever. Emails of others do not exist."""

    organization_id: UUID | None
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one email. ``refused``: why nothing changed; ``changed`` False without it: that had been done before.

    ``person`` empty: there is no such email. ``due_at``: when it is planned now; None if it does not leave, or was refused.
    """

    id: UUID
    person: str = ""
    position: int | None = None
    changed: bool = False
    refused: InvalidInput | NotFound | NotPermitted | None = None
    due_at: datetime | None = None


def change_several(
    runtime: Runtime, delivery_ids: Sequence[UUID], wanted: Change, whose: Whose, *, actor: str
) -> list[Decided]:
    """Change planned emails. What cannot be changed says why. A repeated request changes nothing more."""
    return [_change(runtime, each, wanted, whose, actor) for each in dict.fromkeys(delivery_ids)]


def foresee_several(
    tx: Transaction, delivery_ids: Sequence[UUID], wanted: Change | None, whose: Whose
) -> list[Foreseen]:
    """Say of each email that exists whether it can be changed. ``wanted`` None: in any way. Changes nothing.

    Raises ``InvalidInput`` for a time that makes no sense for any of them.
    """
    found, wrong = [], None
    for each in dict.fromkeys(delivery_ids):
        email = _theirs(tx, each, whose)
        if email is None:
            continue
        if wanted is None:
            found.append(Foreseen(email, planned.too_late(email), []))
            continue
        try:
            found.append(planned.foresee(tx, each, wanted))
        except InvalidInput as error:
            wrong = error
            found.append(Foreseen(email, f"{error.what}.", []))
    if wrong is not None and all(each.refused for each in found):
        raise wrong
    return found


def _theirs(tx: Transaction, delivery_id: UUID, whose: Whose) -> Email | None:
    try:
        email = changes.email(tx, delivery_id)
    except NotFound:
        return None
    theirs = whose.organization_id in (None, email.organization_id) and whose.owner_id in (
        None,
        email.owner_id,
    )
    return email if theirs else None


def _change(runtime: Runtime, delivery_id: UUID, wanted: Change, whose: Whose, actor: str) -> Decided:
    with runtime.database.transaction() as tx:
        email = _theirs(tx, delivery_id, whose)
    if email is None:
        return Decided(delivery_id, refused=NotFound("There is no such email."))
    found = Decided(delivery_id, email.person, None if email.by_hand else email.position)
    try:
        found = replace(found, changed=planned.change(runtime, delivery_id, wanted, actor=actor))
    except (InvalidInput, NotFound, NotPermitted) as error:
        return replace(found, refused=error)
    if isinstance(wanted, Skip | Cancel):
        return found
    with runtime.database.transaction() as tx:
        return replace(found, due_at=changes.email(tx, delivery_id).due_at)
