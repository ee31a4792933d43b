"""A hand-over meets a send, a doubt, a withdrawal, a resumption or another hand-over. Judged by the ledger."""

# ruff: noqa: F811 - the fixture
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from actions import handovers, resume, review, withdraw
from db.sending import dispatch, reconcile_attempts
from db.withdrawing import handing_over
from domain.errors import NotFound, NotPermitted
from domain.hand_edits import Overtaken
from domain.handover import Middle, TakeOver
from lab.access_records import Lane
from lab.records import Delivery, Enrollment, Sequence
from lab.stage import Stage
from lab.tables import ago
from tests.actions.test_handovers import Office, office  # noqa: F401 - fixture
from workers import reconcile_delivery, send_step

SEND = "POST /me/messages/{id}/send"


def while_sending(stage: Stage, office: Office, wanted: TakeOver) -> Delivery:
    """Accept while the first of two emails is on its way; returns that one, as it is once its answer was recorded."""
    job, other = stage.due()
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(send_step.send, stage.runtime, job)
        while not stage.count(Delivery, state="sending"):
            time.sleep(0.01)
        (flying,) = stage.all(Delivery, state="sending")
        office.accept(wanted)
        sending.result()
    send_step.send(stage.runtime, other)
    return stage.only(Delivery, flying.id)


def doubted(stage: Stage, office: Office) -> UUID:
    """The connection breaks while the first email is submitted."""
    address = stage.address(office.theos)
    stage.emulator.control.fault(SEND, mailbox=address, when="before", reset=True)
    job, other = stage.due()
    send_step.send(stage.runtime, job)
    send_step.send(stage.runtime, other)
    (found,) = stage.all(Delivery, state="in_doubt")
    return found.id


def still_a_draft(stage: Stage, office: Office) -> UUID:
    """It was in doubt, is a draft still, and waits to be submitted again."""
    found = doubted(stage, office)
    stage.put(Delivery, found, state="in_doubt", grace_until=ago(seconds=1), due_at=ago(seconds=1))
    stage.look()
    assert stage.only(Delivery, found).state == "pending"
    return found


def test_who_had_an_email_on_its_way_waits_too_if_the_middle_waits(stage: Stage, office: Office) -> None:
    stage.emulator.control.fault(SEND, mailbox=stage.address(office.theos), when="before", delay=2.0)
    flying = while_sending(stage, office, TakeOver(office.ritas, Middle.WAIT))
    assert flying.state == "sent"
    assert {each.status: each.id for each in stage.all(Enrollment)}["paused"] == flying.enrollment_id
    office.resume()
    office.days()
    office.days()
    assert office.senders() == ["theo", "rita", "rita"]


def test_an_email_that_is_refused_meanwhile_is_the_new_senders_at_once(stage: Stage, office: Office) -> None:
    stage.attend()
    stage.emulator.control.fault(
        SEND, mailbox=stage.address(office.theos), when="before", delay=2.0, status=403
    )
    flying = while_sending(stage, office, TakeOver(office.ritas))
    assert (flying.state, flying.mailbox_id, flying.draft_id) == ("pending", office.ritas, None)
    office.resume()
    office.days(0.1)
    assert office.senders() == ["rita", "rita"]


def test_what_waits_to_be_submitted_again_is_a_persons_to_decide(stage: Stage, office: Office) -> None:
    """Also of somebody who left, whose lane nobody serves any more."""
    found = still_a_draft(stage, office)
    left = office.senders()
    withdraw.deactivate_member(stage.runtime, office.theo, actor="Ada Novak")
    stage.run_outbox()
    handovers.hand_over_all(
        stage.runtime, office.theo, office.rita, TakeOver(office.ritas), actor="Ada Novak"
    )
    assert (stage.only(Delivery, found).state, stage.only(Delivery, found).reason) == (
        "review",
        "sender_changed",
    )
    stage.run_outbox()
    assert any(each.owner_id == office.rita for each in stage.notices(channel="in_app"))
    office.resume()
    office.days(0.1)
    assert office.senders() == left
    review.settle(stage.runtime, found, verdict="not_sent", actor="Rita", because="Theo looked")
    office.days(0.01)
    assert office.senders() == [*left, "rita"]


@pytest.mark.parametrize("resumed", ["before", "after"])
def test_a_doubt_that_ends_as_a_draft_during_a_hand_over_is_a_persons_to_decide(
    stage: Stage,
    office: Office,
    resumed: str,
) -> None:
    found = doubted(stage, office)
    left = office.senders()
    stage.put(Delivery, found, grace_until=ago(seconds=1), due_at=ago(seconds=1))
    with stage.world.database.transaction() as tx:
        (job,) = dispatch.plan_attempts(tx)
    with stage.world.database.transaction() as tx:
        attempt = reconcile_attempts.claim_attempt(tx, found, job.dispatch_no)
    assert attempt is not None
    transport = stage.runtime.transport(attempt.mailbox_id, attempt.provider)
    drafts = list(transport.find(attempt.correlation_id))  # type: ignore[attr-defined]
    transport.close()
    stage.attend()
    office.accept()
    steps = [
        lambda: reconcile_delivery.record(stage.runtime, attempt, drafts, wait=ago() - ago()),
        office.resume,
    ]
    for each in steps if resumed == "after" else reversed(steps):
        each()
    stage.put(Lane, office.theos, next_due_at=ago(seconds=1))
    office.days(0.1)
    assert stage.only(Delivery, found).state == "review"
    assert office.senders() == left


def test_of_two_admins_who_hand_over_at_once_the_second_reads_so(stage: Stage, office: Office) -> None:
    other = stage.world.member("Otto Second", role="admin")
    with stage.world.database.transaction() as tx:
        version = handing_over.ownership(tx, office.sequence).version

    def take(who: UUID) -> None:
        handovers.hand_over(
            stage.runtime, office.sequence, who, TakeOver(None), version=version, by=who, actor="Admin"
        )

    with ThreadPoolExecutor() as pool:
        done = [pool.submit(take, each) for each in (office.ada, other)]
    failed = [each.exception() for each in done if each.exception()]
    assert [type(each) for each in failed] == [Overtaken]
    assert office.present()[0] in (office.ada, other)


def test_of_two_admins_a_leavers_sequences_go_to_one_person(stage: Stage, office: Office) -> None:
    more = [stage.world.sequence(office.theo, office.theos, ("PT0S",)) for _ in range(3)]
    withdraw.deactivate_member(stage.runtime, office.theo, actor="Ada Novak")
    adas = stage.mailbox(office.ada)

    def give(to: UUID, box: UUID) -> None:
        handovers.hand_over_all(stage.runtime, office.theo, to, TakeOver(box), actor="Admin")

    with ThreadPoolExecutor() as pool:
        done = [pool.submit(give, *each) for each in ((office.rita, office.ritas), (office.ada, adas))]
    (failed,) = [each.exception() for each in done if each.exception()]
    assert isinstance(failed, NotPermitted | Overtaken)
    found = {(each.owner_id, each.mailbox_id) for each in stage.all(Sequence)}
    assert len(stage.all(Sequence)) == 1 + len(more)
    assert found in ({(office.rita, office.ritas)}, {(office.ada, adas)})


@pytest.mark.parametrize("meets", ["pause", "revoke", "deactivate", "resume", "leave"])
def test_a_hand_over_and_another_decision_at_once_both_hold(stage: Stage, office: Office, meets: str) -> None:
    stage.attend()
    request = office.ask()
    adas = stage.mailbox(office.ada)
    grant = stage.world.grant(adas, office.rita)
    if meets == "resume":
        withdraw.pause_sequence(stage.runtime, office.sequence, actor="Theo", reason="asked")

    def meet() -> None:
        match meets:
            case "pause":
                withdraw.pause_sequence(stage.runtime, office.sequence, actor="Theo", reason="asked")
            case "revoke":
                withdraw.revoke_grant(stage.runtime, grant, actor="Ada")
            case "deactivate":
                withdraw.deactivate_member(stage.runtime, office.rita, actor="Ada")
            case "leave":
                withdraw.deactivate_member(stage.runtime, office.theo, actor="Ada")
            case _:
                resume.resume_sequence(stage.runtime, office.sequence, actor="Theo", owner_id=office.theo)

    with ThreadPoolExecutor() as pool:
        accepted = pool.submit(office.accept, TakeOver(adas), request)
        met = pool.submit(meet)
    refused = accepted.exception()
    assert refused is None or isinstance(refused, NotPermitted | NotFound)  # not found: who has left
    assert met.exception() is None or (
        meets in ("pause", "resume") and isinstance(met.exception(), NotPermitted)
    )
    stage.run_outbox()
    office.days(0.01)
    owner, mailbox, status = office.present()
    if refused is None:
        assert (owner, mailbox, status) == (office.rita, adas, "paused")
        assert stage.left() == []  # whoever has it now has not resumed it
    else:
        assert (owner, mailbox) == (office.theo, office.theos)


def test_a_resumption_that_comes_after_the_hand_over_is_the_new_owners(stage: Stage, office: Office) -> None:
    office.accept()
    with pytest.raises(NotPermitted, match="was handed over meanwhile"):
        resume.resume_sequence(stage.runtime, office.sequence, actor="Theo", owner_id=office.theo)
    assert resume.resume_several(stage.runtime, [office.sequence], actor="Theo", owner_id=office.theo) == {}
    assert office.present()[2] == "paused"
    office.resume()
    assert office.present()[2] == "active"
