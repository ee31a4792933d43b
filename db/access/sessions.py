"""Sessions and pending sign-ins. We store only hashes of cookies and states."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.crypto import Place
from db.core.session import Transaction
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


def place(organization_id: UUID, member_id: UUID) -> Place:
    """Return where a sign-in's refresh token is stored."""
    return Place(organization_id, member_id, "sessions.refresh_token")


def keeps_token(tx: Transaction, member_id: UUID) -> bool:
    """Do we keep the refresh token of one of the member's sign-ins?"""
    found: bool = tx.execute(
        text("SELECT EXISTS (SELECT FROM sessions WHERE member_id = :id AND keeps_token)"), {"id": member_id}
    ).scalar_one()
    return found


def open_session(
    tx: Transaction, member_id: UUID, *, browser: str = "", refresh_token: bytes | None = None
) -> str:
    """Open a session; returns the cookie's value, which we do not store. ``refresh_token``: of the sign-in, sealed."""
    token = secrets.token_urlsafe(32)
    member = tx.execute(
        text(
            "WITH opened AS (INSERT INTO sessions (token_hash, organization_id, member_id, browser, refresh_token)"
            " SELECT :hash, organization_id, id, :browser, :refresh_token FROM members WHERE id = :id RETURNING member_id)"
            " SELECT m.organization_id, m.name FROM members m JOIN opened ON opened.member_id = m.id"
        ),
        {"hash": _hash(token), "id": member_id, "browser": browser[:60], "refresh_token": refresh_token},
    ).one()
    actor = Actor(ActorKind.MEMBER, member_id, member.name)
    audit.write(tx, member.organization_id, actor, "signed_in", f"member:{member_id}", {})
    return token


def session_of(tx: Transaction, token: str) -> Session | None:
    """Return a cookie's session if it has not expired and its member is active, or None."""
    row = tx.execute(
        text(
            "SELECT s.id AS session_id, s.created_at > clock_timestamp() - :fresh AS fresh,"
            " s.seen_at < clock_timestamp() - :touch AS rested, m.id, m.organization_id, m.name, m.email,"
            " m.role, o.name AS organization FROM sessions s JOIN members m ON m.id = s.member_id"
            " JOIN organizations o ON o.id = m.organization_id WHERE s.token_hash = :hash AND m.active"
            " AND s.seen_at > clock_timestamp() - :idle AND s.created_at > clock_timestamp() - :longest"
        ),
        {
            "hash": _hash(token),
            "touch": _TOUCH_EVERY,
            "idle": IDLE,
            "longest": LONGEST,
            "fresh": FRESH_FOR,
        },
    ).one_or_none()
    if row is None:
        return None
    if row.rested:
        tx.execute(
            text("UPDATE sessions SET seen_at = clock_timestamp() WHERE token_hash = :hash"),
            {"hash": _hash(token)},
        )
    name = Actor(ActorKind.MEMBER, row.id, row.name)
    member = Member(row.id, row.organization_id, row.organization, name, row.email, row.role)
    return Session(member, row.session_id, row.fresh)


def close_session(tx: Transaction, token: str) -> None:
    """Sign out. Does nothing if the session is not open."""
    _end(tx, "token_hash = :hash", {"hash": _hash(token)})


def end_session(tx: Transaction, member_id: UUID, session_id: UUID) -> None:
    """End one of the member's sessions."""
    _end(tx, "member_id = :member AND id = :id", {"member": member_id, "id": session_id})


def end_all(tx: Transaction, member_id: UUID) -> int:
    """End all sessions of a member; returns how many there were."""
    return _end(tx, "member_id = :member", {"member": member_id})


def end_for_mailbox(tx: Transaction, mailbox_id: UUID, connection_version: int) -> None:
    """Sign out the member who signed in with the mailbox's account, which is disabled."""
    owner_id = tx.execute(
        text(
            "SELECT m.id FROM mailboxes b JOIN members m ON m.id = b.owner_id WHERE b.id = :id AND b.connection_version = :version"
            " AND (m.account_id IS NULL OR nullif(b.account_id, '') IS NULL OR m.account_id = b.account_id)"
        ),
        {"id": mailbox_id, "version": connection_version},
    ).scalar_one_or_none()
    if owner_id is not None:
        end_all(tx, owner_id)


def _end(tx: Transaction, condition: str, values: dict[str, object]) -> int:
    ended = tx.execute(
        text(f"DELETE FROM sessions WHERE {condition} RETURNING organization_id, member_id"), values
    ).all()
    for row in ended:
        subject = f"member:{row.member_id}"
        audit.write(tx, row.organization_id, subject, "signed_out", subject, {})
    return len(ended)


def open_sessions(tx: Transaction, member_id: UUID) -> list[OpenSession]:
    """Return the member's open sessions, newest first."""
    rows = tx.execute(
        text(
            "SELECT id, browser, created_at, seen_at FROM sessions WHERE member_id = :id"
            " AND seen_at > clock_timestamp() - :idle AND created_at > clock_timestamp() - :longest ORDER BY created_at DESC"
        ),
        {"id": member_id, "idle": IDLE, "longest": LONGEST},
    ).all()
    return [OpenSession(*row) for row in rows]


def kept_token(tx: Transaction, member_id: UUID) -> KeptToken | None:
    """Return the refresh token of the member's newest sign-in that has one, or None."""
    row = tx.execute(
        text(
            "SELECT organization_id, refresh_token FROM sessions WHERE member_id = :id AND refresh_token IS NOT NULL"
            " ORDER BY created_at DESC LIMIT 1"
        ),
        {"id": member_id},
    ).one_or_none()
    return None if row is None else KeptToken(row.organization_id, bytes(row.refresh_token))


def forget_tokens(tx: Transaction, member_id: UUID) -> None:
    """Delete the tokens of the member's sign-ins: they have connected, so there is no approval to wait for."""
    tx.execute(text("UPDATE sessions SET refresh_token = NULL WHERE member_id = :id"), {"id": member_id})


def without_mailbox(tx: Transaction, member_id: UUID) -> UUID | None:
    """Return the member's organization if they have no connected mailbox, or None."""
    found: UUID | None = tx.execute(
        text(
            "SELECT m.organization_id FROM members m WHERE m.id = :id"
            " AND NOT EXISTS (SELECT FROM mailboxes b WHERE b.owner_id = m.id AND b.status = 'connected')"
        ),
        {"id": member_id},
    ).scalar_one_or_none()
    return found


def organization_of(tx: Transaction, tenant_id: str) -> UUID | None:
    """Return the organization that trusts a tenant, or None."""
    found: UUID | None = tx.execute(
        text("SELECT id FROM organizations WHERE tenant_id = :tenant"), {"tenant": tenant_id}
    ).scalar_one_or_none()
    return found


def member_of(tx: Transaction, tenant_id: str, account_id: str, names: Sequence[str] = ()) -> UUID | None:
    """Return the active member with this Microsoft account, or None.

    Operators have named the organization's tenant. Within it, the account from the member's first sign-in counts. A member who
    never signed in is found by one of the account's ``names`` as Microsoft states them, best first, and from then on by the
    account: an address may change hands, and a name from another tenant proves nothing.
    """
    found = tx.execute(
        text(
            "SELECT m.id, m.account_id FROM members m JOIN organizations o ON o.id = m.organization_id"
            " WHERE o.tenant_id = :tenant AND m.active"
            " AND (m.account_id = :account OR (m.account_id IS NULL AND m.email = ANY(:names)))"
            " ORDER BY m.account_id NULLS LAST, array_position(CAST(:names AS text[]), m.email) LIMIT 1 FOR UPDATE OF m"
        ),
        {"tenant": tenant_id, "account": account_id, "names": list(names)},
    ).one_or_none()
    if found is None:
        return None
    if found.account_id is None:
        tx.execute(
            text("UPDATE members SET account_id = :account WHERE id = :id"),
            {"account": account_id, "id": found.id},
        )
    member_id: UUID = found.id
    return member_id


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
    tx.execute(
        text(
            "INSERT INTO sign_ins (state_hash, browser_hash, purpose, member_id, flow)"
            " VALUES (:state, :browser, :purpose, :member_id, :flow)"
        ),
        {
            "state": _hash(state),
            "browser": _hash(browser),
            "purpose": sign_in.purpose,
            "member_id": sign_in.member_id,
            "flow": sign_in.flow,
        },
    )


def take_sign_in(tx: Transaction, state: str, browser: str) -> SignIn | None:
    """Take a sign-in, once. Returns None if it is unknown, from another browser, too old, or already answered."""
    row = tx.execute(
        text(
            "DELETE FROM sign_ins WHERE state_hash = :state AND browser_hash = :browser"
            " RETURNING purpose, member_id, flow, created_at > clock_timestamp() - :within AS fresh"
        ),
        {"state": _hash(state), "browser": _hash(browser), "within": SIGN_IN_WITHIN},
    ).one_or_none()
    return SignIn(row.purpose, row.member_id, row.flow) if row is not None and row.fresh else None


def purge(tx: Transaction) -> None:
    """Delete expired sessions and sign-ins."""
    limits = {"idle": IDLE, "longest": LONGEST, "within": SIGN_IN_WITHIN}
    tx.execute(
        text(
            "WITH old AS (DELETE FROM sign_ins WHERE created_at < clock_timestamp() - :within)"
            " DELETE FROM sessions WHERE seen_at < clock_timestamp() - :idle OR created_at < clock_timestamp() - :longest"
        ),
        limits,
    )


def trust_tenant(tx: Transaction, organization_id: UUID, tenant_id: str, *, actor: str) -> None:
    """Let accounts of this tenant sign in as the organization's members from now on."""
    tx.execute(
        text("UPDATE organizations SET tenant_id = :tenant WHERE id = :id"),
        {"tenant": tenant_id, "id": organization_id},
    )
    subject = f"organization:{organization_id}"
    audit.write(tx, organization_id, actor, "tenant_trusted", subject, {"tenant_id": tenant_id})


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
