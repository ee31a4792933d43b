"""Build a sequence by hand: make a draft, change its settings, duplicate it. Its steps: ``actions/steps.py``."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog

from actions.hand_over import hand_over
from actions.steps import check_running
from app.runtime import Runtime
from db.audit import audit
from db.core.session import Transaction
from db.sequences import built, imports, sequences, steps
from db.sequences.built import Built, SenderChoice
from domain.approval import StepKind
from domain.edit_report import EditReport
from domain.errors import InvalidInput, NotPermitted
from domain.hand_edits import Overtaken
from domain.merge import STANDARD_FIELDS
from domain.send_window import SendWindow
from domain.step_edits import Words

log = structlog.get_logger()

MAX_NAME = 200
MAX_FIELDS = 50
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Settings:
    """``sender``: a mailbox. ``sending``: hours as ``SendWindow`` reads them, None: those of the organization.

    ``fields``: of people, besides those that everybody has. ``with_signature``: its emails end with its mailbox's signature; None:
    unchanged, or yes if it is new.
    """

    name: str
    sender: UUID | None
    sending: Mapping[str, Any] | None = None
    fields: Sequence[str] = ()
    with_signature: bool | None = None


def make(
    runtime: Runtime, organization_id: UUID, owner_id: UUID, settings: Settings, *, key: str, actor: str
) -> tuple[UUID, bool]:
    """Make a draft of a member's. Returns it, and False if this same request had made it before.

    ``key``: of the form or call. Raises ``InvalidInput``, ``NotPermitted`` (a sender that they may not use).
    """
    wanted = _checked(settings)
    sequence_id = _id(owner_id, key)
    with runtime.database.transaction() as tx:
        built.lock_names(tx, organization_id)
        sender = _sender(tx, organization_id, owner_id, wanted.sender, None)
        if built.exists(tx, organization_id, sequence_id):
            return sequence_id, False
        _check_name(tx, organization_id, wanted.name, None)
        _make(tx, organization_id, owner_id, sequence_id, wanted, sender)
        audit.write(
            tx, organization_id, actor, "sequence_made", f"sequence:{sequence_id}", {"name": wanted.name}
        )
    log.info("sequence_made", sequence_id=str(sequence_id))
    return sequence_id, True


def duplicate(
    runtime: Runtime, sequence_id: UUID, *, owner_id: UUID, key: str, actor: str
) -> tuple[UUID, bool]:
    """Make a draft with the same steps and rules and nobody in it, which belongs to ``owner_id``.

    It sends from the same mailbox if they may use that, else from the first that they may. Raises ``NotFound``, ``NotPermitted``.
    """
    copy_id = _id(owner_id, f"{sequence_id}{key}")
    with runtime.database.transaction() as tx:
        original = built.built(tx, sequence_id)
        organization_id = original.organization_id
        built.lock_names(tx, organization_id)
        if built.exists(tx, organization_id, copy_id):
            return copy_id, False
        choices = built.senders(tx, organization_id, owner_id)
        sender = next((each for each in choices if each.id == original.mailbox_id), None) or _first(choices)
        name = built.free_name(tx, organization_id, f"Copy of {original.name}"[: MAX_NAME - 5])
        settings = Settings(name, sender.id, original.sending, original.fields, original.with_signature)
        _make(tx, organization_id, owner_id, copy_id, settings, sender, like=sequence_id)
        written = [
            (
                uuid.uuid5(copy_id, str(each.id)),
                Words(each.delay, each.subject, each.body, kind=StepKind(each.kind)),
            )
            for each in built.steps_of(tx, sequence_id)
        ]
        steps.rewrite_named(tx, organization_id, copy_id, [], written)
        data = {"from": str(sequence_id)}
        audit.write(tx, organization_id, actor, "sequence_duplicated", f"sequence:{copy_id}", data)
    log.info("sequence_duplicated", sequence_id=str(copy_id))
    return copy_id, True


def change(
    runtime: Runtime, sequence_id: UUID, settings: Settings, *, version: int, actor: str
) -> EditReport:
    """Change name, sender, hours and fields; returns what that means for the people in it.

    ``version``: of the sequence that its author saw. Raises ``NotFound``, ``InvalidInput``, ``Overtaken``, ``NotPermitted``.
    """
    wanted = _checked(settings)
    with runtime.database.transaction() as tx:
        report = _change(tx, sequence_id, wanted, version, actor)
    log.info("sequence_changed", sequence_id=str(sequence_id))
    return report


def preview_change(runtime: Runtime, sequence_id: UUID, settings: Settings, *, version: int) -> EditReport:
    """Return what ``change`` would do, and change nothing. Raises what it raises."""
    wanted = _checked(settings)
    with runtime.database.transaction() as tx:
        report = _change(tx, sequence_id, wanted, version, "preview")
        tx.rollback()
    return report


def _change(tx: Transaction, sequence_id: UUID, wanted: Settings, version: int, actor: str) -> EditReport:
    present = built.built(tx, sequence_id)
    if present.status == "archived":
        raise NotPermitted(f"{present.name} is archived. Duplicate it to write a new one.")
    built.lock_names(tx, present.organization_id)
    sender = _sender(tx, present.organization_id, present.owner_id, wanted.sender, present)
    imports.lock_lanes_of_sequence(tx, sequence_id, sender.id)
    present = built.built(tx, sequence_id)  # as of now, under the locks
    if present.version != version and not _is(present, wanted, sender):
        raise Overtaken(f"Somebody has changed {present.name} since you opened it.")
    _check_name(tx, present.organization_id, wanted.name, sequence_id)
    before = imports.sending_windows(tx, sequence_id)
    if not _same_sender(present, sender):
        hand_over(
            tx,
            sequences.known_sequence(tx, sequence_id),
            owner_id=present.owner_id,
            mailbox_id=sender.id,
            uses_sender_address=sender.shared,
            actor=actor,
            quietly=True,
        )
    changed = built.change(
        tx,
        sequence_id,
        name=wanted.name,
        sending=wanted.sending,
        fields=wanted.fields,
        with_signature=wanted.with_signature,
    )
    known_steps = steps.known_steps(tx, sequence_id)
    kept = [(each.id, each.words) for each in known_steps if not each.retired]
    same = steps.rewrite_named(tx, present.organization_id, sequence_id, known_steps, kept)
    report = imports.follow_edit(tx, sequence_id, same, windows_before=before)
    check_running(tx, sequence_id, present.status)
    if changed:
        data: dict[str, Any] = {"name": wanted.name, "sending": wanted.sending, "fields": list(wanted.fields)}
        if wanted.with_signature not in (None, present.with_signature):
            data["with_signature"] = wanted.with_signature
        audit.write(tx, present.organization_id, actor, "sequence_changed", f"sequence:{sequence_id}", data)
    return replace(report, changed=report.changed or changed or not _same_sender(present, sender))


def _is(present: Built, wanted: Settings, sender: SenderChoice) -> bool:
    """Is it as wanted already?"""
    said = (present.name, present.sending, list(present.fields), present.with_signature)
    signed = present.with_signature if wanted.with_signature is None else wanted.with_signature
    return said == (wanted.name, wanted.sending, list(wanted.fields), signed) and _same_sender(
        present, sender
    )


def _same_sender(present: Built, sender: SenderChoice) -> bool:
    return (present.mailbox_id, present.uses_sender_address) == (sender.id, sender.shared)


def _id(owner_id: UUID, key: str) -> UUID:
    """The same for the same form, so that a repeated request makes nothing more."""
    return uuid.uuid5(owner_id, key[:200])


def _make(
    tx: Transaction,
    organization_id: UUID,
    owner_id: UUID,
    sequence_id: UUID,
    settings: Settings,
    sender: SenderChoice,
    *,
    like: UUID | None = None,
) -> None:
    built.make(
        tx,
        {
            "id": sequence_id,
            "organization_id": organization_id,
            "owner_id": owner_id,
            "mailbox_id": sender.id,
            "uses_sender_address": sender.shared,
            "name": settings.name,
            "sending": settings.sending,
            "fields": list(settings.fields),
            "with_signature": settings.with_signature is not False,
        },
        like=like,
    )


def _sender(
    tx: Transaction, organization_id: UUID, owner_id: UUID, mailbox_id: UUID | None, present: Built | None
) -> SenderChoice:
    choices = built.senders(tx, organization_id, owner_id, None if present is None else present.id)
    if mailbox_id is None:
        return _first(choices)
    if present is not None and mailbox_id == present.mailbox_id:
        # It may have lost its permission: that is no reason to refuse another name.
        return SenderChoice(
            mailbox_id, present.address, present.sender, present.uses_sender_address, connected=True
        )
    for each in choices:
        if each.id == mailbox_id:
            return each
    raise NotPermitted("This sequence may not send from that mailbox. Ask its owner for permission.")


def _first(choices: Sequence[SenderChoice]) -> SenderChoice:
    if not choices:
        raise NotPermitted("There is no mailbox to send from yet. Connect one first.")
    return choices[0]


def _check_name(tx: Transaction, organization_id: UUID, name: str, own: UUID | None) -> None:
    found = built.named(tx, organization_id, name)
    if found not in (None, own):
        raise InvalidInput(f"There is a sequence {name} already", where="name", fix="Choose another name.")


def _checked(settings: Settings) -> Settings:
    name = " ".join(settings.name.split())
    if not name or not name.isprintable() or len(name) > MAX_NAME:
        raise InvalidInput(
            f"A sequence has a name of 1 to {MAX_NAME} characters", where="name", fix="Write one."
        )
    fields = tuple(dict.fromkeys(each for each in settings.fields if each not in STANDARD_FIELDS))
    for each in fields:
        if not _FIELD.fullmatch(each):
            raise InvalidInput(
                f"{each[:64]!r} is no name of a field",
                where="fields",
                fix="Use small letters, digits and underscores, like start_date.",
            )
    if len(fields) > MAX_FIELDS:
        raise InvalidInput(f"There are more than {MAX_FIELDS} fields", where="fields", fix="Remove some.")
    sending = None if settings.sending is None else SendWindow.from_json(settings.sending).to_json()
    return Settings(name, settings.sender, sending, fields, settings.with_signature)
