"""What candidates and receipts read after hand-overs: who wrote before, and who has the sequence from whom."""

# ruff: noqa: F811 - the fixture
import pytest

from actions import handovers, withdraw
from domain.handover import TakeOver
from lab.access_records import Mailbox, Member
from lab.records import Receipt
from lab.stage import Stage
from tests.actions.test_handovers import Office, office  # noqa: F401 - fixture


def test_whoever_wrote_to_nobody_is_not_named(stage: Stage, office: Office) -> None:
    """Theo wrote, Rita had it for a moment, Ada writes now."""
    stage.send_due()
    office.accept()
    adas = stage.mailbox(office.ada)
    handovers.hand_over(
        stage.runtime, office.sequence, office.ada, TakeOver(adas), by=office.ada, actor="Ada Novak"
    )
    office.resume()
    office.days()
    assert "I am taking over from Theo Marsh, who wrote to you before.<" in stage.left()[-1].body


def test_of_several_who_wrote_none_is_named(stage: Stage, office: Office) -> None:
    stage.send_due()
    office.accept()
    stage.world.enroll(office.sequence, 1)
    office.resume()
    stage.later(60)
    stage.send_due()  # Rita to the third
    adas = stage.mailbox(office.ada)
    with stage.world.database.transaction() as tx:
        found = handovers.preview(tx, office.sequence, office.ada, adas)
    assert found.introduction == "I am taking over from a colleague, who wrote to you before."
    assert found.means.middle == 3


def test_whoever_goes_on_from_another_address_takes_over_from_nobody(stage: Stage, office: Office) -> None:
    stage.send_due()
    other = stage.mailbox(office.theo)
    handovers.hand_over(
        stage.runtime, office.sequence, office.theo, TakeOver(other), by=office.theo, actor="Theo"
    )
    office.resume()
    office_left = len(stage.left())
    stage.later(100_000)
    stage.send_due()
    assert len(stage.left()) == office_left + 2
    assert "I am writing from another address now.<" in stage.left()[-1].body
    assert "taking over" not in stage.left()[-1].body


def test_an_owner_who_signed_from_a_sender_address_is_named(stage: Stage, office: Office) -> None:
    shared = stage.mailbox(office.theo)
    sequence = stage.world.sequence(office.theo, shared, ("PT0S", "P1D"))
    stage.world.enroll(sequence, 1)
    assert stage.send_due() == 3
    stage.put(Mailbox, shared, owner_id=None)
    with stage.world.database.transaction() as tx:
        theirs = handovers.preview(tx, sequence, office.rita, office.ritas)
        own = handovers.preview(tx, sequence, office.theo, office.theos)
    assert theirs.introduction == "I am taking over from Theo Marsh, who wrote to you before."
    assert own.introduction == "I am writing from another address now."


def test_a_leavers_sequences_each_name_who_wrote(stage: Stage, office: Office) -> None:
    """One sent from Theo's own mailbox, one from Ada's by her permission."""
    adas = stage.mailbox(office.ada)
    stage.world.grant(adas, office.theo)
    lent = stage.world.sequence(office.theo, adas, ("PT0S", "P1D"))
    stage.world.enroll(lent, 1)
    assert stage.send_due() == 3
    withdraw.deactivate_member(stage.runtime, office.theo, actor="Ada Novak")
    stage.run_outbox()
    handovers.hand_over_all(
        stage.runtime, office.theo, office.rita, TakeOver(office.ritas), actor="Ada Novak"
    )
    for sequence in (office.sequence, lent):
        office.sequence = sequence
        office.resume()
    office.days()
    said = [each.body for each in stage.left() if "taking over" in each.body]
    assert sorted("Theo Marsh" in each for each in said) == [False, True, True]
    assert sorted("Ada Novak, who wrote" in each for each in said) == [False, False, True]


def test_receipts_name_both_also_where_the_sender_follows_later(stage: Stage, office: Office) -> None:
    stage.send_due()
    office.accept(TakeOver(None))
    handovers.hand_over(
        stage.runtime,
        office.sequence,
        office.rita,
        TakeOver(office.ritas),
        by=office.rita,
        actor="Rita Recruiter",
    )
    office.resume()
    office.days()
    said = max(stage.all(Receipt), key=lambda each: each.accepted_at).detail("hand-over")
    theo, rita = (stage.only(Member, each).email for each in (office.theo, office.rita))
    assert said is not None
    assert said.startswith(
        f"{rita} has it from {theo}; it sends from {stage.address(office.ritas)}, before from {stage.address(office.theos)}; since "
    )
    assert "taking over from Theo Marsh" in stage.left()[-1].body


@pytest.mark.parametrize("again", [False, True])
def test_receipts_do_not_say_that_somebody_has_it_from_themselves(
    stage: Stage,
    office: Office,
    again: bool,
) -> None:
    stage.world.grant(office.ritas, office.theo)
    if again:  # there and back
        for box in (office.ritas, office.theos):
            handovers.hand_over(
                stage.runtime, office.sequence, office.theo, TakeOver(box), by=office.theo, actor="Theo Marsh"
            )
    handovers.hand_over(
        stage.runtime,
        office.sequence,
        office.theo,
        TakeOver(office.ritas),
        by=office.theo,
        actor="Theo Marsh",
    )
    office.resume()
    office.days(0.01)
    said = stage.all(Receipt)[-1].detail("hand-over")
    assert said is not None
    assert said.startswith(
        f"it sends from {stage.address(office.ritas)}, before from {stage.address(office.theos)}; since "
    )
