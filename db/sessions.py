"""Who is signed in, and whose sign-in is under way. Only hashes of cookies and states are stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from db import audit
from db.session import Transaction
from domain.audit import Actor, ActorKind

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
SIGN_IN_WITHIN = timedelta(minutes=10)
_TOUCH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Member:
    """Who has signed in."""

    id: UUID
    organization_id: UUID
    organization: str
    name: Actor  # who acts when this member does something
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's session. ``form_key`` is in every form that the session is shown."""

    member: Member
    form_key: str


def open_session(tx: Transaction, member_id: UUID) -> str:
    """A new session; returns the cookie's value, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    member = tx.execute(
        text(
            "WITH opened AS (INSERT INTO sessions (token_hash, organization_id, member_id, form_key)"
            " SELECT :hash, organization_id, id, :form_key FROM members WHERE id = :id RETURNING member_id)"
            " SELECT m.organization_id, m.name FROM members m JOIN opened ON opened.member_id = m.id"
        ),
        {"hash": _hash(token), "form_key": secrets.token_urlsafe(32), "id": member_id},
    ).one()
    actor = Actor(ActorKind.MEMBER, member_id, member.name)
    audit.write(tx, member.organization_id, actor, "signed_in", f"member:{member_id}", {})
    return token


def session_of(tx: Transaction, token: str) -> Session | None:
    """The session of a cookie, if it lives and its member is active."""
    row = tx.execute(
        text(
            "SELECT s.form_key, s.seen_at < clock_timestamp() - :touch AS rested, m.id, m.organization_id, m.name, m.email,"
            " m.role, o.name AS organization FROM sessions s JOIN members m ON m.id = s.member_id"
            " JOIN organizations o ON o.id = m.organization_id WHERE s.token_hash = :hash AND m.active"
            " AND s.seen_at > clock_timestamp() - :idle AND s.created_at > clock_timestamp() - :longest"
        ),
        {"hash": _hash(token), "touch": _TOUCH_EVERY, "idle": IDLE, "longest": LONGEST},
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
    return Session(member, row.form_key)


def close_session(tx: Transaction, token: str) -> None:
    """Sign out; nothing happens when it is not open."""
    tx.execute(text("DELETE FROM sessions WHERE token_hash = :hash"), {"hash": _hash(token)})


def member_of(tx: Transaction, tenant_id: str, account_id: str, address: str) -> UUID | None:
    """The active member whom a Microsoft account is, or None.

    The organization's operators have named its tenant. Within it the account known from the first sign-in counts; a
    member who never signed in is known by the address, and from then on by the account.
    """
    found = tx.execute(
        text(
            "SELECT m.id, m.account_id FROM members m JOIN organizations o ON o.id = m.organization_id"
            " WHERE o.tenant_id = :tenant AND m.active"
            " AND (m.account_id = :account OR (m.account_id IS NULL AND m.email = :address))"
            " ORDER BY m.account_id NULLS LAST LIMIT 1 FOR UPDATE OF m"
        ),
        {"tenant": tenant_id, "account": account_id, "address": address},
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


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in under way. ``flow`` is encrypted. ``member_id``: who connects a mailbox; None = somebody signs in."""

    purpose: str
    member_id: UUID | None
    flow: bytes


def keep_sign_in(tx: Transaction, state: str, browser: str, sign_in: SignIn) -> None:
    """Remember it until the answer comes."""
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
    """Take it, once. None: it was never begun, not in this browser, too long ago, or its answer has come already."""
    row = tx.execute(
        text(
            "DELETE FROM sign_ins WHERE state_hash = :state AND browser_hash = :browser"
            " RETURNING purpose, member_id, flow, created_at > clock_timestamp() - :within AS fresh"
        ),
        {"state": _hash(state), "browser": _hash(browser), "within": SIGN_IN_WITHIN},
    ).one_or_none()
    return SignIn(row.purpose, row.member_id, row.flow) if row is not None and row.fresh else None


def purge(tx: Transaction) -> None:
    """Forget what nobody can use any more."""
    limits = {"idle": IDLE, "longest": LONGEST, "within": SIGN_IN_WITHIN}
    tx.execute(
        text(
            "WITH old AS (DELETE FROM sign_ins WHERE created_at < clock_timestamp() - :within)"
            " DELETE FROM sessions WHERE seen_at < clock_timestamp() - :idle OR created_at < clock_timestamp() - :longest"
        ),
        limits,
    )


def trust_tenant(tx: Transaction, organization_id: UUID, tenant_id: str, *, actor: str) -> None:
    """From now on accounts of that tenant may sign in as the organization's members."""
    tx.execute(
        text("UPDATE organizations SET tenant_id = :tenant WHERE id = :id"),
        {"tenant": tenant_id, "id": organization_id},
    )
    subject = f"organization:{organization_id}"
    audit.write(tx, organization_id, actor, "tenant_trusted", subject, {"tenant_id": tenant_id})


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
