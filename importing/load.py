"""Load a file into the database, in one transaction: all of it, or nothing."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import UUID

from db import audit, companies, grants, imports, lookups, renames
from db.session import Database, Transaction
from domain.errors import NotFound, NotPermitted
from importing.files import read_file
from importing.problems import ImportRejected, Problem
from importing.renamed import under_new_names
from importing.tree import SIZE_AT_MOST, Place
from importing.world import OrganizationSpec, SequenceSpec, read_world
from transports.removed import removed_from_steps

WORLD_SUFFIXES = (".yaml", ".yml")


@dataclass(slots=True)
class ImportSummary:
    """What was written, and what was left alone."""

    organizations: int = 0
    legal_entities: int = 0
    members: int = 0
    mailboxes: int = 0
    grants: int = 0
    sequences: int = 0
    unchanged: int = 0
    left_out: list[str] = field(default_factory=list)  # what no email can carry, step by step, in words


def import_file(
    database: Database,
    path: Path,
    *,
    actor: str,
    default_domain: str = "",
) -> ImportSummary:
    """Import a ``.yaml`` world; people are imported by ``importing/people.py``.

    ``default_domain``: of the default mail service. Raises ``InvalidInput`` (``ImportRejected``), ``NotFound``.
    """
    raw = read_file(path, at_most=SIZE_AT_MOST)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportRejected(
            str(path), [Problem(0, 0, f"it is not UTF-8 (byte {error.start})", "Save it as UTF-8.")]
        ) from None
    specs = read_world(str(path), text)
    with database.transaction() as tx:
        return _World(tx, str(path), actor, default_domain).load(specs)


class _World:
    """One world file on its way into the tables. Problems that only the database can see are collected too."""

    def __init__(self, tx: Transaction, file: str, actor: str, default_domain: str) -> None:
        self._tx, self._file, self._actor, self._default_domain = tx, file, actor, default_domain
        self._summary = ImportSummary()
        self._problems: list[Problem] = []

    def load(self, specs: list[OrganizationSpec]) -> ImportSummary:
        """Write all, or raise ``ImportRejected`` so that the transaction writes nothing."""
        for spec in specs:
            self._organization(spec)
        if self._problems:
            raise ImportRejected(self._file, self._problems)
        return self._summary

    def _wrong(self, place: Place, what: str, fix: str) -> None:
        self._problems.append(Problem(place.line, place.column, what, fix))

    def _count(self, name: str, written: bool) -> None:
        field = name if written else "unchanged"
        setattr(self._summary, field, getattr(self._summary, field) + 1)

    def _organization(self, spec: OrganizationSpec) -> None:
        tx = self._tx
        organization_id, written = imports.upsert_organization(tx, spec.name, spec.time_zone, spec.sending)
        before = asdict(self._summary)
        self._count("organizations", written)
        spec = under_new_names(spec, renames.new_names(tx, organization_id))
        companies.lock_lanes(tx, organization_id)
        if self._default_domain:
            companies.ensure_default(tx, organization_id, self._default_domain)
        for entity in spec.legal_entities:
            self._count(
                "legal_entities", imports.upsert_entity(tx, organization_id, entity.name, entity.parent)
            )
        entities = lookups.ids_of(tx, "legal_entities", "name", organization_id)
        for member in spec.members:
            if member.legal_entity is not None and member.legal_entity not in entities:
                self._wrong(
                    member.place,
                    f"there is no legal entity {member.legal_entity}",
                    "List it under legal_entities.",
                )
                continue
            entity_id = None if member.legal_entity is None else entities[member.legal_entity]
            _, written = imports.upsert_member(
                tx, organization_id, member.name, member.email, member.role, entity_id
            )
            self._count("members", written)
        members = lookups.ids_of(tx, "members", "email", organization_id)
        for box in spec.mailboxes:
            known = imports.listed_mailbox(tx, organization_id, box.address)
            owner = members.get(box.owner)
            if owner is None:
                self._wrong(
                    box.place, f"{box.owner} is no member of {spec.name}", "List the owner under members."
                )
            elif known is not None and known.owner_id != owner and (known.owner_id is not None or known.used):
                self._wrong(
                    box.place,
                    f"{box.address} belongs to somebody else already",
                    "A mailbox cannot change hands.",
                )
            else:
                _, written = imports.upsert_mailbox(
                    tx, organization_id, owner, box.address, box.daily_cap, spec.time_zone
                )
                self._count("mailboxes", written)
        boxes = lookups.ids_of(tx, "mailboxes", "address", organization_id)
        for grant in spec.grants:
            self._grant(organization_id, grant.mailbox, grant.to, grant.place, members, boxes)
        for sequence in spec.sequences:
            self._sequence(organization_id, sequence, members, boxes)
        companies.repoint(tx, organization_id)  # somebody may belong to another legal entity now
        written_now = {
            name: count - before[name]
            for name, count in asdict(self._summary).items()
            if name not in ("unchanged", "left_out")
        }
        if any(written_now.values()) and not self._problems:
            audit.write(
                tx,
                organization_id,
                self._actor,
                "world_imported",
                f"organization:{organization_id}",
                written_now,
            )

    def _grant(
        self,
        organization_id: UUID,
        mailbox: str,
        to: str | None,
        place: Place,
        members: dict[str, UUID],
        boxes: dict[str, UUID],
    ) -> None:
        if mailbox not in boxes:
            self._wrong(
                place, f"there is no mailbox {mailbox} in this organization", "List it under mailboxes."
            )
            return
        if to is not None and to not in members:
            self._wrong(
                place, f"{to} is no member of this organization", "Permissions stay within one organization."
            )
            return
        owner = imports.listed_mailbox(self._tx, organization_id, mailbox)
        if owner is None:
            raise NotFound(f"There is no mailbox {mailbox}.")
        if owner.owner_id is None:
            self._wrong(place, f"{mailbox} is a company's: all its members may send from it", "Leave it out.")
            return
        standing = lookups.standing_grant(self._tx, boxes[mailbox], None if to is None else members[to])
        if standing:
            self._count("grants", False)
            return
        try:
            grants.give(
                self._tx,
                mailbox_id=boxes[mailbox],
                grantor_id=owner.owner_id,
                grantee_id=None if to is None else members[to],
                actor=self._actor,
            )
            self._count("grants", True)
        except NotPermitted as error:
            self._wrong(place, str(error), "")

    def _sequence(
        self, organization_id: UUID, spec: SequenceSpec, members: dict[str, UUID], boxes: dict[str, UUID]
    ) -> None:
        if spec.owner not in members:
            self._wrong(
                spec.place,
                f"the owner {spec.owner} is no member of this organization",
                "List them under members.",
            )
            return
        if spec.send_from is None:
            sender = companies.sender_for(self._tx, members[spec.owner])
        else:
            sender = boxes.get(spec.send_from)
        if sender is None and spec.send_from is None:
            self._wrong(
                spec.place,
                "there is no company address yet",
                "Set DEFAULT_MAIL_URL, or name a mailbox in send_from.",
            )
            return
        if sender is None:
            self._wrong(
                spec.place,
                f"there is no mailbox {spec.send_from} in this organization",
                "List it under mailboxes.",
            )
            return
        self._summary.left_out += removed_from_steps(spec.name, [step.body for step in spec.steps])
        steps = [(step.delay, step.subject, step.body) for step in spec.steps]
        known = imports.find_sequence(self._tx, organization_id, spec.name)
        if known is None:
            sequence_id = imports.make_sequence(
                self._tx,
                {
                    "organization_id": organization_id,
                    "owner_id": members[spec.owner],
                    "mailbox_id": sender,
                    "company": spec.send_from is None,
                    "name": spec.name,
                    "status": spec.status,
                    "sending": spec.sending,
                    "fields": list(spec.fields),
                },
            )
            imports.write_steps(self._tx, organization_id, sequence_id, steps)
            self._count("sequences", True)
            return
        same_sender = (
            known.company if spec.send_from is None else known.mailbox_id == sender and not known.company
        )
        if known.owner_id != members[spec.owner] or not same_sender:
            self._wrong(
                spec.place, f"{spec.name} has another owner or sender", "Make a new sequence for that."
            )
            return
        changed = imports.change_sequence(self._tx, known.id, sending=spec.sending, fields=spec.fields)
        changed |= imports.write_steps(self._tx, organization_id, known.id, steps)
        self._count("sequences", changed)
