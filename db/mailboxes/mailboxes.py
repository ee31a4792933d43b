"""Mailboxes and their connections: connect in place, keep the settings snapshot, and what a check needs to know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.audit import audit
from db.core.jsonb import dump_json
from db.core.session import Transaction, database_now
from db.events import events
from db.mailboxes import sender_addresses, senders
from db.sending import absences
from db.sending.gate import lock_lane
from domain.authority import BY_A_PERSON
from domain.connection import CLEARED_BY_SIGN_IN
from domain.errors import NotPermitted
from domain.events import EventKind
from domain.zones import in_zones


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox as stored. ``status_reason`` is set only while it is disconnected."""

    id: UUID
    organization_id: UUID
    owner_id: UUID | None  # None: a company's
    address: str
    provider: str
    status: str
    status_reason: str | None
    connection_version: int
    tenant_id: str | None
    scopes: frozenset[str]
    account_id: str | None  # the account's id at the provider, which a rename does not change
    refused_sending: str | None  # the code of a refusal that only an email which leaves shows to be over

    @property
    def has_connection(self) -> bool:
        """Is there a connection to ask about? One that the provider refuses counts; a removed one does not."""
        lost = self.status == "disconnected" and self.status_reason not in ("removed", "disabled")
        return self.status == "connected" or lost

    @property
    def out_of_use(self) -> bool:
        """Never connected, or out of use by a person's decision: no check takes that back, whenever it was planned."""
        by_decision = self.status_reason in BY_A_PERSON
        return self.status == "never_connected" or by_decision


def load(tx: Transaction, mailbox_id: UUID) -> Mailbox | None:
    """One mailbox, or None."""
    row = tx.execute(text("SELECT * FROM mailboxes WHERE id = :id"), {"id": mailbox_id}).one_or_none()
    if row is None:
        return None
    return Mailbox(
        row.id,
        row.organization_id,
        row.owner_id,
        row.address,
        row.provider,
        row.status,
        row.status_reason,
        row.connection_version,
        row.tenant_id,
        frozenset(row.scopes),
        row.account_id,
        row.refused_sending,
    )


def zone_of(tx: Transaction, mailbox_id: UUID) -> str:
    """The time zone whose days a mailbox counts by."""
    zone: str = tx.execute(
        text("SELECT zone FROM lanes WHERE mailbox_id = :id"), {"id": mailbox_id}
    ).scalar_one()
    return zone


def lock(tx: Transaction, mailbox: Mailbox) -> None:
    """Lock what a change of the mailbox's state touches: its lane, and for a sender address those of all of them."""
    if mailbox.owner_id is None:
        senders.lock_lanes(tx, mailbox.organization_id)
    lock_lane(tx, mailbox.id)


def mark_connected(
    tx: Transaction,
    mailbox: Mailbox,
    *,
    actor: str,
    provider: str,
    scopes: Iterable[str],
    tenant_id: str,
    account_id: str,
    settings: Mapping[str, object],
) -> None:
    """A new connection, in place of any other: its version counts up and the lane opens, which the caller has locked (``lock``).

    Nothing resumes by itself, and grants that were archived stay so. ``account_id``: empty where the provider names none;
    one known from before is kept. A mailbox whose emails Microsoft refuses for what no sign-in changes stays closed, with what
    it needs to send a test email (``reopen``). Raises ``NotPermitted``: the account is connected as another mailbox.
    """
    now = load(tx, mailbox.id)  # under the lock: it may have been refused since the caller read it
    refused = now is not None and now.refused_sending is not None and now.provider == provider
    keeps_closed = now is not None and refused and now.status_reason not in CLEARED_BY_SIGN_IN
    if mailbox.owner_id is None:
        sender_addresses.check_may_send(tx, mailbox.id, provider=provider, tenant_id=tenant_id)
    settled = _in_zones(tx, mailbox.organization_id, settings)
    opens = (
        ""
        if keeps_closed
        else " status = 'connected', status_reason = NULL, refused_sending = NULL, connection_version = connection_version + 1,"
        " provider = :provider, connected_at = clock_timestamp(), disconnected_at = NULL,"
    )
    try:
        with tx.begin_nested():
            version: int = tx.execute(
                text(
                    f"UPDATE mailboxes SET{opens} scopes = :scopes,"
                    " tenant_id = coalesce(nullif(:tenant_id, ''), tenant_id),"
                    " account_id = coalesce(nullif(:account_id, ''), account_id), settings = CAST(:settings AS jsonb),"
                    " settings_at = clock_timestamp(), checked_at = clock_timestamp() WHERE id = :id RETURNING connection_version"
                ),
                {
                    "id": mailbox.id,
                    **({} if keeps_closed else {"provider": provider}),
                    "scopes": sorted(scopes),
                    "tenant_id": tenant_id,
                    "account_id": account_id,
                    "settings": dump_json(settled),
                },
            ).scalar_one()
    except IntegrityError as error:
        # Another organization's, of which nobody here sees anything, or connected a moment ago.
        if "uq_mailboxes_connected" in str(error.orig):
            raise NotPermitted(
                f"Emails are sent from {mailbox.address} for another organization already. Disconnect it there first, or ask"
                " the operators of Onbehalf."
            ) from error
        raise NotPermitted(
            f"{mailbox.address} is the same Microsoft account as another mailbox. One account is connected once."
        ) from error
    if now is not None and keeps_closed:
        audit.write(
            tx,
            mailbox.organization_id,
            actor,
            "mailbox_signed_in",
            f"mailbox:{mailbox.id}",
            {"still_refused": now.status_reason},
        )
        return
    _opened(tx, mailbox, actor, version, provider, scopes, str(settled["zone"]))


def reopen(tx: Transaction, mailbox: Mailbox, *, actor: str) -> bool:
    """An email has left a mailbox that was closed because its emails were refused. The caller has locked it (``lock``).

    False: somebody has removed or connected it meanwhile.
    """
    row = tx.execute(
        text(
            "UPDATE mailboxes SET status = 'connected', status_reason = NULL, refused_sending = NULL,"
            " connection_version = connection_version + 1, checked_at = clock_timestamp(), connected_at = clock_timestamp(),"
            " disconnected_at = NULL WHERE id = :id AND status = 'disconnected' AND connection_version = :version"
            " AND status_reason NOT IN ('removed', 'disabled') RETURNING connection_version, settings->>'zone' AS zone"
        ),
        {"id": mailbox.id, "version": mailbox.connection_version},
    ).one_or_none()
    if row is None:
        return False
    _opened(tx, mailbox, actor, row.connection_version, mailbox.provider, mailbox.scopes, row.zone or "UTC")
    return True


def _opened(
    tx: Transaction,
    mailbox: Mailbox,
    actor: str,
    version: int,
    provider: str,
    scopes: Iterable[str],
    zone: str,
) -> None:
    """What follows from a connection: the lane opens, and whoever waited for it hears of it."""
    tx.execute(
        text(
            "UPDATE lanes SET open = true, epoch = epoch + 1, retry_after_until = NULL, wait_reason = NULL, zone = :zone,"
            " next_due_at = (SELECT min(due_at) FROM deliveries WHERE mailbox_id = :id AND state = 'pending' AND NOT held)"
            " WHERE mailbox_id = :id"
        ),
        {"id": mailbox.id, "zone": zone},
    )
    if mailbox.owner_id is None:
        senders.repoint(tx, mailbox.organization_id)
        sender_addresses.notify_admins(
            tx, mailbox.organization_id, mailbox.id, mailbox.address, "connected", actor=actor
        )
    data = {"connection_version": version, "provider": provider, "scopes": sorted(scopes)}
    audit.write(
        tx,
        mailbox.organization_id,
        actor,
        "mailbox_connected",
        f"mailbox:{mailbox.id}",
        data,
    )
    if mailbox.status == "disconnected":
        events.record(
            tx,
            mailbox.organization_id,
            EventKind.MAILBOX_RECONNECTED,
            f"mailbox_connected:{mailbox.id}:{version}",
            actor,
            {"mailbox": mailbox.address, "mailbox_id": str(mailbox.id), "actor": actor},
        )


def refresh_settings(
    tx: Transaction,
    mailbox_id: UUID,
    connection_version: int,
    settings: Mapping[str, object],
) -> None:
    """Keep the snapshot of what the provider says of the mailbox (zone, hours, absence); emails that waited for the sender move."""
    organization_id: UUID | None = tx.execute(
        text("SELECT organization_id FROM mailboxes WHERE id = :id"), {"id": mailbox_id}
    ).scalar_one_or_none()
    if organization_id is None:
        return
    settled = absences.refresh(tx, mailbox_id, _in_zones(tx, organization_id, settings))
    tx.execute(
        text(
            "UPDATE mailboxes SET settings = CAST(:settings AS jsonb), settings_at = clock_timestamp(),"
            " reading_until = NULL, unread_until = NULL, checked_at = clock_timestamp() WHERE id = :id AND connection_version = :version"
        ),
        {
            "id": mailbox_id,
            "version": connection_version,
            "settings": dump_json(settled),
        },
    )
    tx.execute(
        text("UPDATE lanes SET zone = :zone WHERE mailbox_id = :id AND zone <> :zone"),
        {"id": mailbox_id, "zone": settled["zone"]},
    )


def _in_zones(tx: Transaction, organization_id: UUID, settings: Mapping[str, object]) -> dict[str, object]:
    home: str = tx.execute(
        text("SELECT time_zone FROM organizations WHERE id = :id"), {"id": organization_id}
    ).scalar_one()
    return in_zones(settings, home, database_now(tx))
