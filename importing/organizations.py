"""Write an organization file into the tables. What people have ended stays ended, and the summary names it."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from db.access import grants
from db.audit import audit
from db.core.session import Transaction
from db.listening import answer_settings
from db.mailboxes import renames, senders, signatures
from db.sequences import imports
from db.views import lookups
from domain.errors import NotFound, NotPermitted
from importing.organization_specs import GrantSpec, MailboxSpec, MemberSpec, OrganizationSpec
from importing.problems import ImportRejected, Problem
from importing.renamed import under_new_names
from importing.sequences import Sequences
from importing.summary import ANSWERS_SET, HOURS_STAY, ImportSummary
from importing.tree import Place

_DAILY_CAP = 1000
_ENDED = {
    "revoked": "ended by its owner",
    "expired": "its time is over",
    "mailbox_disconnected": "the mailbox was disconnected",
    "member_deactivated": "a member was deactivated",
}


def check_bound(file: str, specs: Sequence[OrganizationSpec], organization: str) -> None:
    """Raise ``ImportRejected`` if the file contains any other organization."""
    others = [spec for spec in specs if spec.name.lower() != organization.lower()]
    if others:
        fix = "Remove it, or import without --organization."
        raise ImportRejected(
            file,
            [
                Problem(
                    spec.place.line,
                    spec.place.column,
                    f"this is about {spec.name}, and only {organization} may be touched",
                    fix,
                )
                for spec in others
            ],
        )


class Organizations:
    """Writes one file into the tables, and collects the problems that only the database can see."""

    def __init__(
        self, tx: Transaction, file: str, actor: str, default_domain: str, *, go_on: bool = False
    ) -> None:
        self._tx, self._file, self._actor, self._default_domain = tx, file, actor, default_domain
        self._go_on = go_on
        self._summary = ImportSummary()
        self._problems: list[Problem] = []
        self._ended: list[str] = []
        self._given: dict[UUID, list[UUID]] = {}

    def load(self, specs: Sequence[OrganizationSpec]) -> ImportSummary:
        """Write everything, or raise ``ImportRejected`` so that the transaction writes nothing."""
        self._summary.names = [spec.name for spec in specs]
        imports.lock_lanes_of(self._tx, self._summary.names)
        for spec in specs:
            self._organization(spec)
        if self._problems:
            raise ImportRejected(self._file, self._problems)
        for mailbox_id, given in self._given.items():
            grants.ask_to_confirm(self._tx, mailbox_id, given, actor=self._actor)
        if count := sum(len(given) for given in self._given.values()):
            self._summary.asked.append(
                f"{_permissions(count)} given in the mailbox owners' names; they are asked to confirm that."
            )
        if self._ended:
            self._summary.left_alone.insert(
                0,
                f"{len(self._ended)} permission{'s' if len(self._ended) > 1 else ''} of this file"
                f" {'have' if len(self._ended) > 1 else 'has'} ended since; only their owners can give them again:"
                f" {', '.join(self._ended)}.",
            )
        return self._summary

    def _wrong(self, place: Place, what: str, fix: str) -> None:
        self._problems.append(Problem(place.line, place.column, what, fix))

    def _left(self, sentence: str) -> None:
        self._summary.left_alone.append(sentence)

    def _organization(self, spec: OrganizationSpec) -> None:
        tx, before = self._tx, self._summary.counts()
        known = imports.known_organization(tx, spec.name)
        former = None if known is None else known.sending
        organization_id, written = imports.upsert_organization(
            tx,
            spec.name,
            spec.time_zone,
            None if spec.sending is None else spec.sending.window,
            keep_sending=spec.sending is None,
        )
        if former is not None and spec.sending is None:
            self._left(f"{spec.name} {HOURS_STAY}")
        elif former is not None and spec.sending is not None and spec.sending.window is None:
            self._summary.edits.append(
                f"{spec.name}: Its sending hours are removed; emails leave at any time."
            )
        written |= self._answers(organization_id, spec, new=known is None)
        self._summary.count("organizations", written)
        spec = under_new_names(spec, renames.new_names(tx, organization_id))
        if self._default_domain:
            senders.ensure_default(tx, organization_id, self._default_domain)
        for entity in spec.legal_entities:
            self._summary.count(
                "legal_entities", imports.upsert_entity(tx, organization_id, entity.name, entity.parent)
            )
        entities = lookups.ids_of(tx, "legal_entity", organization_id)
        for member in spec.members:
            self._member(organization_id, member, entities)
        people = lookups.ids_of(tx, "member", organization_id)
        gone = imports.inactive_members(tx, organization_id)
        self._name_inactive(spec, gone)
        for box in spec.mailboxes:
            self._mailbox(organization_id, spec, box, people)
        boxes = lookups.ids_of(tx, "mailbox", organization_id)
        for grant in spec.grants:
            self._grant(organization_id, grant, people, boxes, gone)
        loader = Sequences(
            tx,
            organization_id,
            self._actor,
            self._summary,
            self._wrong,
            people=people,
            boxes=boxes,
            inactive=gone,
            go_on=self._go_on,
            sending_before=former,
        )
        for sequence in spec.sequences:
            loader.load(sequence)
        senders.lock_lanes(tx, organization_id)  # including addresses just created
        senders.repoint(tx, organization_id)  # members may have changed legal entity
        written_now = {
            name: count - before[name]
            for name, count in self._summary.counts().items()
            if name != "unchanged"
        }
        if any(written_now.values()) and not self._problems:
            audit.write(
                tx,
                organization_id,
                self._actor,
                "organizations_imported",
                f"organization:{organization_id}",
                written_now,
            )

    def _answers(self, organization_id: UUID, spec: OrganizationSpec, *, new: bool) -> bool:
        if spec.answers is None:
            return False
        wanted = replace(answer_settings.of_organization(self._tx, organization_id), **spec.answers)
        changed = answer_settings.set_organization(self._tx, organization_id, wanted, actor=self._actor)
        if changed and not new:
            self._summary.edits.append(f"{spec.name}: {ANSWERS_SET}")
        return changed

    def _member(self, organization_id: UUID, member: MemberSpec, entities: dict[str, UUID]) -> None:
        if member.legal_entity is not None and member.legal_entity not in entities:
            self._wrong(
                member.place,
                f"there is no legal entity {member.legal_entity}",
                "List it under legal_entities.",
            )
            return
        entity_id = None if member.legal_entity is None else entities[member.legal_entity]
        role = imports.role_of(self._tx, organization_id, member.email)
        if role is not None and member.role not in (None, role):
            self._left(
                f"{member.email} stays {role}; the file's role: {member.role} was ignored. An owner changes it on the Team page"
                " (or an operator: onbehalf member role)."
            )
        _, written = imports.upsert_member(
            self._tx,
            organization_id,
            member.name,
            member.email,
            member.role,
            entity_id,
            keep_entity=member.legal_entity is None,
        )
        self._summary.count("members", written)

    def _name_inactive(self, spec: OrganizationSpec, inactive: frozenset[str]) -> None:
        for each in spec.members:
            if each.email in inactive:
                self._left(f"{each.email} stays deactivated (onbehalf member reactivate {each.email}).")

    def _mailbox(
        self, organization_id: UUID, spec: OrganizationSpec, box: MailboxSpec, people: dict[str, UUID]
    ) -> None:
        known = imports.listed_mailbox(self._tx, organization_id, box.address)
        owner = people.get(box.owner)
        if owner is None:
            self._wrong(
                box.place, f"{box.owner} is not a member of {spec.name}", "List the owner under members."
            )
            return
        if known is not None and known.owner_id != owner and (known.owner_id is not None or known.used):
            self._wrong(
                box.place, f"{box.address} belongs to somebody else already", "A mailbox cannot change hands."
            )
            return
        mailbox_id, written = imports.upsert_mailbox(
            self._tx,
            organization_id,
            owner,
            box.address,
            box.daily_cap or _DAILY_CAP,
            spec.time_zone,
            keep_cap=box.daily_cap is None,
        )
        signed = self._sign(mailbox_id, box)
        self._summary.count("mailboxes", written or signed)
        state = imports.connection_of(self._tx, mailbox_id)
        if state.status == "disconnected":
            self._left(
                f"{box.address} stays disconnected: only {box.owner} can connect it again, under Mailbox and permissions."
            )
        if box.provider is not None and box.provider != state.provider:
            self._left(
                f"{box.address} sends by {state.provider}, and the file says provider: {box.provider}; only {box.owner} can"
                " change that, by connecting it."
            )

    def _sign(self, mailbox_id: UUID, box: MailboxSpec) -> bool:
        """Give a mailbox its first signature. Its owner has the next word."""
        present = signatures.of(self._tx, mailbox_id)
        if box.signature is None or box.signature == present.body:
            return False
        if present.version:
            self._left(
                f"{box.address} keeps its signature: only {box.owner} changes it, under Mailbox and permissions."
            )
            return False
        return signatures.put(self._tx, mailbox_id, box.signature, actor=self._actor)

    def _grant(
        self,
        organization_id: UUID,
        spec: GrantSpec,
        people: dict[str, UUID],
        boxes: dict[str, UUID],
        inactive: frozenset[str],
    ) -> None:
        if spec.mailbox not in boxes:
            self._wrong(
                spec.place,
                f"there is no mailbox {spec.mailbox} in this organization",
                "List it under mailboxes.",
            )
            return
        if spec.to is not None and spec.to not in people:
            self._wrong(
                spec.place,
                f"{spec.to} is not a member of this organization",
                "Permissions stay within one organization.",
            )
            return
        owner = imports.listed_mailbox(self._tx, organization_id, spec.mailbox)
        if owner is None:
            raise NotFound(f"There is no mailbox {spec.mailbox}.")
        if owner.owner_id is None:
            self._wrong(
                spec.place,
                f"{spec.mailbox} is a sender address: all members may send from it",
                "Leave it out.",
            )
            return
        mailbox_id, grantee_id = boxes[spec.mailbox], None if spec.to is None else people[spec.to]
        if lookups.standing_grant(self._tx, mailbox_id, grantee_id):
            self._summary.count("grants", False)
            return
        ended = grants.ended_for(self._tx, mailbox_id, grantee_id)
        if ended is not None:
            what = _ENDED.get(ended.reason, ended.reason)
            self._ended.append(
                f"{spec.mailbox} for {spec.to or 'everyone'} ({what} on {ended.ended_at:%Y-%m-%d %H:%M} UTC)"
            )
            return
        mailbox_owner = next(email for email, each in people.items() if each == owner.owner_id)
        if away := next((each for each in (mailbox_owner, spec.to) if each in inactive), None):
            self._left(f"{spec.mailbox} for {spec.to or 'everyone'} is not given: {away} is deactivated.")
            return
        try:
            given = grants.give(
                self._tx,
                mailbox_id=mailbox_id,
                mailbox_owner_id=owner.owner_id,
                grantee_id=grantee_id,
                actor=self._actor,
                by="import",
            )
        except NotPermitted as error:
            self._wrong(spec.place, str(error), "")
            return
        self._given.setdefault(mailbox_id, []).append(given)
        self._summary.count("grants", True)


def _permissions(count: int) -> str:
    return "1 permission is" if count == 1 else f"{count} permissions are"
