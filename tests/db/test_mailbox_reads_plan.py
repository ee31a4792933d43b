"""What planning readings, matching a page and the gate ask of the database, with many rows."""

from datetime import timedelta
from uuid import UUID

from db.core.statements import CATALOGUE
from lab.factories import World


def _explain(world: World, name: str, **values: object) -> str:
    lines = world.rows(f"EXPLAIN {CATALOGUE[name].text}", **values)
    return "\n".join(str(line) for (line,) in lines)


def _many(world: World) -> None:
    """Mailboxes whose turn is far off, and people enough that reading all of them would show."""
    owner = world.member()
    boxes = [world.mailbox(owner) for _ in range(60)]
    for box in boxes[:4]:
        world.enroll(world.sequence(owner, box, ("P1D",)), 800)
    world.run(
        "INSERT INTO mailbox_reads (mailbox_id, organization_id, watermark, next_read_at) SELECT id, organization_id, now(),"
        " now() + interval '1 hour' FROM mailboxes"
    )
    for table in ("mailbox_reads", "deliveries", "enrollments", "candidates", "lanes", "incoming_messages"):
        world.run(f"ANALYZE {table}")


def test_planning_reads_what_is_due_and_nothing_else(world: World) -> None:
    _many(world)
    plan = _explain(world, "listening.reads.plan", limit=200, bound=1000, again=timedelta(seconds=60))
    assert "deliveries" not in plan
    assert "enrollments" not in plan


def test_what_a_page_may_be_about_is_found_by_index(world: World) -> None:
    _many(world)
    plan = _explain(
        world,
        "listening.matching.possible",
        organization_id=world.organization_id,
        mailbox_id=UUID(int=1),
        message_ids=["<a@b>"],
        conversations=["c"],
        addresses=["nobody@example.org"],
        deliveries=[UUID(int=2)],
    )
    assert "ix_deliveries_message_id" in plan
    assert "ix_deliveries_conversation" in plan
    assert "uq_candidates_organization_id_email" in plan
    assert "Seq Scan on deliveries" not in plan
    assert "Seq Scan on candidates" not in plan


def test_what_is_asked_before_a_follow_up_is_found_by_the_enrollment(world: World) -> None:
    _many(world)
    plan = _explain(
        world,
        "listening.answers.heard",
        id=UUID(int=1),
        readable=["graph"],
        again=timedelta(seconds=60),
    )
    assert "Seq Scan on deliveries" not in plan
