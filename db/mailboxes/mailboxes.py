"""Mailboxes and their connections: connect in place, store the settings snapshot, and load what a check needs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from db.audit import audit
from db.core.jsonb import dump_json
from db.core.session import Transaction, database_now
from db.core.statements import SqlFile, Statement
from db.events import events
from db.mailboxes import sender_addresses, senders
from db.sending import absences
from db.sending.gate import lock_lane
from domain.authority import BY_A_PERSON
from domain.connection import CLEARED_BY_SIGN_IN
from domain.errors import NotPermitted
from domain.event_payloads import MailboxReconnected
from domain.provider_words import PROVIDER_WORDS
from domain.zones import in_zones


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A stored mailbox. ``status_reason`` is set only while it is disconnected."""

    id: UUID
    organization_id: UUID
    owner_id: UUID | None  # None: a sender address
    address: str
    provider: str
    status: str
    status_reason: str | None
    connection_version: int
    tenant_id: str | None
    scopes: Sequence[str]
    account_id: str | None  # the account's id at the provider; survives a rename
    refused_sending: str | None  # the code of a refusal that only a successful email can clear

    @property
    def has_connection(self) -> bool:
        """Is there a connection to check? A refused one counts; a removed or disabled one does not."""
        lost = self.status == "disconnected" and self.status_reason not in ("removed", "disabled")
        return self.status == "connected" or lost

    @property
    def out_of_use(self) -> bool:
        """Never connected, or disconnected by a person's decision: no check reverses that, whenever it was planned."""
        by_decision = self.status_reason in BY_A_PERSON
        return self.status == "never_connected" or by_decision


class _Reopened(NamedTuple):
    connection_version: int
    zone: str | None


_SQL = SqlFile(__name__)
_LOAD = Statement("SELECT * FROM mailboxes WHERE id = :id", Mailbox)
_ZONE_OF = Statement("SELECT zone FROM lanes WHERE mailbox_id = :id", str)
_MARK_CONNECTED = _SQL.statement("mark_connected", int)
_KEEP_CLOSED = _SQL.statement("keep_closed", int)
_REOPEN = _SQL.statement("reopen", _Reopened)
_OPEN_LANE = _SQL.statement("open_lane")
_ORGANIZATION = Statement("SELECT organization_id FROM mailboxes WHERE id = :id", UUID)
_SET_SETTINGS = _SQL.statement("set_settings")
_SET_ZONE = Statement("UPDATE lanes SET zone = :zone WHERE mailbox_id = :id AND zone <> :zone")
_HOME_ZONE = Statement("SELECT time_zone FROM organizations WHERE id = :id", str)


def load(tx: Transaction, mailbox_id: UUID) -> Mailbox | None:
    """Return a mailbox, or None."""
    return _LOAD.one_or_none(tx, id=mailbox_id)


def zone_of(tx: Transaction, mailbox_id: UUID) -> str:
    """Return the time zone that defines a mailbox's days."""
    return _ZONE_OF.one(tx, id=mailbox_id)


def lock(tx: Transaction, mailbox: Mailbox) -> None:
    """Lock what a change of the mailbox affects: its lane, and for a sender address the lanes of all sender addresses."""
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
    """Connect the mailbox, replacing any connection: its version goes up and its lane opens. The caller has locked it (``lock``).

    Nothing resumes automatically, and archived grants stay archived. ``account_id``: empty if the provider names none; a known
    one is kept. If the provider refuses its emails for something no sign-in changes, the mailbox stays closed, but with what it
    needs to send a test email (``reopen``). Raises ``NotPermitted`` if the account is connected as another mailbox.
    """
    now = load(tx, mailbox.id)  # under the lock: it may have been refused after the caller read it
    refused = now is not None and now.refused_sending is not None and now.provider == provider
    keeps_closed = now is not None and refused and now.status_reason not in CLEARED_BY_SIGN_IN
    if mailbox.owner_id is None:
        sender_addresses.check_may_send(tx, mailbox.id, provider=provider, tenant_id=tenant_id)
    settled = _in_zones(tx, mailbox.organization_id, settings)
    write = _KEEP_CLOSED if keeps_closed else _MARK_CONNECTED
    try:
        with tx.begin_nested():
            version = write.one(
                tx,
                id=mailbox.id,
                provider=provider,
                scopes=sorted(scopes),
                tenant_id=tenant_id,
                account_id=account_id,
                settings=dump_json(settled),
            )
    except IntegrityError as error:
        # Another organization's, which is invisible here, or connected a moment ago.
        if "uq_mailboxes_connected" in str(error.orig):
            raise NotPermitted(
                f"Another organization already sends from {mailbox.address}. Disconnect it there first, or ask"
                " the operators of Onbehalf."
            ) from error
        raise NotPermitted(
            f"{mailbox.address} belongs to the same {PROVIDER_WORDS[provider].account} as another mailbox. An account can be connected only once."
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
    """Reopen a mailbox whose emails were refused: one has left. The caller has locked it (``lock``).

    Returns False if somebody has removed or connected it since.
    """
    row = _REOPEN.one_or_none(tx, id=mailbox.id, version=mailbox.connection_version)
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
    """Open the lane after a connection, and notify those who waited for it."""
    _OPEN_LANE.run(tx, id=mailbox.id, zone=zone)
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
            MailboxReconnected(mailbox=mailbox.address, mailbox_id=mailbox.id, actor=actor),
            f"mailbox_connected:{mailbox.id}:{version}",
            actor,
        )


def refresh_settings(
    tx: Transaction,
    mailbox_id: UUID,
    connection_version: int,
    settings: Mapping[str, object],
) -> None:
    """Store a snapshot of the provider's settings (zone, hours, absence); emails held for the sender move accordingly."""
    organization_id: UUID | None = _ORGANIZATION.one_or_none(tx, id=mailbox_id)
    if organization_id is None:
        return
    settled = absences.refresh(tx, mailbox_id, _in_zones(tx, organization_id, settings))
    _SET_SETTINGS.run(tx, id=mailbox_id, version=connection_version, settings=dump_json(settled))
    _SET_ZONE.run(tx, id=mailbox_id, zone=settled["zone"])


def _in_zones(tx: Transaction, organization_id: UUID, settings: Mapping[str, object]) -> dict[str, object]:
    home: str = _HOME_ZONE.one(tx, id=organization_id)
    return in_zones(settings, home, database_now(tx))
