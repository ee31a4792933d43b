"""One person is erased: nothing that says who they are or what was written is left anywhere, and the trail still verifies."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from actions import by_hand, people
from db.audit import audit, audit_chain
from domain.errors import NotFound
from importing.people import import_people
from lab.access_records import Mailbox, Member, Organization
from lab.listening_records import IncomingMessage
from lab.records import AuditEntry, Candidate, Delivery, Receipt, Sequence
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli  # noqa: F401 - a fixture
from tests.web.visitor import Visitor, email_of, known_account

ADDRESS, WORDS = "priya@kestrel.example", "I earn 90,000 and would move to Oslo."


@pytest.fixture
def priya(stage: Stage) -> UUID:
    """Priya Raman had an email, answered it, was written to by hand, and waits in another sequence."""
    hans = stage.world.member("Hans Holder")
    box = stage.mailbox(hans)
    stage.world.enroll(
        stage.world.sequence(hans, box),
        email=ADDRESS,
        first_name="Priya",
        last_name="Raman",
        company="Kestrel Grid",
    )
    stage.send_due()
    (entry,) = stage.left()
    stage.emulator.control.incoming(
        stage.address(box),
        sender=ADDRESS,
        from_name="Priya Raman",
        subject="Re: A role at Acme",
        text=WORDS,
        in_reply_to=entry.internet_message_id,
    )
    stage.read(box)
    stage.run_outbox()
    candidate = stage.only(Candidate).id
    by_hand.write(
        stage.runtime, stage.world.organization_id, candidate, member_id=hans, mailbox_id=box, in_thread=False,
        subject="Oslo", text="Oslo it is, Priya.", key="k", actor="Hans Holder",
    )  # fmt: skip
    stage.send_due()
    stage.run_outbox()
    return candidate


def erase(stage: Stage, candidate: UUID) -> people.Erasure:
    return people.erase(stage.runtime, stage.world.organization_id, candidate, actor="Ada Novak")


def test_nothing_is_left_that_says_who_it_was_and_the_audit_trail_verifies(stage: Stage, priya: UUID) -> None:
    before = stage.dump()
    assert all(each in before for each in (ADDRESS, "Raman", "Kestrel", "Oslo it is"))
    done = erase(stage, priya)
    assert (done.erased.messages, done.erased.letters, done.erased.suppressions) == (1, 1, 1)
    left = stage.dump()
    for each in (ADDRESS, "Raman", "Kestrel", "Oslo", "90,000"):
        assert each not in left, each
    with stage.world.database.transaction() as tx:
        audit_chain.seal(tx, stage.world.keys.audit)
        assert audit.broken_receipts(tx, stage.world.organization_id) == 0
    assert stage.count(Receipt) == 2
    proof = stage.only(AuditEntry, action="person_erased")
    assert (proof.actor_name, proof.data["messages"]) == ("Ada Novak", 1)


def test_what_waits_stops_first_and_a_second_erasure_finds_nobody(stage: Stage, priya: UUID) -> None:
    hans = stage.only(Member).id
    box = stage.only(Mailbox).id
    by_hand.write(
        stage.runtime, stage.world.organization_id, priya, member_id=hans, mailbox_id=box, in_thread=False,
        subject="Late", text="Too late.", key="k2", actor="Hans Holder",
    )  # fmt: skip
    assert erase(stage, priya).withdrawal.stopped == 1
    stage.send_due()
    assert len(stage.left()) == 2
    with pytest.raises(NotFound):
        erase(stage, priya)


def test_an_import_of_the_address_stays_suppressed(stage: Stage, priya: UUID, tmp_path: Path) -> None:
    erase(stage, priya)
    file = tmp_path / "people.csv"
    file.write_text(f"email,first_name\n{ADDRESS},Priya\nnew@kestrel.example,New\n")
    name = stage.only(Sequence, kind="sequence").name
    summary = import_people(
        stage.world.database, file, sequence=name, actor="test", keys=stage.runtime.web_keys
    )
    assert (summary.enrolled, summary.skipped_suppressed) == (1, 1)


def test_somebody_else_with_a_similar_name_is_untouched(stage: Stage, priya: UUID) -> None:
    stage.world.candidates(1, email="raman@other.example", first_name="Priyanka", last_name="Ramanujan")
    erase(stage, priya)
    other = stage.only(Candidate, erased_at=None)
    assert (other.email, other.last_name) == ("raman@other.example", "Ramanujan")


def test_an_answer_that_comes_later_is_not_kept(stage: Stage, priya: UUID) -> None:
    entry = stage.left()[0]
    erase(stage, priya)
    box = stage.only(Mailbox).id
    stage.emulator.control.incoming(
        stage.address(box), sender=ADDRESS, subject="Again", text=WORDS, in_reply_to=entry.internet_message_id
    )
    stage.read(box)
    assert stage.count(IncomingMessage) == 0


@pytest.mark.row("F4")
def test_an_export_holds_all_that_was_written(stage: Stage, priya: UUID) -> None:
    found = people.export(stage.runtime, stage.world.organization_id, priya, actor="Ada Novak")
    text = json.dumps(found, default=str)
    assert all(
        each in text for each in (ADDRESS, "Kestrel Grid", WORDS, "Oslo it is, Priya.", "this is step 1")
    )
    assert [each["direction"] for each in found["messages"]] == ["out", "in", "out"]
    assert len(found["receipts"]) == 2
    assert stage.count(AuditEntry, action="person_exported") == 1


def test_a_conversation_is_in_order_although_times_of_receipt_are_whole_seconds(
    stage: Stage, priya: UUID
) -> None:
    second = datetime.now(UTC).replace(microsecond=0)
    first, by_hand_ = stage.all(Delivery)
    stage.put(Delivery, first.id, sent_at=second + timedelta(milliseconds=100))
    stage.put(IncomingMessage, received_at=second, recorded_at=second + timedelta(milliseconds=400))
    stage.put(Delivery, by_hand_.id, sent_at=second + timedelta(milliseconds=700))
    found = people.export(stage.runtime, stage.world.organization_id, priya, actor="Ada Novak")
    assert [each["direction"] for each in found["messages"]] == ["out", "in", "out"]
    assert [each["at"] for each in found["messages"]][1] == second  # as the provider said


@pytest.mark.row("F4")
def test_an_admin_sees_what_goes_types_the_address_and_erases(stage: Stage, priya: UUID) -> None:
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    here = f"/people/{priya}/erase"
    visitor = Visitor(stage).sign_in(email_of(stage, ada)).get(here)
    assert "1 message that came in" in visitor.text.replace("\n", " ")
    assert WORDS in visitor.get(f"/people/{priya}/export.json").text
    visitor.get(here).send(here, address="somebody@else.example")
    assert (visitor.status, "This is not the address of the person." in visitor.text) == (422, True)
    visitor.send(here, address=ADDRESS.upper()).follow()
    assert "Erased: 1 message that came in, 1 email written by hand" in visitor.text
    assert visitor.get(f"/people/{priya}/messages").status == 404
    assert ADDRESS not in stage.dump()


def test_members_neither_export_nor_erase(stage: Stage, priya: UUID) -> None:
    hans = stage.only(Member).id
    known_account(stage, email_of(stage, hans))
    visitor = Visitor(stage).sign_in(email_of(stage, hans))
    for path in ("erase", "export.json"):
        assert visitor.get(f"/people/{priya}/{path}").status == 403
    assert visitor.get("/sequences").send(f"/people/{priya}/erase", address=ADDRESS).status == 403


def test_the_commands_do_the_same(stage: Stage, priya: UUID, cli: Cli) -> None:  # noqa: F811 - the fixture
    name = stage.only(Organization).name
    assert WORDS in cli("people", "export", ADDRESS, "-o", name).output
    assert "Erased at" in cli("people", "erase", ADDRESS, "-o", name, "--yes").output
    assert ADDRESS not in stage.dump()
