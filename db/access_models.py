"""Tables of who is signed in: sessions, and sign-ins that are under way at Microsoft."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text, Uuid

from db.models import metadata, moment, one_of, organization, within

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),  # SHA-256; the token itself is only in the cookie
    organization(),
    Column("member_id", Uuid, nullable=False),
    Column("form_key", Text, nullable=False),  # every form of the session carries it
    moment("created_at", nullable=False),
    moment("seen_at", nullable=False),
    within("member_id", "members"),
    Index("ix_sessions_member", "member_id"),
    Index("ix_sessions_seen", "seen_at"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column(
        "browser_hash", LargeBinary, nullable=False
    ),  # of the browser's cookie: the answer must come from the same one
    Column("purpose", Text, nullable=False),
    Column("member_id", Uuid),  # who connects
    Column("flow", LargeBinary, nullable=False),  # encrypted: it holds the code verifier
    moment("created_at", nullable=False),
    one_of("purpose", "purpose", "sign_in", "connect", "approve"),
    CheckConstraint("(purpose = 'connect') = (member_id IS NOT NULL)", name="member"),
    Index("ix_sign_ins_created", "created_at"),
)
