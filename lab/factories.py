"""Test data, written straight to the tables: one organization with people, mailboxes and sequences."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert, text

from db.core.crypto import KeyRing, Place
from db.core.ids import new_id
from db.core.session import Database, database_now
from db.mailboxes import domains
from db.mailboxes.credentials import REFRESH
from db.schema.models import credentials, grants, lanes, mailboxes, members, organizations
from db.schema.sequence_models import candidates, sequences, steps
from db.sending.enrollments import enroll_many
from domain.connection import SCOPES
from lab.records import Suppression
from lab.tables import Tables

KEY = b"k" * 32


@dataclass
class World(Tables):
    """One organization's ids, by the names that a test gives them."""

    database: Database
    organization_id: UUID = field(default_factory=new_id)
    keys: KeyRing = field(default_factory=lambda: KeyRing((KEY,)))

    def __post_init__(self) -> None:
        with self.database.transaction() as tx:
            tx.execute(
                insert(organizations).values(
                    id=self.organization_id,
                    name=f"Organization {self.organization_id}",
                    time_zone="UTC",
                )
            )

    def member(self, name: str = "Rita Recruiter", *, active: bool = True, role: str = "member") -> UUID:
        """Create a member. The address is derived from a fresh id, so there can be any number."""
        member_id = new_id()
        with self.database.transaction() as tx:
            tx.execute(
                insert(members).values(
                    id=member_id,
                    organization_id=self.organization_id,
                    name=name,
                    email=f"{name.split(maxsplit=1)[0].lower()}.{member_id.hex[-8:]}@acme.example",
                    role=role,
                    active=active,
                    deactivated_at=None if active else datetime.now(UTC),
                )
            )
        return member_id

    def domain(self, name: str = "acme.example") -> None:
        """Create a domain that an operator has confirmed as the organization's."""
        with self.database.transaction() as tx:
            domains.verify(tx, self.organization_id, name, "operator", actor="test")

    def mailbox(
        self,
        owner_id: UUID | None,
        *,
        connected: bool = True,
        refresh_token: str | None = "",
        address: str = "",
        daily_cap: int = 1000,
        provider: str = "graph",
    ) -> UUID:
        """Create a mailbox with its lane. Connected means open, with all scopes and a stored refresh token (None: none).

        Without an owner, it is a sender address.
        """
        mailbox_id = new_id()
        with self.database.transaction() as tx:
            tx.execute(
                insert(mailboxes).values(
                    id=mailbox_id,
                    organization_id=self.organization_id,
                    owner_id=owner_id,
                    address=address or f"box.{mailbox_id.hex[-8:]}@acme.example",
                    provider=provider,
                    status="connected" if connected else "never_connected",
                    connection_version=1 if connected else 0,
                    scopes=sorted(SCOPES[provider]) if connected else [],
                    tenant_id="organizations",
                    settings={
                        "zone": "UTC",
                        "window": None,
                        "absences": [],
                        "purpose": "user",
                    },
                )
            )
            tx.execute(
                insert(lanes).values(
                    mailbox_id=mailbox_id,
                    organization_id=self.organization_id,
                    open=connected,
                    daily_cap=daily_cap,
                    tokens=4,
                )
            )
            tx.execute(
                insert(credentials).values(
                    mailbox_id=mailbox_id,
                    organization_id=self.organization_id,
                    refresh_token=self.keys.encrypt(
                        refresh_token or "refresh",
                        Place(self.organization_id, mailbox_id, REFRESH),
                    )
                    if connected and refresh_token is not None
                    else None,
                )
            )
        return mailbox_id

    def grant(self, mailbox_id: UUID, grantee_id: UUID | None) -> UUID:
        """Create an active grant by the mailbox's owner."""
        grant_id = new_id()
        with self.database.transaction() as tx:
            owner_id = tx.execute(
                text("SELECT owner_id FROM mailboxes WHERE id = :id"),
                {"id": mailbox_id},
            ).scalar_one()
            tx.execute(
                insert(grants).values(
                    id=grant_id,
                    organization_id=self.organization_id,
                    mailbox_id=mailbox_id,
                    mailbox_owner_id=owner_id,
                    grantee_id=grantee_id,
                )
            )
        return grant_id

    def sequence(
        self,
        owner_id: UUID,
        mailbox_id: UUID,
        delays: tuple[str, ...] = ("PT0S",),
        *,
        status: str = "active",
        body: str = "Hello {{first_name|there}}, this is step {n}.",
        sending: dict[str, object] | None = None,
        fields: tuple[str, ...] = (),
    ) -> UUID:
        """Create a sequence with one step per delay. The first starts the thread, the others reply in it."""
        sequence_id = new_id()
        with self.database.transaction() as tx:
            tx.execute(
                insert(sequences).values(
                    id=sequence_id,
                    organization_id=self.organization_id,
                    owner_id=owner_id,
                    mailbox_id=mailbox_id,
                    name=f"Sequence {sequence_id.hex[-8:]}",
                    status=status,
                    sending=sending,
                    fields=list(fields),
                )
            )
            tx.execute(
                insert(steps),
                [
                    {
                        "id": new_id(),
                        "organization_id": self.organization_id,
                        "sequence_id": sequence_id,
                        "position": n,
                        "delay": delay,
                        "subject": "A role at Acme" if n == 1 else None,
                        "body": body.replace("{n}", str(n)),
                    }
                    for n, delay in enumerate(delays, start=1)
                ],
            )
        return sequence_id

    def candidates(self, count: int, **values: str) -> list[UUID]:
        """Create candidates."""
        rows = [
            {
                "id": (candidate_id := new_id()),
                "organization_id": self.organization_id,
                "email": f"candidate.{candidate_id.hex[-12:]}@example.org",
                "first_name": f"Cand{n}",
                **values,
            }
            for n in range(count)
        ]
        with self.database.transaction() as tx:
            tx.execute(insert(candidates), rows)
        return [row["id"] for row in rows]  # type: ignore[misc]  # a dict of mixed values

    def suppress(self, *emails: str) -> None:
        """Suppress addresses without withdrawing anything."""
        for email in emails:
            self.add(
                Suppression,
                {
                    "id": new_id(),
                    "organization_id": self.organization_id,
                    "value": email,
                    "reason": "opt_out",
                },
            )

    def enroll(self, sequence_id: UUID, count: int = 1, **values: str) -> list[UUID]:
        """Enroll new candidates now. Returns the enrollments' ids."""
        people = self.candidates(count, **values)
        with self.database.transaction() as tx:
            enroll_many(tx, sequence_id, people, database_now(tx))
            return list(
                tx.execute(
                    text(
                        "SELECT id FROM enrollments WHERE sequence_id = :id AND candidate_id = ANY(:people) ORDER BY id"
                    ),
                    {"id": sequence_id, "people": people},
                ).scalars()
            )

    def one(self, sql: str, **parameters: object) -> object:
        """Query a single value."""
        with self.database.transaction() as tx:
            return tx.execute(text(sql), parameters).scalar_one()

    def rows(self, sql: str, **parameters: object) -> list[tuple[object, ...]]:
        """Query all rows, as tuples."""
        with self.database.transaction() as tx:
            return [tuple(row) for row in tx.execute(text(sql), parameters).all()]

    def run(self, sql: str, **parameters: object) -> None:
        """Make a change for which the product has no verb (move a clock forward, make a lease old)."""
        with self.database.transaction() as tx:
            tx.execute(text(sql), parameters)

    def force(self, sql: str, **parameters: object) -> None:
        """``run`` without triggers: puts rows into states that no verb reaches within a test."""
        with self.database.transaction() as tx:
            tx.execute(text("SET LOCAL session_replication_role = replica"))
            tx.execute(text(sql), parameters)
