"""Sessions and pending sign-ins. We store only hashes of cookies and states."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.crypto import Place
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.audit import Actor, ActorKind

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
SIGN_IN_WITHIN = timedelta(minutes=10)
FRESH_FOR = timedelta(minutes=15)  # after that, the most sensitive actions ask for a new sign-in
_TOUCH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Member:
    """The member who is signed in."""

    id: UUID
    organization_id: UUID
    organization: str
    name: Actor  # the actor for what this member does
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session. ``fresh``: it began a moment ago."""

    member: Member
    id: UUID
    fresh: bool


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its member sees it in a list."""

    id: UUID
    browser: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class KeptToken:
    """The sealed refresh token of a sign-in."""

    organization_id: UUID
    sealed: bytes = field(repr=False)


class _Opened(NamedTuple):
    organization_id: UUID
    name: str


class _Session(NamedTuple):
    session_id: UUID
    fresh: bool
    rested: bool
    id: UUID
    organization_id: UUID
    name: str
    email: str
    role: str
    organization: str


class _Ended(NamedTuple):
    organization_id: UUID
    member_id: UUID


class _Found(NamedTuple):
    id: UUID
    account_id: str | None


class _Taken(NamedTuple):
    purpose: str
    member_id: UUID | None
    flow: bytes
    fresh: bool


_SQL = SqlFile(__name__)
_KEEPS_TOKEN = Statement("SELECT EXISTS (SELECT FROM sessions WHERE member_id = :id AND keeps_token)", bool)
_OPEN = _SQL.statement("open", _Opened)
_SESSION = _SQL.statement("session", _Session)
_TOUCH = Statement("UPDATE sessions SET seen_at = clock_timestamp() WHERE token_hash = :hash")
_OWNER_OF_ACCOUNT = _SQL.statement("owner_of_account", UUID)
_CLOSE = Statement(
    "DELETE FROM sessions WHERE token_hash = :hash RETURNING organization_id, member_id", _Ended
)
_END = Statement(
    "DELETE FROM sessions WHERE member_id = :member AND id = :id RETURNING organization_id, member_id", _Ended
)
_END_ALL = Statement(
    "DELETE FROM sessions WHERE member_id = :member RETURNING organization_id, member_id", _Ended
)
_OPEN_SESSIONS = Statement(
    "SELECT id, browser, created_at, seen_at FROM sessions WHERE member_id = :id"
    " AND seen_at > clock_timestamp() - :idle AND created_at > clock_timestamp() - :longest ORDER BY created_at DESC",
    OpenSession,
)
_KEPT_TOKEN = Statement(
    "SELECT organization_id, refresh_token AS sealed FROM sessions WHERE member_id = :id AND refresh_token IS NOT NULL"
    " ORDER BY created_at DESC LIMIT 1",
    KeptToken,
)
_FORGET_TOKENS = Statement("UPDATE sessions SET refresh_token = NULL WHERE member_id = :id")
_WITHOUT_MAILBOX = Statement(
    "SELECT m.organization_id FROM members m WHERE m.id = :id"
    " AND NOT EXISTS (SELECT FROM mailboxes b WHERE b.owner_id = m.id AND b.status = 'connected')",
    UUID,
)
_ORGANIZATION_OF = Statement("SELECT id FROM organizations WHERE tenant_id = :tenant", UUID)
_MEMBER = _SQL.statement("member", _Found)
_SET_ACCOUNT = Statement("UPDATE members SET account_id = :account WHERE id = :id")
_KEEP_SIGN_IN = Statement(
    "INSERT INTO sign_ins (state_hash, browser_hash, purpose, member_id, flow)"
    " VALUES (:state, :browser, :purpose, :member_id, :flow)"
)
_TAKE_SIGN_IN = Statement(
    "DELETE FROM sign_ins WHERE state_hash = :state AND browser_hash = :browser"
    " RETURNING purpose, member_id, flow, created_at > clock_timestamp() - :within AS fresh",
    _Taken,
)
_PURGE = Statement(
    "WITH old AS (DELETE FROM sign_ins WHERE created_at < clock_timestamp() - :within)"
    " DELETE FROM sessions WHERE seen_at < clock_timestamp() - :idle OR created_at < clock_timestamp() - :longest"
)
_TRUST_TENANT = Statement("UPDATE organizations SET tenant_id = :tenant WHERE id = :id")


def place(organization_id: UUID, member_id: UUID) -> Place:
    """Return where a sign-in's refresh token is stored."""
    return Place(organization_id, member_id, "sessions.refresh_token")


def keeps_token(tx: Transaction, member_id: UUID) -> bool:
    """Do we keep the refresh token of one of the member's sign-ins?"""
    return _KEEPS_TOKEN.one(tx, id=member_id)


def open_session(
    tx: Transaction, member_id: UUID, *, browser: str = "", refresh_token: bytes | None = None
) -> str:
    """Open a session; returns the cookie's value, which we do not store. ``refresh_token``: of the sign-in, sealed."""
    token = secrets.token_urlsafe(32)
    member = _OPEN.one(tx, hash=_hash(token), id=member_id, browser=browser[:60], refresh_token=refresh_token)
    actor = Actor(ActorKind.MEMBER, member_id, member.name)
    audit.write(tx, member.organization_id, actor, "signed_in", f"member:{member_id}", {})
    return token


def session_of(tx: Transaction, token: str, *, touch: bool = True) -> Session | None:
    """Return a cookie's session if it has not expired and its member is active, or None. ``touch``: it is in use."""
    row = _SESSION.one_or_none(
        tx, hash=_hash(token), touch=_TOUCH_EVERY, idle=IDLE, longest=LONGEST, fresh=FRESH_FOR
    )
    if row is None:
        return None
    if row.rested and touch:
        _TOUCH.run(tx, hash=_hash(token))
    name = Actor(ActorKind.MEMBER, row.id, row.name)
    member = Member(row.id, row.organization_id, row.organization, name, row.email, row.role)
    return Session(member, row.session_id, row.fresh)


def close_session(tx: Transaction, token: str) -> None:
    """Sign out. Does nothing if the session is not open."""
    _audit(tx, _CLOSE.all(tx, hash=_hash(token)))


def end_session(tx: Transaction, member_id: UUID, session_id: UUID) -> None:
    """End one of the member's sessions."""
    _audit(tx, _END.all(tx, member=member_id, id=session_id))


def end_all(tx: Transaction, member_id: UUID) -> int:
    """End all sessions of a member; returns how many there were."""
    ended = _END_ALL.all(tx, member=member_id)
    _audit(tx, ended)
    return len(ended)


def end_for_mailbox(tx: Transaction, mailbox_id: UUID, connection_version: int) -> None:
    """Sign out the member who signed in with the mailbox's account, which is disabled."""
    owner_id = _OWNER_OF_ACCOUNT.one_or_none(tx, id=mailbox_id, version=connection_version)
    if owner_id is not None:
        end_all(tx, owner_id)


def _audit(tx: Transaction, ended: Sequence[_Ended]) -> None:
    for row in ended:
        subject = f"member:{row.member_id}"
        audit.write(tx, row.organization_id, subject, "signed_out", subject, {})


def open_sessions(tx: Transaction, member_id: UUID) -> list[OpenSession]:
    """Return the member's open sessions, newest first."""
    return _OPEN_SESSIONS.all(tx, id=member_id, idle=IDLE, longest=LONGEST)


def kept_token(tx: Transaction, member_id: UUID) -> KeptToken | None:
    """Return the refresh token of the member's newest sign-in that has one, or None."""
    return _KEPT_TOKEN.one_or_none(tx, id=member_id)


def forget_tokens(tx: Transaction, member_id: UUID) -> None:
    """Delete the tokens of the member's sign-ins: they have connected, so there is no approval to wait for."""
    _FORGET_TOKENS.run(tx, id=member_id)


def without_mailbox(tx: Transaction, member_id: UUID) -> UUID | None:
    """Return the member's organization if they have no connected mailbox, or None."""
    return _WITHOUT_MAILBOX.one_or_none(tx, id=member_id)


def organization_of(tx: Transaction, tenant_id: str) -> UUID | None:
    """Return the organization that trusts a tenant, or None."""
    return _ORGANIZATION_OF.one_or_none(tx, tenant=tenant_id)


def member_of(tx: Transaction, tenant_id: str, account_id: str, names: Sequence[str] = ()) -> UUID | None:
    """Return the active member with this Microsoft account, or None.

    Operators have named the organization's tenant. Within it, the account from the member's first sign-in counts. A member who
    never signed in is found by one of the account's ``names`` as Microsoft states them, best first (their address, or what an
    identity provider calls them), and from then on by the account: an address may change hands, and a name from another tenant proves nothing.
    """
    found = _MEMBER.one_or_none(tx, tenant=tenant_id, account=account_id, names=list(names))
    if found is None:
        return None
    if found.account_id is None:
        _SET_ACCOUNT.run(tx, account=account_id, id=found.id)
    return found.id


def sign_in_failed(tx: Transaction, organization_id: UUID, account_id: str, reason: str) -> None:
    """Record that an account of the organization's tenant was not let in."""
    audit.write(
        tx,
        organization_id,
        "Microsoft",
        "sign_in_failed",
        f"organization:{organization_id}",
        {"account_id": account_id, "reason": reason},
    )


@dataclass(frozen=True, slots=True)
class SignIn:
    """A pending sign-in. ``flow`` is encrypted. ``member_id``: the member who connects a mailbox; None = somebody signs in."""

    purpose: str
    member_id: UUID | None
    flow: bytes


def keep_sign_in(tx: Transaction, state: str, browser: str, sign_in: SignIn) -> None:
    """Store a sign-in until its answer comes."""
    _KEEP_SIGN_IN.run(
        tx,
        state=_hash(state),
        browser=_hash(browser),
        purpose=sign_in.purpose,
        member_id=sign_in.member_id,
        flow=sign_in.flow,
    )


def take_sign_in(tx: Transaction, state: str, browser: str) -> SignIn | None:
    """Take a sign-in, once. Returns None if it is unknown, from another browser, too old, or already answered."""
    row = _TAKE_SIGN_IN.one_or_none(tx, state=_hash(state), browser=_hash(browser), within=SIGN_IN_WITHIN)
    return SignIn(row.purpose, row.member_id, row.flow) if row is not None and row.fresh else None


def purge(tx: Transaction) -> None:
    """Delete expired sessions and sign-ins."""
    _PURGE.run(tx, idle=IDLE, longest=LONGEST, within=SIGN_IN_WITHIN)


def trust_tenant(tx: Transaction, organization_id: UUID, tenant_id: str, *, actor: str) -> None:
    """Let accounts of this tenant sign in as the organization's members from now on."""
    _TRUST_TENANT.run(tx, tenant=tenant_id, id=organization_id)
    subject = f"organization:{organization_id}"
    audit.write(tx, organization_id, actor, "tenant_trusted", subject, {"tenant_id": tenant_id})


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
