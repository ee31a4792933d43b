"""How many emails a mailbox sends a day, changed by its owner or an admin while emails wait."""

from uuid import UUID

import structlog

from app.runtime import Runtime
from db.audit import audit
from db.mailboxes import limits
from domain.errors import InvalidInput
from domain.hand_edits import Overtaken
from domain.lane import MAX_DAILY_CAP

log = structlog.get_logger()


def set_daily_cap(
    runtime: Runtime, mailbox_id: UUID, cap: int, *, was: int | None = None, actor: str
) -> bool:
    """Let the mailbox send at most ``cap`` emails a day, counting those of today. Returns False if it was so.

    Raised: what waits for tomorrow goes on today, at the mailbox's pace. ``was``: what its author read, None: whatever it is.
    Raises ``NotFound``, ``InvalidInput``, ``Overtaken``.
    """
    if not 1 <= cap <= MAX_DAILY_CAP:
        raise InvalidInput(
            f"{cap} is no limit of a day", where="daily_cap", fix=f"Give 1 to {MAX_DAILY_CAP:,} emails."
        )
    with runtime.database.transaction() as tx:
        present = limits.lock(tx, mailbox_id)
        if present == cap:
            return False
        if was is not None and was != present:
            raise Overtaken(
                f"Somebody has set this limit to {present:,} since you opened it. Nothing was saved."
            )
        limits.set_cap(tx, mailbox_id, cap)
        audit.write(
            tx,
            limits.of(tx, mailbox_id).organization_id,
            actor,
            "mailbox_limit_set",
            f"mailbox:{mailbox_id}",
            {"daily_cap": cap, "was": present},
        )
    log.info("mailbox_limit_set", mailbox_id=str(mailbox_id))
    return True
