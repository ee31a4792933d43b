"""A follow-up whose email is gone from the mailbox still replies to it in the candidate's mailbox."""

from lab.stage import Stage


def test_a_follow_up_names_the_emails_before_it_although_they_are_gone(stage: Stage) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H", "PT1H")))
    for _ in range(3):
        stage.send_due()
        for item in stage.emulator.control.messages(stage.address(box)):
            stage.emulator.control.delete(stage.address(box), item["id"])
        stage.later(3600)
    first, second, third = stage.left()
    assert (second.in_reply_to, second.references) == (first.internet_message_id, first.internet_message_id)
    assert third.in_reply_to == second.internet_message_id
    assert third.references == f"{first.internet_message_id} {second.internet_message_id}"
    assert second.subject == third.subject == f"Re: {first.subject}"


def test_one_that_answers_the_email_itself_is_as_ever(stage: Stage) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H", "PT1H")))
    for _ in range(3):
        stage.send_due()
        stage.later(3600)
    first, second, third = stage.left()
    assert third.references == f"{first.internet_message_id} {second.internet_message_id}"
    assert len({each.conversation_id for each in (first, second, third)}) == 1
