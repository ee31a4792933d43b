"""An email written by hand leaves once, at once, through every check of every other email. Judged by the ledger."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from actions import by_hand, withdraw
from db.mailboxes import senders
from domain.errors import InvalidInput, NotFound, NotPermitted
from lab.access_records import Organization
from lab.emulator.world import LedgerEntry
from lab.listening_records import IncomingMessage
from lab.records import Candidate, Enrollment, Receipt, Sequence
from lab.stage import Stage
from lab.tables import ago, ahead

CLOSED = {"zone": "UTC", "days": [], "opens": "09:00", "closes": "17:00"}


@pytest.fixture
def hans(stage: Stage) -> UUID:
    return stage.world.member("Hans Holder")


@pytest.fixture
def box(stage: Stage, hans: UUID) -> UUID:
    return stage.mailbox(hans)


@pytest.fixture
def priya(stage: Stage) -> UUID:
    (found,) = stage.world.candidates(1, first_name="Priya", last_name="Raman", email="priya@kestrel.example")
    return found


def write(stage: Stage, candidate: UUID, member: UUID, box: UUID, **values: Any) -> UUID:
    given: dict[str, Any] = {
        "subject": "Tuesday",
        "text": "Hello {{first_name}}, does Tuesday suit you?",
        "key": "one form",
    }
    given |= {"in_thread": False} | values
    delivery, _ = by_hand.write(
        stage.runtime,
        stage.world.organization_id,
        candidate,
        member_id=member,
        mailbox_id=box,
        actor="Hans Holder",
        **given,
    )
    return delivery


def answered(stage: Stage, box: UUID, **values: Any) -> str:
    """The person answers the only email that left; returns the Message-ID of the answer."""
    (entry,) = stage.left()
    given = {
        "sender": entry.to[0],
        "subject": f"Re: {entry.subject}",
        "text": "Tell me more.",
        "in_reply_to": entry.internet_message_id,
        "conversation_id": entry.conversation_id,
    } | values
    stage.emulator.control.incoming(stage.address(box), **given)
    stage.read(box)
    return str(stage.only(IncomingMessage).message_id)


def texts(stage: Stage) -> list[str]:
    return [entry.body for entry in stage.left()]


@pytest.mark.row("P45")
def test_it_leaves_at_once_with_a_receipt_and_without_the_ways_out_of_a_sequence(
    stage: Stage, hans: UUID, box: UUID, priya: UUID
) -> None:
    stage.put(Organization, sending={"zone": "UTC", "from": "00:00", "to": "00:01"})
    stage.put(Candidate, away_until=ahead(days=3), away_since=ago())
    delivery = write(stage, priya, hans, box)
    stage.send_due()
    (entry,) = stage.left()
    assert entry.to == ["priya@kestrel.example"]
    assert entry.subject == "Tuesday"
    assert "Hello Priya, does Tuesday suit you?" in entry.body
    assert "List-Unsubscribe" not in entry.headers
    assert "/o/" not in entry.body
    receipt = stage.only(Receipt)
    assert (receipt.delivery_id, receipt.authority) == (delivery, "own_mailbox")
    assert receipt.detail("answers") == "written by hand"
    assert stage.only(Enrollment).status == "finished"


def test_an_answer_to_what_came_in_joins_its_thread(stage: Stage, hans: UUID, box: UUID) -> None:
    stage.world.enroll(stage.world.sequence(hans, box), email="priya@kestrel.example")
    stage.send_due()
    (first,) = stage.left()
    theirs = answered(stage, box)
    candidate = stage.only(Candidate).id
    write(stage, candidate, hans, box, in_thread=True, subject="", text="Gladly.")
    stage.send_due()
    _, entry = stage.left()
    assert entry.in_reply_to == f"<{theirs}>"
    assert first.internet_message_id in entry.references
    assert entry.conversation_id == first.conversation_id
    assert entry.to == ["priya@kestrel.example"]


def test_an_answer_to_our_own_email_joins_its_thread(
    stage: Stage, hans: UUID, box: UUID, priya: UUID
) -> None:
    write(stage, priya, hans, box)
    stage.send_due()
    (first,) = stage.left()
    write(stage, priya, hans, box, in_thread=True, subject="", text="And Wednesday?")
    stage.send_due()
    _, entry = stage.left()
    assert (entry.in_reply_to, entry.conversation_id) == (first.internet_message_id, first.conversation_id)
    assert entry.subject.lower() == "re: tuesday"


def test_a_repeated_request_writes_one_email_and_another_text_another(
    stage: Stage, hans: UUID, box: UUID, priya: UUID
) -> None:
    first = write(stage, priya, hans, box)
    assert write(stage, priya, hans, box) == first
    stage.send_due()
    assert write(stage, priya, hans, box) == first
    assert write(stage, priya, hans, box, text="Something else.") != first
    stage.send_due()
    assert len(texts(stage)) == 2


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"subject": " "}, "subject"),
        ({"text": " \n"}, "text"),
        ({"text": "Hello {{nickname}}"}, "text"),
        ({"subject": "a" * 300}, "subject"),
        ({"in_thread": True}, "mailbox"),
    ],
)
def test_what_could_not_leave_is_refused_at_once_and_not_kept(
    stage: Stage, hans: UUID, box: UUID, priya: UUID, values: dict[str, Any], where: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        write(stage, priya, hans, box, **values)
    assert refused.value.where == where
    assert stage.count(Sequence) == 0


def test_nobody_writes_to_a_suppressed_person_not_even_while_it_waits(
    stage: Stage, hans: UUID, box: UUID, priya: UUID
) -> None:
    write(stage, priya, hans, box)
    withdraw.suppress_candidate(stage.runtime, priya, actor="Ada", reason="unsubscribed")
    with pytest.raises(NotPermitted, match="on the suppression list \\(opted out\\)"):
        write(stage, priya, hans, box, key="another form")
    stage.send_due()
    assert texts(stage) == []


def test_it_needs_the_mailbox_owners_permission_and_ends_with_it(
    stage: Stage, hans: UUID, box: UUID, priya: UUID
) -> None:
    rita = stage.world.member("Rita Recruiter")
    with pytest.raises(NotPermitted, match="cannot send from this mailbox"):
        write(stage, priya, rita, box)
    grant = stage.world.grant(box, rita)
    write(stage, priya, rita, box)
    withdraw.revoke_grant(stage.runtime, grant, actor="Hans Holder")
    stage.send_due()
    assert texts(stage) == []


def test_an_erased_or_foreign_person_is_not_found(stage: Stage, hans: UUID, box: UUID, priya: UUID) -> None:
    with pytest.raises(NotFound):
        write(stage, uuid4(), hans, box)
    stage.put(Candidate, erased_at=ago())
    with pytest.raises(NotFound):
        write(stage, priya, hans, box)


def test_cancelled_before_it_left_it_never_leaves(stage: Stage, hans: UUID, box: UUID, priya: UUID) -> None:
    write(stage, priya, hans, box)
    enrollment = stage.only(Enrollment).id
    answer = withdraw.stop_enrollment(stage.runtime, enrollment, actor="Hans Holder", reason="cancelled")
    assert (answer.stopped, answer.complete) == (1, True)
    stage.send_due()
    assert texts(stage) == []


def test_who_answered_can_be_written_to_and_an_answer_does_not_stop_what_was_written(
    stage: Stage, hans: UUID, box: UUID
) -> None:
    stage.put(Organization, stop_scope="organization")
    stage.world.enroll(stage.world.sequence(hans, box, ("PT0S", "P1D")), email="priya@kestrel.example")
    stage.send_due()
    candidate = stage.only(Candidate).id
    write(stage, candidate, hans, box, text="Written before the answer was read.")
    answered(stage, box)
    assert [each.status for each in stage.all(Enrollment)] == ["stopped", "active"]
    write(stage, candidate, hans, box, text="Written after it.")
    stage.send_due()
    assert len(texts(stage)) == 3


def test_a_pause_of_the_mailbox_spares_what_has_left_and_no_list_shows_it_as_a_sequence(
    stage: Stage, hans: UUID, box: UUID, priya: UUID
) -> None:
    write(stage, priya, hans, box)
    stage.send_due()
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans Holder")
    stage.run_outbox()
    assert stage.only(Sequence).status == "active"


@pytest.mark.row("P48")
@pytest.mark.usefixtures("trusted_mail_server")
def test_it_leaves_by_the_default_mail_service_too(stage: Stage, hans: UUID, priya: UUID) -> None:
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "onbehalf.example")
        default = senders.sender_for(tx, hans)
    assert default is not None
    write(stage, priya, hans, default)
    stage.send_due()
    write(stage, priya, hans, default, in_thread=True, text="And Wednesday?")
    stage.send_due()
    first, second = by_smtp(stage)
    assert second.in_reply_to == first.internet_message_id
    assert first.mailbox == stage.address(default)


def by_smtp(stage: Stage) -> list[LedgerEntry]:
    return [entry for entry in stage.left("smtp") if not entry.mailbox.startswith("notices@")]
