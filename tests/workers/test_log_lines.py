"""Lines of the log name the queue, the organization and the mailbox, so that one of them can be filtered out."""

from collections.abc import Callable
from uuid import uuid4

import structlog

from lab.stage import Stage
from workers.actor import _BODIES, actor

Written = Callable[[], list[dict[str, object]]]


def test_every_line_of_a_job_names_its_actor_and_queue(written: Written) -> None:
    actor("name_me", "events")(lambda **_: structlog.get_logger().info("email_sent"))
    _BODIES.pop("name_me")[1](outbox_id=str(uuid4()))
    (line,) = written()
    assert (line["actor"], line["queue"]) == ("name_me", "events")


def test_every_line_about_an_email_names_its_organization_and_mailbox(stage: Stage, written: Written) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box))
    stage.send_due()
    (line,) = [each for each in written() if each["event"] == "email_sent"]
    assert (line["mailbox_id"], line["organization_id"]) == (str(box), str(stage.world.organization_id))
    stage.read(box)
    (line,) = [each for each in written() if each["event"] == "mailbox_read"]
    assert (line["mailbox_id"], line["organization_id"]) == (str(box), str(stage.world.organization_id))
