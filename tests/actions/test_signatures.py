"""Emails end with the signature of the mailbox that they leave from, the same one wherever somebody reads them. Judged by the ledger."""

from uuid import UUID

import pytest

from actions import approvals, building, by_hand, conversation, signatures, step_previews
from actions.building import Settings
from db.core.session import Transaction
from db.sequences import built
from db.views import messages
from db.views.messages import Viewer
from domain.errors import InvalidInput, NotFound
from lab.records import AuditEntry, Delivery, Enrollment, Receipt, Sequence, Step
from lab.stage import Stage
from tests.actions.drafting import while_drafted

PLAIN = "Hans Holder\nAcme, Berlin"
HTML = '<p><b>Hans Holder</b>, <a href="https://acme.example">Acme</a></p>'


@pytest.fixture
def hans(stage: Stage) -> UUID:
    return stage.world.member("Hans Holder")


@pytest.fixture
def box(stage: Stage, hans: UUID) -> UUID:
    return stage.mailbox(hans)


@pytest.fixture
def sequence(stage: Stage, hans: UUID, box: UUID) -> UUID:
    return stage.world.sequence(hans, box, ("PT0S", "P1D"), body="Hello {{first_name}}, this is step {n}.")


def sign(stage: Stage, box: UUID, text: str = PLAIN) -> bool:
    return signatures.change(stage.runtime, box, text, actor="Hans Holder")


def test_every_email_of_a_thread_ends_with_it_above_the_line_to_opt_out(
    stage: Stage, box: UUID, sequence: UUID
) -> None:
    sign(stage, box)
    stage.world.enroll(sequence, first_name="Priya")
    stage.send_due()
    stage.later(2 * 86_400)
    stage.send_due()
    first, second = stage.left()
    assert first.conversation_id == second.conversation_id
    for number, left in enumerate((first, second), start=1):
        text, signature, line = (
            left.body.index(each) for each in (f"this is step {number}", "Hans Holder<br>Acme, Berlin", "/o/")
        )
        assert text < signature < line


def test_preview_approval_receipt_and_conversation_show_what_leaves(
    stage: Stage, hans: UUID, box: UUID, sequence: UUID
) -> None:
    sign(stage, box, HTML)
    step = stage.all(Step, sequence_id=sequence)[0]
    stage.put(Step, step.id, kind="approval")
    (enrollment,) = stage.world.enroll(sequence, first_name="Priya")
    stage.send_due()
    with stage.database.transaction() as tx:
        letter = approvals.letter(tx, stage.only(Delivery).id)
        preview = step_previews.preview(tx, sequence, 1, enrollment_id=enrollment, member_id=hans)
    text = "Hello Priya, this is step 1.\n\nHans Holder, Acme <https://acme.example>"
    assert letter.text == preview.text == text
    assert letter.mark is not None
    approvals.approve(stage.runtime, letter.email.id, letter.mark, actor="Hans Holder")
    stage.send_due()
    assert "Hans Holder, Acme" in stage.left()[0].body
    assert "with signature version 1" in stage.only(Receipt).template_version

    sign(stage, box, "Somebody else")  # what has left says what it said
    assert said(stage, enrollment) == [text]
    sign(stage, box, "")
    assert said(stage, enrollment) == [text]


def said(stage: Stage, enrollment: UUID) -> list[str]:
    person = stage.only(Enrollment, enrollment).candidate_id
    viewer = Viewer(stage.world.organization_id, None)
    with stage.database.transaction() as tx:
        seen = messages.person_of(tx, person, viewer)
        return [conversation.ours(each).text for each in messages.messages_of(tx, seen, viewer)[0]]


def test_another_signature_is_another_text_that_nobody_has_approved(
    stage: Stage, box: UUID, sequence: UUID
) -> None:
    sign(stage, box)
    stage.put(Step, stage.all(Step, sequence_id=sequence)[0].id, kind="approval")
    stage.world.enroll(sequence)
    stage.send_due()
    email = stage.only(Delivery).id
    with stage.database.transaction() as tx:
        read = approvals.letter(tx, email)
    assert read.mark is not None
    approvals.approve(stage.runtime, email, read.mark, actor="Hans Holder")
    sign(stage, box, f"{PLAIN}!")
    stage.send_due()
    assert stage.left() == []
    assert stage.only(Delivery).reason == "waits_for_approval"
    with stage.database.transaction() as tx:
        assert approvals.letter(tx, email).text.endswith("Berlin!")


def test_a_signature_that_changes_between_draft_and_gate_is_not_left_with_the_former_one(
    stage: Stage, box: UUID, sequence: UUID
) -> None:
    sign(stage, box)
    stage.world.enroll(sequence)
    while_drafted(stage, box, lambda: sign(stage, box, "New"))
    stage.send_due()
    (left,) = stage.left()
    assert "<p>New</p>" in left.body
    assert PLAIN.split("\n")[1] not in left.body
    assert "with signature version 2" in stage.only(Receipt).template_version


def test_a_sequence_of_before_carries_none_until_somebody_says_so(
    stage: Stage, hans: UUID, box: UUID, sequence: UUID
) -> None:
    stage.put(Sequence, sequence, with_signature=False)  # as the migration leaves it
    sign(stage, box)
    stage.world.enroll(sequence)
    stage.send_due()
    assert "Acme, Berlin" not in stage.left()[0].body
    assert "signature" not in stage.only(Receipt).template_version
    with stage.database.transaction() as tx:
        now = built.built(tx, sequence)
    wanted = Settings(now.name, now.mailbox_id, now.sending, now.fields, with_signature=True)
    assert building.change(stage.runtime, sequence, wanted, version=now.version, actor="Hans Holder")
    stage.later(2 * 86_400)
    stage.send_due()
    assert "Acme, Berlin" in stage.left()[1].body
    assert stage.all(AuditEntry, action="sequence_changed")[0].data["with_signature"] is True


def test_a_setting_that_is_not_named_stays_and_a_copy_has_its_originals(
    stage: Stage, hans: UUID, box: UUID
) -> None:
    made, _ = building.make(
        stage.runtime,
        stage.world.organization_id,
        hans,
        Settings("Quiet", box, with_signature=False),
        key="k",
        actor="Hans",
    )
    with stage.database.transaction() as tx:
        version = built.built(tx, made).version
    building.change(stage.runtime, made, Settings("Quieter", box), version=version, actor="Hans")
    copy, _ = building.duplicate(stage.runtime, made, owner_id=hans, key="k", actor="Hans")
    usual, _ = building.make(
        stage.runtime, stage.world.organization_id, hans, Settings("Usual", box), key="u", actor="Hans"
    )
    with stage.database.transaction() as tx:
        assert [built.built(tx, each).with_signature for each in (made, copy, usual)] == [False, False, True]


def test_a_colleagues_mailbox_signs_as_the_colleague(stage: Stage, hans: UUID, box: UUID) -> None:
    rita = stage.world.member("Rita Recruiter")
    sign(stage, stage.mailbox(rita), "Rita")
    sign(stage, box)
    stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box))
    stage.send_due()
    (left,) = stage.left()
    assert "Acme, Berlin" in left.body
    assert "<p>Rita</p>" not in left.body


def test_an_email_by_hand_carries_it(stage: Stage, hans: UUID, box: UUID) -> None:
    sign(stage, box)
    (priya,) = stage.world.candidates(1)
    with stage.database.transaction() as tx:
        (choice,) = by_hand.choices(tx, stage.world.organization_id, priya, hans)
    assert choice.sender.signature == PLAIN
    by_hand.write(
        stage.runtime,
        stage.world.organization_id,
        priya,
        member_id=hans,
        mailbox_id=box,
        in_thread=False,
        subject="Tuesday",
        text="Does Tuesday suit you?",
        key="k",
        actor="Hans Holder",
    )
    stage.send_due()
    assert "<p>Does Tuesday suit you?</p>\n<p>Hans Holder<br>Acme, Berlin</p>" in stage.left()[0].body


def test_its_page_counts_who_carries_it(stage: Stage, hans: UUID, box: UUID, sequence: UUID) -> None:
    stage.world.sequence(hans, box, status="draft")
    stage.put(Sequence, stage.world.sequence(hans, box), with_signature=False)
    stage.world.sequence(hans, box, status="archived")

    def read(tx: Transaction) -> tuple[int, int, int, int]:
        found = signatures.show(tx, box).signed
        return found.version, found.sequences, found.running, found.without

    with stage.database.transaction() as tx:
        assert read(tx) == (0, 2, 1, 1)
    assert sign(stage, box)
    assert not sign(stage, box, f"{PLAIN}\n")
    with stage.database.transaction() as tx:
        assert read(tx) == (1, 2, 1, 1)
    (audited,) = stage.all(AuditEntry, action="signature_changed")
    assert audited.data == {"characters": len(PLAIN)}  # the trail is kept for years; a signature names people


@pytest.mark.parametrize("text", ["<img src='https://t.example/pixel'>", "{{first_name}}"])
def test_what_recipients_would_not_see_is_refused(stage: Stage, box: UUID, text: str) -> None:
    with pytest.raises(InvalidInput):
        sign(stage, box, text)
    with pytest.raises(NotFound):
        sign(stage, UUID(int=7))
