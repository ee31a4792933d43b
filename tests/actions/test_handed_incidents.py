"""Incidents of a sequence go with it: the former owner's is closed with a sentence, and the new owner hears of it once."""

from uuid import UUID

import pytest

from actions import handovers, holds, withdraw
from db.withdrawing.holds import Whose
from domain.handover import TakeOver
from domain.holds import Level
from lab.records import Notice
from lab.stage import Stage
from scheduler import incidents


class Desk:
    """Theo writes from the mailbox of Hans, who has lent it to Rita too."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        world = stage.world
        self.hans, self.theo = world.member("Hans Holder"), world.member("Theo Marsh")
        self.rita = world.member("Rita Recruiter")
        self.box, self.ritas = stage.mailbox(self.hans), stage.mailbox(self.rita)
        for each in (self.theo, self.rita):
            world.grant(self.box, each)
        self.sequence = self.start()

    def start(self) -> UUID:
        sequence = self.stage.world.sequence(self.theo, self.box, ("P1D",))
        self.stage.world.enroll(sequence, 2)
        return sequence

    def lose_the_mailbox(self) -> None:
        withdraw.disconnect_mailbox(self.stage.runtime, self.box, actor="Hans Holder")
        self.stage.run_outbox()

    def hand_over(self, mailbox: UUID) -> None:
        asked = handovers.ask(
            self.stage.runtime, self.sequence, self.rita, words="", by=self.theo, actor="Theo Marsh"
        )
        handovers.accept(
            self.stage.runtime, asked, TakeOver(mailbox), owner_id=self.rita, actor="Rita Recruiter"
        )
        for _ in range(3):
            incidents.examine(self.stage.world.database)
            self.stage.run_outbox()

    def incidents(self, owner: UUID) -> list[Notice]:
        return [
            each
            for each in self.stage.all(Notice, owner_id=owner, channel="in_app")
            if each.opened_at is not None
        ]


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage)


def test_what_still_keeps_it_from_sending_is_the_new_owners(desk: Desk) -> None:
    desk.lose_the_mailbox()
    (theirs,) = desk.incidents(desk.theo)
    assert theirs.closed_at is None
    desk.hand_over(desk.box)
    (theirs,) = desk.incidents(desk.theo)
    assert theirs.closed_at is not None
    assert theirs.body.endswith("is Rita Recruiter's now, and so is this.")
    (hers,) = desk.incidents(desk.rita)
    assert (hers.closed_at, hers.title) == (None, theirs.title)
    assert hers.read_at is None
    assert len(desk.stage.notices(owner_id=desk.rita, channel="in_app", title=hers.title)) == 1


def test_it_stays_with_whoever_has_another_sequence_with_the_same_trouble(desk: Desk) -> None:
    desk.start()
    desk.lose_the_mailbox()
    desk.hand_over(desk.box)
    (theirs,) = desk.incidents(desk.theo)
    assert theirs.closed_at is None
    (hers,) = desk.incidents(desk.rita)
    assert hers.closed_at is None


def test_with_another_sender_it_is_nobodys(desk: Desk) -> None:
    desk.lose_the_mailbox()
    desk.hand_over(desk.ritas)
    (theirs,) = desk.incidents(desk.theo)
    assert theirs.closed_at is not None
    assert desk.incidents(desk.rita) == []


def test_a_hold_of_a_mailbox_that_one_no_longer_uses_is_no_incident_of_theirs(desk: Desk) -> None:
    held = Whose(desk.stage.world.organization_id, desk.box)
    holds.hold(
        desk.stage.runtime, held, level=Level.OWNER, actor="Hans Holder", reason="A wrong text in my name"
    )
    desk.stage.run_outbox()
    (theirs,) = desk.incidents(desk.theo)
    assert theirs.closed_at is None
    desk.hand_over(desk.ritas)
    (theirs,) = desk.incidents(desk.theo)
    assert theirs.closed_at is not None
