"""Needs attention: what only a person can decide, with buttons, for owners and admins; numbers that agree."""

from uuid import UUID

import pytest

from db.views.overviews import Filter, sequences_of
from lab.access_records import Mailbox
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, Notice
from lab.stage import Stage
from lab.tables import ago
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return member(stage, "Rita Recruiter")


def start(stage: Stage, owner: UUID, people: int = 2, **values: object) -> UUID:
    boxes = stage.all(Mailbox)
    box = boxes[0].id if boxes else stage.mailbox(owner)
    sequence_id = stage.world.sequence(owner, box, ("PT0S", "P1D"), **values)  # type: ignore[arg-type]
    stage.world.enroll(sequence_id, people)
    return sequence_id


def at_attention(stage: Stage, member_id: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, member_id)).get("/attention")


def blocked(stage: Stage, owner: UUID) -> UUID:
    sequence_id = start(stage, owner, body="For the {{role}}", fields=("role",))
    stage.send_due()
    assert stage.count(Enrollment, status="paused") == 2
    return sequence_id


def test_a_missing_field_is_filled_in_and_everybody_goes_on_at_once(stage: Stage, rita: UUID) -> None:
    sequence_id = blocked(stage, rita)
    visitor = at_attention(stage, rita)
    assert "Role is missing for 2 people" in visitor.text
    assert "2 people blocked" in visitor.get("/sequences").text
    visitor.get("/attention").send(f"/attention/blocked/{sequence_id}", field="role")
    assert visitor.status == 422
    assert "Nothing is filled in" in visitor.text
    one, _ = [each.id for each in stage.all(Enrollment)]
    visitor.send(
        f"/attention/blocked/{sequence_id}",
        None,
        **{"field": "role", f"value-{one}": "Lead", "all": "Engineer"},
    ).follow()
    assert "Filled in for 2 people." in visitor.text
    assert "Nothing needs your attention" in visitor.text
    stage.later(60)
    stage.send_due()
    assert sorted(entry.body.strip() for entry in stage.left()) == sorted(
        entry.body.strip() for entry in stage.left() if "Lead" in entry.body or "Engineer" in entry.body
    )
    assert len(stage.left()) == 2


def test_people_of_a_paused_sequence_are_filled_in_and_wait_with_it(stage: Stage, rita: UUID) -> None:
    sequence_id = blocked(stage, rita)
    at_attention(stage, rita).send(f"/sequences/{sequence_id}/pause")
    at_attention(stage, rita).send(f"/attention/blocked/{sequence_id}", field="role", all="Engineer")
    stage.later(60)
    stage.send_due()
    assert stage.left() == []
    visitor = at_attention(stage, rita).get(f"/sequences/{sequence_id}/resume")
    visitor.send(f"/sequences/{sequence_id}/resume", late="")
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == 2


def test_people_who_lack_a_field_can_be_left_out(stage: Stage, rita: UUID) -> None:
    sequence_id = blocked(stage, rita)
    visitor = at_attention(stage, rita)
    visitor.send(f"/attention/blocked/{sequence_id}", field="role", do="stop").follow()
    assert "2 people left out" in visitor.text
    assert {each.status for each in stage.all(Enrollment)} == {"stopped"}


@pytest.mark.parametrize(
    ("verdict", "left", "state"), [("sent", 0, "sent"), ("again", 1, "sent"), ("out", 0, "closed")]
)
def test_an_email_in_review_is_settled_by_a_button_once(
    stage: Stage, rita: UUID, verdict: str, left: int, state: str
) -> None:
    start(stage, rita, 1)
    stage.emulator.control.fault("POST /me/messages/{id}/send", when="before", reset=True)
    stage.send_due()
    box = stage.only(Mailbox).id
    for item in stage.emulator.control.messages(stage.address(box)):
        stage.emulator.control.delete(stage.address(box), item["id"])
    stage.emulator.control.clear_faults()
    for _ in range(20):
        stage.later(120)
        stage.look()
    visitor = at_attention(stage, rita)
    assert "Did these emails leave?" in visitor.text
    assert "look in Sent Items of <bdi>" in visitor.text
    stage.put(Mailbox, box, provider="smtp")
    assert "mail server's log" in visitor.get("/attention").text
    assert "look in Sent Items of <bdi>" not in visitor.text
    stage.put(Mailbox, box, provider="graph")
    delivery = stage.only(Delivery, state="review").id
    for said in ("", "settled already"):
        visitor.get("/attention").send(f"/attention/reviews/{delivery}", verdict=verdict).follow()
        assert said in visitor.text
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == left
    assert stage.only(Delivery, delivery).state == state
    by = stage.only(AuditEntry, action="review_settled").actor_name
    assert by == "Rita Recruiter"


def test_failed_emails_are_sent_again_once_and_through_every_check(stage: Stage, rita: UUID) -> None:
    sequence_id = start(stage, rita)
    for each in stage.all(Candidate):
        stage.put(Candidate, each.id, email=f"{each.first_name.lower()}@example.org")  # listed by it
    stage.emulator.control.fault(
        "POST /me/messages", status=400, times=2, body='{"error":{"code":"ErrorInvalidRecipients"}}'
    )
    stage.send_due()
    stage.emulator.control.clear_faults()
    assert stage.world.states() == {"closed": 2}
    (reason,) = {str(each.reason) for each in stage.all(Delivery)}
    stage.run_outbox()
    notice = stage.all(Notice, channel="in_app")[0]
    assert "2 emails in Sequence" in notice.title
    assert "Cand0 and Cand1" in notice.body
    assert ".." not in notice.body
    assert "400" not in notice.body
    visitor = at_attention(stage, rita)
    assert "2 emails in" in visitor.text
    stage.world.suppress(stage.only(Candidate, first_name="Cand0").email)
    for said in ("1 email to be sent again", "0 emails"):  # a person who opted out stays out
        visitor.get("/attention").send(f"/attention/failed/{sequence_id}", reason=reason, do="retry").follow()
        assert said in visitor.text
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == 1
    visitor.get("/attention").send(f"/attention/failed/{sequence_id}", reason=reason, do="out").follow()
    assert "Nothing needs your attention" in visitor.text


def test_nobody_else_decides(stage: Stage, rita: UUID) -> None:
    sequence_id = blocked(stage, rita)
    mona = at_attention(stage, member(stage, "Mona Member"))
    assert "Nothing needs your attention" in mona.text
    for path, fields in (
        ("blocked", {"field": "role", "all": "x"}),
        ("failed", {"reason": "recipient_rejected"}),
    ):
        assert mona.get("/sequences").send(f"/attention/{path}/{sequence_id}", None, **fields).status == 404
    delivery = stage.all(Delivery)[0].id
    assert mona.get("/sequences").send(f"/attention/reviews/{delivery}", verdict="out").status == 404
    assert mona.get(f"/attention?sequence={sequence_id}").status == 404


def test_every_person_is_in_exactly_one_number(stage: Stage, rita: UUID) -> None:
    sequence_id = start(stage, rita, 7)
    states = ["in_doubt", "review", "pending"]
    rows = stage.all(Delivery)
    for state, delivery in zip(states, rows, strict=False):
        stage.overwrite(Delivery, delivery.id, state=state, reason="x")
    people = [each.enrollment_id for each in rows]
    refusal = "recipient_rejected"
    stage.overwrite(Delivery, rows[3].id, state="closed", outcome="failed", reason=refusal)
    stage.put(Enrollment, people[3], status="stopped", reason=refusal)
    stage.put(Enrollment, people[4], status="paused", reason="missing_merge_field: role", paused_at=ago())
    stage.put(Enrollment, people[5], status="paused", reason="on leave", paused_at=ago())
    stage.put(Enrollment, people[6], status="stopped", reason="replied")
    stage.overwrite(Delivery, rows[6].id, state="closed", outcome="cancelled", reason="enrollment_stopped")
    with stage.world.database.transaction() as tx:
        (line,) = sequences_of(tx, stage.world.organization_id, Filter(rita), only=sequence_id)
    assert (line.in_doubt, line.review, line.waiting, line.failed, line.blocked, line.held, line.ended) == (
        1,
    ) * 7


def refused(stage: Stage, owner: UUID, people: int = 1) -> UUID:
    """Emails that the provider refused because of their address, one per person."""
    start(stage, owner, people)
    stage.emulator.control.fault(
        "POST /me/messages", status=400, times=people, body='{"error":{"code":"ErrorInvalidRecipients"}}'
    )
    stage.send_due()
    stage.emulator.control.clear_faults()
    return stage.all(Delivery, outcome="failed")[0].id


def test_a_refused_address_is_corrected_and_the_email_leaves_once_for_the_right_one(
    stage: Stage, rita: UUID
) -> None:
    delivery = refused(stage, rita)
    visitor = at_attention(stage, rita)
    for wrong, said in (
        ("kaito@ minato", "is not one address"),
        ("", "There is no address"),
        (stage.only(Candidate).email, "is the address they have"),
    ):
        visitor.get("/attention").send(f"/attention/addresses/{delivery}", address=wrong)
        assert visitor.status == 422
        assert said in visitor.text
        assert f'value="{wrong}"' in visitor.text
    assert stage.world.states() == {"closed": 1}
    for said in ("Corrected.", "settled already"):
        visitor.get("/attention").send(f"/attention/addresses/{delivery}", address="Kaito@Minato.example")
        assert said in visitor.follow().text
    stage.later(60)
    stage.send_due()
    assert [entry.to for entry in stage.left()] == [["kaito@minato.example"]]
    assert stage.world.states() == {"sent": 1, "pending": 1}


def test_nobody_is_written_to_who_said_no_under_another_address(stage: Stage, rita: UUID) -> None:
    delivery = refused(stage, rita)
    (other,) = stage.world.candidates(1, email="taken@example.org")
    stage.world.suppress("no@example.org")
    visitor = at_attention(stage, rita)
    visitor.get("/attention").send(f"/attention/addresses/{delivery}", address="taken@example.org")
    assert visitor.status == 422
    assert "is the address of another person" in visitor.text
    visitor.get("/attention").send(f"/attention/addresses/{delivery}", address="no@example.org")
    assert "no@example.org gets no more emails." in visitor.follow().text
    stage.world.suppress(*(each.email for each in stage.all(Candidate) if each.id != other))
    visitor.get("/attention").send(f"/attention/addresses/{delivery}", address="new@example.org")
    assert "under any address" in visitor.follow().text
    assert stage.world.states() == {"closed": 1}
    mona = at_attention(stage, member(stage, "Mona Member"))
    assert mona.send(f"/attention/addresses/{delivery}", None, address="new@example.org").status == 404


def test_emails_that_left_keep_the_address_that_they_went_to(stage: Stage, rita: UUID) -> None:
    start(stage, rita, 1)
    stage.send_due()
    stage.later(86400)
    stage.emulator.control.fault(
        "POST /me/messages/{id}/createReplyAll",
        status=400,
        times=1,
        body='{"error":{"code":"ErrorInvalidRecipients"}}',
    )
    stage.send_due()
    stage.emulator.control.clear_faults()
    assert stage.world.states() == {"sent": 1, "closed": 1}
    delivery, old = stage.only(Delivery, outcome="failed").id, stage.only(Candidate).email
    visitor = at_attention(stage, rita)
    visitor.send(f"/attention/addresses/{delivery}", address="new@example.org")
    assert "Corrected." in visitor.follow().text
    stage.later(60)
    stage.read(stage.only(Delivery, id=delivery).mailbox_id)
    stage.send_due()
    assert [entry.to for entry in stage.left()] == [[old], ["new@example.org"]]
    assert sorted(str(each.sent_to) for each in stage.all(Delivery)) == ["None", old]
