"""What becomes of a webhook after it was added: its events, whether it is called, its next secret, a delivery once more."""

import base64
import secrets
from uuid import UUID

from db.audit import audit
from db.core.crypto import Place, Sealer
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import Statement
from db.events import outbox
from db.events.webhooks import SECRET_COLUMN, listing
from domain.errors import NotFound, NotPermitted
from domain.jobs import CallWebhook
from domain.webhooks import PREFIX

_SET_EVENTS = Statement(
    "UPDATE webhooks SET events = CAST(:events AS text[]) WHERE id = :id AND organization_id = :organization_id"
    " AND removed_at IS NULL AND events IS DISTINCT FROM CAST(:events AS text[]) RETURNING id",
    UUID,
)
_DISABLE = Statement(
    "UPDATE webhooks SET disabled_at = CASE WHEN :disabled THEN clock_timestamp() END"
    " WHERE id = :id AND organization_id = :organization_id AND removed_at IS NULL"
    " AND (disabled_at IS NOT NULL) <> :disabled RETURNING id",
    UUID,
)
_NEW_SECRET = Statement(
    "UPDATE webhooks SET next_secret = :secret WHERE id = :id AND organization_id = :organization_id"
    " AND removed_at IS NULL RETURNING id",
    UUID,
)
_CONFIRM = Statement(
    "UPDATE webhooks SET secret_confirmed_at = clock_timestamp() WHERE id = :id AND organization_id = :organization_id"
    " AND removed_at IS NULL AND replacing RETURNING id",
    UUID,
)
_AGAIN = Statement(
    "UPDATE webhook_calls SET state = 'waiting', attempts = 0, lease_until = NULL"
    " WHERE webhook_id = :id AND event_id = :event AND organization_id = :organization AND state <> 'waiting' RETURNING event_id",
    UUID,
)
_CALL = Statement("SELECT state FROM webhook_calls WHERE webhook_id = :id AND event_id = :event", str)
_STANDING = Statement(
    "SELECT id FROM webhooks WHERE organization_id = :id AND removed_at IS NULL ORDER BY id", UUID
)


def set_events(
    tx: Transaction, organization_id: UUID, webhook_id: UUID, types: list[str] | None, *, actor: str
) -> bool:
    """Choose the types of events that it hears of, None: all, also of later releases. Returns False if it was so. Raises ``NotFound``."""
    _check_standing(tx, organization_id, webhook_id)
    values = {"id": webhook_id, "organization_id": organization_id}
    if _SET_EVENTS.one_or_none(tx, **values, events=types) is None:
        return False
    audit.write(
        tx, organization_id, actor, "webhook_events_chosen", f"webhook:{webhook_id}", {"events": types}
    )
    return True


def set_disabled(
    tx: Transaction, organization_id: UUID, webhook_id: UUID, *, disabled: bool, actor: str
) -> bool:
    """Call it no more, or again. Returns False if it was so. Raises ``NotFound``."""
    _check_standing(tx, organization_id, webhook_id)
    values = {"id": webhook_id, "organization_id": organization_id}
    if _DISABLE.one_or_none(tx, **values, disabled=disabled) is None:
        return False
    action = "webhook_disabled" if disabled else "webhook_enabled"
    audit.write(tx, organization_id, actor, action, f"webhook:{webhook_id}", {})
    return True


def new_secret(
    tx: Transaction, sealer: Sealer, organization_id: UUID, webhook_id: UUID, *, actor: str
) -> str:
    """Make another secret and return it; both sign until ``confirm_secret``. Raises ``NotFound``."""
    secret = PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    sealed = sealer.encrypt(secret, Place(organization_id, webhook_id, SECRET_COLUMN))
    done = _NEW_SECRET.one_or_none(tx, id=webhook_id, organization_id=organization_id, secret=sealed)
    if done is None:
        raise NotFound("There is no such webhook.")
    audit.write(tx, organization_id, actor, "webhook_secret_made", f"webhook:{webhook_id}", {})
    return secret


def confirm_secret(tx: Transaction, organization_id: UUID, webhook_id: UUID, *, actor: str) -> bool:
    """The receiver knows the new secret: the one before it signs no more. Returns False if there is no new one. Raises ``NotFound``."""
    _check_standing(tx, organization_id, webhook_id)
    if _CONFIRM.one_or_none(tx, id=webhook_id, organization_id=organization_id) is None:
        return False
    audit.write(tx, organization_id, actor, "webhook_secret_confirmed", f"webhook:{webhook_id}", {})
    return True


def send_again(tx: Transaction, organization_id: UUID, webhook_id: UUID, event_id: UUID) -> bool:
    """Call it for an event once more, up to six times. Returns False if it waits already. Raises ``NotFound``, ``NotPermitted``."""
    _check_standing(tx, organization_id, webhook_id)
    found = next(each for each in listing(tx, organization_id) if each["id"] == webhook_id)
    if found["disabled_at"] is not None:
        raise NotPermitted("This webhook is disabled. Enable it first.")
    if _CALL.one_or_none(tx, id=webhook_id, event=event_id) is None:
        raise NotFound("There is no such delivery in the last month.")
    if _AGAIN.one_or_none(tx, id=webhook_id, event=event_id, organization=organization_id) is None:
        return False
    return outbox.put(tx, CallWebhook(event_id, webhook_id), again=str(new_id()))


def _check_standing(tx: Transaction, organization_id: UUID, webhook_id: UUID) -> None:
    if webhook_id not in _STANDING.all(tx, id=organization_id):
        raise NotFound("There is no such webhook.")
