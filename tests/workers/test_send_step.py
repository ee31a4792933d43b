"""One delivery from due to sent, judged by what left the mailbox."""

from tests.stage import Stage


def test_a_due_step_becomes_one_email_from_the_owners_mailbox_with_a_receipt(stage: Stage) -> None:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member()
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box))
    assert stage.send_due() == 1
    (email,) = stage.left()
    assert email.sender == email.mailbox == stage.address(box)
    assert email.subject == "A role at Acme"
    assert "Hello Cand0, this is step 1." in email.body
    assert stage.world.states() == {"sent": 1}
    assert stage.world.rows("SELECT authority, grant_id, known_by FROM receipts") == [
        ("grant_to_person", grant, "answer")
    ]
