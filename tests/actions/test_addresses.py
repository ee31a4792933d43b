"""A person's address is corrected: what came back goes on under the new one, and no email leaves twice."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from actions import addresses, opt_outs, people, withdraw
from db.sequences import new_address
from db.sequences.new_address import Goes
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.opt_out import OptOut
from lab.emulator import reports
from lab.listening_records import IncomingMessage
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, Sequence, Suppression
from lab.stage import Stage
from tests.actions.drafting import while_drafted
from tests.workers.test_follow import bounce, go_on
from tests.workers.test_read_mailbox import answers, enrolled, statuses

HOUR, DAY = 3600.0, 86400.0
NEW = "priya@kestrel.example"


@pytest.fixture
def box(stage: Stage) -> UUID:
    return stage.mailbox(stage.world.member("Hans Holder"))


@pytest.fixture
def old(stage: Stage, box: UUID) -> str:
    """One person, whose first email of two came back for good."""
    enrolled(stage, box)
    address = stage.only(Candidate).email
    bounce(stage, box, address, "5.1.1")
    stage.read(box)
    assert statuses(stage) == [("stopped", "bounced")]
    return address


def priya(stage: Stage) -> UUID:
    return stage.only(Candidate).id


def correct(stage: Stage, address: str = NEW, was: str | None = None) -> new_address.Foreseen:
    return addresses.correct(stage.runtime, priya(stage), address, actor="Rita Recruiter", was=was)


def received(stage: Stage) -> list[str]:
    return [address for each in stage.left() for address in each.to]


def test_the_email_that_came_back_leaves_once_for_the_new_address_and_the_rest_follows(
    stage: Stage, box: UUID, old: str
) -> None:
    foreseen = addresses.foresee(stage.runtime, priya(stage), NEW)
    assert [(each.goes, each.step) for each in foreseen.places] == [(Goes.AGAIN, 1)]
    assert received(stage) == [old]
    assert correct(stage, " Priya@Kestrel.example ").address == NEW
    assert go_on(stage, box, 60) == 2
    assert go_on(stage, box, 2 * HOUR) == 3
    assert received(stage) == [old, NEW, NEW]
    again = stage.left()[1]
    assert again.subject == stage.left()[0].subject
    assert not again.in_reply_to
    assert sorted(each.standing for each in stage.all(Enrollment)) == [
        ("archived", "address_corrected"),
        ("finished", None),
    ]
    sent = {each.sent_to for each in stage.all(Delivery, state="sent")}
    assert sent == {old, None}


def test_what_bounced_stays_suppressed_and_on_record(stage: Stage, box: UUID, old: str) -> None:
    correct(stage)
    assert [(each.value, each.reason, each.lifted_at) for each in stage.all(Suppression)] == [
        (old, "bounced", None)
    ]
    assert stage.only(IncomingMessage).overruled_at is None
    (entry,) = [each for each in stage.all(AuditEntry) if each.action == "candidate_address_corrected"]
    assert (entry.subject, entry.data) == (f"candidate:{priya(stage)}", {"sequences": 1})


def test_where_emails_had_reached_them_the_sequence_goes_on_with_the_next_step(
    stage: Stage, box: UUID
) -> None:
    enrolled(stage, box, 1, ("PT0S", "PT1H", "PT1H"))
    old = stage.only(Candidate).email
    assert go_on(stage, box, 2 * HOUR) == 2
    back = stage.address(box)
    entry = stage.left()[-1]
    raw = reports.bounce("exchange", "5.1.1", old, back, entry)
    stage.emulator.control.incoming(back, raw=raw, kind="bounce")
    stage.read(box)
    assert statuses(stage) == [("stopped", "bounced")]
    foreseen = addresses.foresee(stage.runtime, priya(stage), NEW)
    assert [(each.goes, each.step) for each in foreseen.places] == [(Goes.NEXT, 3)]
    correct(stage)
    assert go_on(stage, box, 2 * HOUR) == 3
    assert received(stage) == [old, old, NEW]
    assert statuses(stage) == [("finished", None)]


def test_a_second_report_about_the_old_address_changes_nothing_for_the_new_one(
    stage: Stage, box: UUID, old: str
) -> None:
    correct(stage)
    bounce(stage, box, old, "5.1.1")
    assert go_on(stage, box, 60) == 2
    assert [each.value for each in stage.all(Suppression)] == [old]
    assert ("active", None) in {each.standing for each in stage.all(Enrollment)}


def test_the_new_address_can_bounce_too(stage: Stage, box: UUID, old: str) -> None:
    correct(stage)
    assert go_on(stage, box, 60) == 2
    bounce(stage, box, NEW, "5.1.1")
    stage.read(box)
    assert sorted(str(each.value) for each in stage.all(Suppression)) == sorted([old, NEW])
    with pytest.raises(NotPermitted, match="gets no more emails"):
        correct(stage, old)
    correct(stage, "third@kestrel.example")
    assert go_on(stage, box, 60) == 3
    assert received(stage) == [old, NEW, "third@kestrel.example"]


def test_an_answer_from_the_old_address_ends_what_goes_on_under_the_new_one(
    stage: Stage, box: UUID, old: str
) -> None:
    correct(stage)
    answers(stage, box, old)
    stage.read(box)
    assert ("stopped", "answered") in {each.standing for each in stage.all(Enrollment)}
    assert go_on(stage, box, 2 * HOUR) == 1


def test_whoever_opts_out_is_suppressed_at_every_address(stage: Stage, box: UUID, old: str) -> None:
    first = stage.only(Delivery, state="sent")
    correct(stage)
    stage.send_due()
    opt_outs.opt_out(stage.runtime, OptOut(stage.world.organization_id, priya(stage), first.id))
    assert {each.value: each.reason for each in stage.all(Suppression)} == {old: "opt_out", NEW: "opt_out"}
    with pytest.raises(NotPermitted, match="under any address"):
        correct(stage, "third@kestrel.example")


def test_nobody_comes_back_by_another_address_who_said_no(stage: Stage, box: UUID, old: str) -> None:
    stage.world.suppress("no@kestrel.example")
    with pytest.raises(NotPermitted, match=r"no@kestrel\.example gets no more emails"):
        correct(stage, "no@kestrel.example")
    withdraw.suppress_candidate(stage.runtime, priya(stage), actor="Rita", reason="unsubscribed")
    assert [each.reason for each in stage.all(Suppression) if each.value == old] == ["opt_out"]
    with pytest.raises(NotPermitted, match="under any address"):
        correct(stage)


def test_what_is_refused_says_why(stage: Stage, box: UUID, old: str) -> None:
    stage.world.candidates(1, email="taken@example.org")
    person = next(each.id for each in stage.all(Candidate) if each.email == old)
    for address, said in (
        ("taken@example.org", "another person"),
        (old, "the address they have"),
        ("no address", "is not one address"),
    ):
        with pytest.raises(InvalidInput, match=said):
            addresses.correct(stage.runtime, person, address, actor="Rita")
    with pytest.raises(NotFound):
        addresses.correct(stage.runtime, UUID(int=1), NEW, actor="Rita")


def test_emails_that_left_and_did_not_come_back_keep_their_person(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    with pytest.raises(NotPermitted, match="as a separate person"):
        correct(stage)


def test_before_anything_left_an_address_is_simply_another(stage: Stage, box: UUID) -> None:
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT1H",)))
    foreseen = correct(stage)
    assert [(each.goes, each.step) for each in foreseen.places] == [(Goes.ON, None)]
    assert go_on(stage, box, 2 * HOUR) == 1
    assert received(stage) == [NEW]


@pytest.mark.parametrize("when", ["before", "after"])
def test_while_an_email_is_in_doubt_the_address_stays(stage: Stage, box: UUID, when: str) -> None:
    stage.emulator.control.fault("POST /me/messages/{id}/send", when=when, status=504)
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S",)))
    stage.send_due()
    assert stage.world.states() == {"in_doubt": 1}
    with pytest.raises(NotPermitted, match="on its way"):
        correct(stage)


def test_a_draft_with_the_old_address_never_leaves(stage: Stage, box: UUID) -> None:
    """The address is corrected while a worker has drafted the email, before the gate."""
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S",)))
    while_drafted(stage, box, lambda: correct(stage))
    assert go_on(stage, box, HOUR) == 1
    assert received(stage) == [NEW]


def test_two_who_correct_it_at_once_notice_each_other(stage: Stage, box: UUID, old: str) -> None:
    def one(address: str) -> str:
        try:
            return correct(stage, address, was=old).address
        except InvalidInput as error:
            return error.what

    with ThreadPoolExecutor(2) as both:
        said = list(both.map(one, ["a@kestrel.example", "b@kestrel.example"]))
    kept = stage.only(Candidate).email
    assert sorted(said) == sorted([kept, f"Somebody corrected it to {kept} meanwhile"])
    assert len(stage.all(Enrollment)) == 2


def test_a_paused_sequence_keeps_them_waiting(stage: Stage, box: UUID, old: str) -> None:
    sequence = stage.only(Sequence).id
    withdraw.pause_sequence(stage.runtime, sequence, actor="Hans Holder", reason="by hand")
    assert [each.at for each in correct(stage).places] == [None]
    assert go_on(stage, box, HOUR) == 1


def test_an_erasure_forgets_the_old_address_too(stage: Stage, box: UUID, old: str) -> None:
    correct(stage)
    people.erase(stage.runtime, stage.world.organization_id, priya(stage), actor="Ada")
    assert {each.value for each in stage.all(Suppression)} == {None}
    assert {each.sent_to for each in stage.all(Delivery)} == {None}
