"""A mailbox in a tenant-wide connection through the whole pipeline: sending, doubt, answers, and how the tenant ends."""

from uuid import UUID

import pytest

from actions import resume, tenant, withdraw
from db.access import authority
from db.events import incidents
from domain.exchange_scopes import PERMISSIONS
from lab.access_records import Mailbox, TenantConnection
from lab.records import Candidate, Event, Notice, Sequence
from lab.stage import Stage
from workers import send_step

SEND = "POST /me/messages/{id}/send"


@pytest.fixture
def box(stage: Stage) -> UUID:
    """It has one person to write to, three times."""
    owner = stage.world.member()
    mailbox = stage.tenant_mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, mailbox, ("PT0S", "PT1H", "PT1H")))
    return mailbox


def test_emails_leave_one_after_another_in_one_thread(stage: Stage, box: UUID) -> None:
    for _ in range(3):
        stage.send_due()
        stage.later(3600)
    first, second, third = stage.left()
    assert first.sender == stage.address(box)
    assert len({each.conversation_id for each in (first, second, third)}) == 1
    assert stage.world.states() == {"sent": 3}
    assert stage.emulator.control.stats()["violations"] == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_makes_one_email_whether_or_not_it_had_been_accepted(
    stage: Stage, box: UUID, when: str
) -> None:
    stage.emulator.control.fault(SEND, when=when, reset=True)
    stage.send_due()
    assert stage.world.states() == {"in_doubt": 1}
    for _ in range(4):
        stage.later(700)
        stage.look()
        stage.send_due()
    assert len([each for each in stage.left() if not each.in_reply_to]) == 1
    assert stage.emulator.control.stats()["violations"] == []


def test_an_answer_stops_what_follows(stage: Stage, box: UUID) -> None:
    stage.send_due()
    (sent,) = stage.left()
    stage.emulator.control.incoming(
        stage.address(box),
        sender=stage.only(Candidate).email,
        subject=f"Re: {sent.subject}",
        text="Yes, call me.",
        in_reply_to=sent.internet_message_id,
    )
    stage.later(3600)
    stage.send_due()
    assert len(stage.left()) == 1
    assert stage.world.states() == {"sent": 1, "closed": 1}


class TestTheEndOfATenant:
    """Three mailboxes of one tenant, all of whose sequences are Rita's; one mailbox of hers is connected by her own sign-in."""

    @pytest.fixture
    def rita(self, stage: Stage) -> UUID:
        return stage.world.member("Rita Recruiter")

    @pytest.fixture
    def ada(self, stage: Stage) -> UUID:
        return stage.world.member("Ada Admin", role="admin")

    @pytest.fixture
    def boxes(self, stage: Stage, rita: UUID) -> list[UUID]:
        made = []
        for name in ("Hans Holder", "Petra Partner", "Otto Owner"):
            owner = stage.world.member(name)
            made.append(stage.tenant_mailbox(owner))
            stage.world.grant(made[-1], rita)
            stage.world.enroll(stage.world.sequence(rita, made[-1], ("PT0S", "P1D")), 2)
        own = stage.mailbox(rita)
        stage.world.enroll(stage.world.sequence(rita, own, ("PT0S", "P1D")))
        return made

    def refuse(self, stage: Stage, box: UUID, code: str) -> None:
        stage.emulator.control.app_access(stage.address(box), refusal=code)
        stage.runtime.entra_app.close()  # no token outlives the consent by more than an hour

    @pytest.mark.parametrize("code", ["7000112", "700016", "7000229", "65001"])
    def test_each_person_hears_of_it_once_and_only_its_mailboxes_stop(
        self, stage: Stage, rita: UUID, ada: UUID, boxes: list[UUID], code: str
    ) -> None:
        self.refuse(stage, boxes[0], code)
        stage.send_due()
        stage.run_outbox()
        assert {stage.only(Mailbox, each).status_reason for each in boxes} == {"tenant_refused"}
        assert [each.mailbox for each in stage.left()] == [stage.address(self.own(stage, rita))]
        assert sorted(each.status for each in stage.all(Sequence)) == ["active", "paused", "paused", "paused"]
        for member in (rita, ada, *(stage.owner(each) for each in boxes)):
            (notice,) = stage.notices(owner_id=member, channel="in_app")
            assert notice.title == "Microsoft no longer lets us into your organization's mailboxes"
            assert notice.opened_at is not None
        assert len(stage.notices(channel="in_app")) == 5

    def own(self, stage: Stage, rita: UUID) -> UUID:
        return stage.only(Mailbox, owner_id=rita).id

    def test_whoever_notices_it_later_adds_nothing(
        self, stage: Stage, rita: UUID, ada: UUID, boxes: list[UUID]
    ) -> None:
        jobs = stage.due()
        self.refuse(stage, boxes[0], "7000112")
        for each in jobs:  # all of them were queued before it ended
            send_step.send(stage.runtime, each)
        stage.check_mailboxes()
        stage.run_outbox()
        assert len(stage.all(Event, kind="TenantLost")) == 1
        assert stage.all(Event, kind="ConnectionLost") == []
        assert len(stage.notices(channel="in_app")) == 5

    def test_when_the_consent_is_given_again_all_work_by_themselves_and_the_incidents_close(
        self, stage: Stage, rita: UUID, ada: UUID, boxes: list[UUID]
    ) -> None:
        self.refuse(stage, boxes[0], "7000112")
        stage.send_due()
        stage.run_outbox()
        stage.emulator.control.app_access(stage.address(boxes[0]), refusal="")
        tenant.connect(stage.runtime, stage.world.organization_id, actor="Ada Admin")
        stage.run_outbox()
        assert {stage.only(Mailbox, each).status for each in boxes} == {"connected"}
        examine(stage)
        still = [
            each.owner_id
            for each in stage.all(Notice, channel="in_app")
            if each.opened_at and not each.closed_at
        ]
        assert still == [rita]  # her sequences wait until she resumes them
        for each in stage.all(Sequence, status="paused"):
            resume.resume_sequence(stage.runtime, each.id, actor="Rita Recruiter")
        examine(stage)
        assert all(each.closed_at for each in stage.all(Notice, channel="in_app") if each.opened_at)
        for _ in range(4):  # resuming never bursts
            stage.later(600)
            stage.send_due()
        assert len(stage.left()) == 7

    def test_a_check_of_one_mailbox_shows_that_the_tenant_works_again(
        self, stage: Stage, boxes: list[UUID], ada: UUID
    ) -> None:
        self.refuse(stage, boxes[0], "7000112")
        stage.check_mailboxes()
        assert {stage.only(Mailbox, each).status for each in boxes} == {"disconnected"}
        stage.emulator.control.app_access(stage.address(boxes[0]), refusal="")
        stage.check_mailboxes()
        assert {stage.only(Mailbox, each).status for each in boxes} == {"connected"}
        assert stage.only(TenantConnection).status == "connected"

    def test_a_second_end_is_a_second_cause(self, stage: Stage, ada: UUID, boxes: list[UUID]) -> None:
        for _ in range(2):
            self.refuse(stage, boxes[0], "7000112")
            stage.check_mailboxes()
            stage.emulator.control.app_access(stage.address(boxes[0]), refusal="")
            stage.check_mailboxes()
        assert [each.title for each in stage.notices(owner_id=ada, channel="in_app")] == [
            "Microsoft no longer lets us into your organization's mailboxes"
        ] * 2

    def test_a_blocked_tenant_is_for_its_administrators(
        self, stage: Stage, ada: UUID, boxes: list[UUID]
    ) -> None:
        self.refuse(stage, boxes[0], "5000225")
        stage.send_due()
        stage.run_outbox()
        assert {stage.only(Mailbox, each).status_reason for each in boxes} == {"organization_gone"}
        (notice,) = stage.notices(owner_id=ada, channel="in_app")
        assert "resolve this with Microsoft" in notice.body

    def test_our_own_expired_secret_is_nobodys_but_the_operators(
        self, stage: Stage, boxes: list[UUID]
    ) -> None:
        self.refuse(stage, boxes[0], "7000222")
        stage.send_due()
        stage.run_outbox()
        assert {stage.only(Mailbox, each).status for each in boxes} == {"connected"}
        assert stage.notices() == []

    def test_a_mailbox_that_gets_outside_the_scope_is_its_owners_alone(
        self, stage: Stage, rita: UUID, ada: UUID, boxes: list[UUID]
    ) -> None:
        inside = [stage.address(each) for each in boxes[1:]]
        scoped = dict.fromkeys(PERMISSIONS, inside)
        stage.emulator.control.app_access(stage.address(boxes[0]), consented=[], scoped=scoped)
        stage.send_due()
        stage.run_outbox()
        assert stage.only(Mailbox, boxes[0]).status_reason == "outside_scope"
        assert {stage.only(Mailbox, each).status for each in boxes[1:]} == {"connected"}
        assert {each.owner_id for each in stage.notices(channel="in_app")} == {rita, stage.owner(boxes[0])}
        scoped = {each: [*inside, stage.address(boxes[0])] for each in PERMISSIONS}
        stage.emulator.control.app_access(stage.address(boxes[0]), scoped=scoped)
        stage.check_mailboxes()
        assert stage.only(Mailbox, boxes[0]).status == "connected"

    def test_a_mailbox_without_its_licence_is_its_owners_alone(
        self, stage: Stage, ada: UUID, boxes: list[UUID]
    ) -> None:
        stage.emulator.control.add_mailboxes({"address": stage.address(boxes[0]), "has_mailbox": False})
        stage.check_mailboxes()
        assert stage.only(Mailbox, boxes[0]).status_reason == "no_mailbox"
        assert stage.notices(owner_id=ada) == []
        (notice,) = stage.notices(owner_id=stage.owner(boxes[0]), channel="in_app")
        assert "assign a licence" in notice.body


def examine(stage: Stage) -> None:
    with stage.world.database.transaction() as tx:
        incidents.examine(tx, None)


def test_whoever_asks_why_reads_who_can_change_it(stage: Stage, box: UUID) -> None:
    (sequence,) = [each.id for each in stage.all(Sequence)]
    for code, said in (
        ("7000112", "give the consent again at Microsoft"),
        ("5000225", "resolve it with Microsoft"),
    ):
        stage.emulator.control.app_access(stage.address(box), refusal=code)
        stage.runtime.entra_app.close()
        stage.check_mailboxes()
        with stage.world.database.transaction() as tx:
            (sentence,) = authority.blockers(tx, [sequence])[sequence]
        assert said in sentence
        stage.emulator.control.app_access(stage.address(box), refusal="")
        stage.check_mailboxes()
    stage.attend()
    withdraw.disconnect_tenant(stage.runtime, stage.world.organization_id, actor="Olga")
    with stage.world.database.transaction() as tx:
        (sentence,) = authority.blockers(tx, [sequence])[sequence]
    assert "connection to Microsoft was ended" in sentence
