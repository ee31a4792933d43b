"""Write an organization file's sequences: new ones, edits to running ones, drafts and activations, another owner or sender."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from actions import activation, hand_over
from db.core.session import Transaction
from db.listening import answer_settings
from db.mailboxes import senders
from db.sequences import draft_sequences, imports, sequences
from db.sequences.sequences import KnownSequence
from domain.errors import NotPermitted
from importing.organization_specs import SequenceSpec
from importing.summary import ANSWERS_SET, HOURS_STAY, ImportSummary
from importing.tree import Place
from transports.removed import removed_from_steps


class Sequences:
    """The sequences of one organization. The caller holds the lanes of all its mailboxes.

    ``people`` and ``boxes``: ids by address; ``inactive``: addresses of deactivated members; ``sending_before``: the
    organization's sending hours before this import.
    """

    def __init__(
        self,
        tx: Transaction,
        organization_id: UUID,
        actor: str,
        summary: ImportSummary,
        wrong: Callable[[Place, str, str], None],
        *,
        people: Mapping[str, UUID],
        boxes: Mapping[str, UUID],
        inactive: frozenset[str],
        go_on: bool,
        sending_before: Mapping[str, Any] | None,
    ) -> None:
        self._tx, self._organization_id, self._actor = tx, organization_id, actor
        self._summary, self._wrong = summary, wrong
        self._people, self._boxes, self._inactive = people, boxes, inactive
        self._go_on, self._sending_before = go_on, sending_before

    def load(self, spec: SequenceSpec) -> None:
        """Apply a sequence as far as a file may; the summary names the rest."""
        sender = self._sender(spec)
        if sender is None:
            return
        self._summary.left_out += removed_from_steps(spec.name, [step.body for step in spec.steps])
        known = sequences.find_sequence(self._tx, self._organization_id, spec.name)
        if known is None:
            self._make(spec, sender)
        elif known.status == "archived":
            self._left(
                spec, "stays archived, and nothing in it was changed. Give a new sequence another name."
            )
            self._summary.count("sequences", False)
        else:
            self._summary.count("sequences", self._change(spec, known, sender))

    def _left(self, spec: SequenceSpec, sentence: str) -> None:
        self._summary.left_alone.append(f"{spec.name} {sentence}")

    def _sender(self, spec: SequenceSpec) -> UUID | None:
        if spec.owner not in self._people:
            self._wrong(
                spec.place,
                f"the owner {spec.owner} is not a member of this organization",
                "List them under members.",
            )
            return None
        if spec.send_from is None:
            sender = senders.sender_for(self._tx, self._people[spec.owner])
            if sender is None:
                self._wrong(
                    spec.place,
                    "there is no sender address yet",
                    "Set DEFAULT_MAIL_URL, or name a mailbox in send_from.",
                )
            return sender
        if spec.send_from not in self._boxes:
            self._wrong(
                spec.place,
                f"there is no mailbox {spec.send_from} in this organization",
                "List it under mailboxes.",
            )
        return self._boxes.get(spec.send_from)

    def _make(self, spec: SequenceSpec, sender: UUID) -> None:
        if spec.owner in self._inactive:
            self._wrong(
                spec.place,
                f"the owner {spec.owner} is deactivated",
                "Name somebody else, or reactivate them.",
            )
            return
        status = spec.status or "active"
        sequence_id = sequences.make_sequence(
            self._tx,
            {
                "organization_id": self._organization_id,
                "owner_id": self._people[spec.owner],
                "mailbox_id": sender,
                "uses_sender_address": spec.send_from is None,
                "name": spec.name,
                "status": status,
                "sending": None if spec.sending is None else spec.sending.window,
                "fields": list(spec.fields or ()),
                "with_signature": spec.with_signature is not False,
            },
        )
        imports.write_steps(self._tx, self._organization_id, sequence_id, spec.steps)
        self._answers(spec, sequence_id, new=True)
        self._summary.count("sequences", True)
        reason = sequences.why_not(self._tx, sequence_id, self._people[spec.owner], sender)
        if reason is not None:
            self._left(spec, f"is made and cannot send yet: {reason}.")

    def _change(self, spec: SequenceSpec, known: KnownSequence, sender: UUID) -> bool:
        before = imports.sending_windows(
            self._tx, known.id, organization=self._sending_before, of_organization=True
        )
        changed = self._hand_over(spec, known, sender)
        changed |= sequences.change_sequence(
            self._tx,
            known.id,
            sending=None if spec.sending is None else spec.sending.window,
            keep_sending=spec.sending is None,
            fields=spec.fields,
            with_signature=spec.with_signature,
        )
        self._hours(spec, known)
        changed |= self._answers(spec, known.id)
        report = imports.write_steps(
            self._tx,
            self._organization_id,
            known.id,
            spec.steps,
            windows_before=before,
            go_on=self._go_on,
        )
        self._summary.edits += [f"{spec.name}: {each}" for each in report.sentences()]
        return self._status(spec, known) | changed | bool(report)

    def _hours(self, spec: SequenceSpec, known: KnownSequence) -> None:
        """Say what becomes of hours that the sequence has and the file does not name."""
        if known.sending is None:
            return
        if spec.sending is None:
            self._left(spec, HOURS_STAY)
        elif spec.sending.window is None:
            self._summary.edits.append(
                f"{spec.name}: Its own sending hours are removed; the organization's apply."
            )

    def _answers(self, spec: SequenceSpec, sequence_id: UUID, *, new: bool = False) -> bool:
        if spec.answers is None:
            return False
        present = answer_settings.of_sequence(self._tx, sequence_id)
        wanted = replace(present, **spec.answers)
        changed = answer_settings.set_sequence(self._tx, sequence_id, wanted, actor=self._actor)
        if changed and not new:
            self._summary.edits.append(f"{spec.name}: {ANSWERS_SET}")
        return changed

    def _hand_over(self, spec: SequenceSpec, known: KnownSequence, sender: UUID) -> bool:
        """Change owner or sender if the sequence is not running and the new one may send."""
        owner, uses_sender_address = self._people[spec.owner], spec.send_from is None
        same_sender = (
            known.uses_sender_address
            if uses_sender_address
            else known.mailbox_id == sender and not known.uses_sender_address
        )
        if known.owner_id == owner and same_sender:
            return False
        what = " and ".join(
            part
            for part, differs in (
                (f"owner ({spec.owner})", known.owner_id != owner),
                (f"sender ({spec.send_from or 'company'})", not same_sender),
            )
            if differs
        )
        if known.handed_over_by is not None:
            self._left(
                spec,
                f"keeps its present owner and sender: {known.handed_over_by} handed it over since; the file's {what} was"
                " ignored. Its page hands it over again.",
            )
            return False
        try:
            hand_over.hand_over(
                self._tx,
                known,
                owner_id=owner,
                mailbox_id=sender,
                uses_sender_address=uses_sender_address,
                actor=self._actor,
                by_file=True,
            )
        except hand_over.StillRunningError:
            self._left(
                spec,
                f"keeps its present owner and sender while it runs: the file's {what} was ignored."
                " Pause it or set it back to draft, then import again.",
            )
            return False
        except NotPermitted as error:
            self._left(spec, f"keeps its present owner and sender: {error}.")
            return False
        self._summary.edits.append(
            f"{spec.name}: It has another {what} now; whoever had an email from another mailbox gets the next in a new thread."
        )
        return True

    def _status(self, spec: SequenceSpec, known: KnownSequence) -> bool:
        match known.status, spec.status:
            case "active", "draft":
                scope = draft_sequences.set_back(
                    self._tx, known.id, actor=self._actor, reason="by its organization file", by_file=True
                )
                self._summary.stopping.append(scope)
                self._summary.edits.append(f"{spec.name}: It is set back to draft.")
                return True
            case "draft", "active" if known.set_back_by is not None:
                self._left(
                    spec,
                    f"was set back to draft by {known.set_back_by} and stays a draft;"
                    f' a person activates it (Sequences page, or onbehalf sequence activate "{spec.name}").',
                )
            case "draft", "active":
                return self._activate(spec, known.id)
            case "draft", None:
                self._left(spec, "stays a draft: the file does not say status: active.")
            case "paused", _:
                said = f"; the file's status: {spec.status} was ignored" if spec.status else ""
                self._left(spec, f"stays paused{said}. Its owner resumes it on the Sequences page.")
        return False

    def _activate(self, spec: SequenceSpec, sequence_id: UUID) -> bool:
        preview = activation.activate(self._tx, sequence_id, actor=self._actor)
        if preview.blockers:
            self._left(spec, f"stays a draft, it cannot be activated yet: {' '.join(preview.blockers)}")
            return False
        going = [each.send_at for each in preview.planned if each.send_at is not None]
        first = f", the first at {min(going):%Y-%m-%d %H:%M} UTC" if going else ""
        people = "1 person gets" if len(going) == 1 else f"{len(going)} people get"
        self._summary.edits.append(f"{spec.name}: It is activated; {people} their next email{first}.")
        return True
