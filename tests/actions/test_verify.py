"""Test emails and checks of settings: typed results, one request each, at the mailbox's pace, obedient to a no."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from actions import verify, withdraw
from domain.errors import NotFound
from domain.lane import CAPACITY
from domain.verification import Outcome, Verdict
from lab.access_records import Lane, Mailbox
from lab.records import AuditEntry, Sequence
from lab.stage import Stage
from lab.tables import ahead

SEND = "POST /me/messages/{id}/send"


@pytest.fixture
def box(stage: Stage) -> UUID:
    return stage.mailbox(stage.world.member("Hans Holder"))


def refuse(stage: Stage, box: UUID, code: str) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": code})


def send(stage: Stage, box: UUID) -> Verdict:
    return verify.send_test_email(stage.runtime, box, actor="Hans Holder")


def status(stage: Stage) -> object:
    return stage.only(Mailbox).status


@pytest.mark.row("H12", "H13")
def test_a_test_email_goes_from_the_mailbox_to_itself_once(stage: Stage, box: UUID) -> None:
    verdict = send(stage, box)
    assert verdict.outcome is Outcome.SENT
    assert verdict.outcome.value == "Test email sent successfully"
    (entry,) = stage.left()
    assert (entry.mailbox, entry.to) == (stage.address(box), [stage.address(box)])
    assert stage.only(AuditEntry, action="test_email").actor_name == "Hans Holder"
    assert stage.only(Lane).testing_until is None


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("50173", "Reconnect it, and sign in"),
        ("65001", "accept all permissions"),
        ("90094", "IT team"),
        ("53003", "which policy"),
    ],
)
@pytest.mark.row("H8", "H9", "H14")
def test_a_refused_test_has_one_title_its_own_reason_and_pauses_what_depends_on_it(
    stage: Stage, box: UUID, code: str, says: str
) -> None:
    owner = stage.owner(box)
    stage.world.enroll(stage.world.sequence(owner, box, ("P1D",)))
    refuse(stage, box, code)
    verdict = send(stage, box)
    assert verdict.outcome.value == "Couldn't send test email. Please check your settings once."
    assert says in verdict.fix
    assert verdict.code == f"AADSTS{code}"
    assert status(stage) == "disconnected"
    stage.run_outbox()
    assert stage.only(Sequence).status == "paused"
    assert stage.left() == []


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("50173", "Could not verify the settings. Please check and try again."),
        ("65001", "Could not verify the settings. Please check and try again."),
        ("90094", "Not allowed"),
        ("53003", "Not allowed"),
    ],
)
@pytest.mark.row("H9", "H15", "H16")
def test_a_check_of_the_settings_tells_a_wrong_sign_in_from_a_policy(
    stage: Stage, box: UUID, code: str, title: str
) -> None:
    refuse(stage, box, code)
    assert verify.verify_settings(stage.runtime, box).outcome.value == title
    assert status(stage) == "disconnected"


@pytest.mark.row("H17")
def test_settings_that_were_never_saved_or_were_removed_are_not_found(stage: Stage, box: UUID) -> None:
    never = stage.world.mailbox(stage.world.member(), connected=False)
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans Holder")
    for each in (never, box):
        for verdict in (send(stage, each), verify.verify_settings(stage.runtime, each)):
            assert verdict.outcome.value == "SMTP settings not found"
    assert stage.left() == []
    with pytest.raises(NotFound):
        send(stage, uuid4())


@pytest.mark.row("H10", "H11")
def test_after_a_reconnection_the_test_passes(stage: Stage, box: UUID) -> None:
    refuse(stage, box, "65001")
    assert not send(stage, box).good
    refuse(stage, box, "")
    assert verify.verify_settings(stage.runtime, box).outcome is Outcome.VERIFIED
    assert status(stage) == "connected"
    assert send(stage, box).good


def test_our_own_mistake_marks_no_mailbox(stage: Stage, box: UUID) -> None:
    refuse(stage, box, "7000222")
    for verdict in (send(stage, box), verify.verify_settings(stage.runtime, box)):
        assert "operators" in verdict.fix
        assert not verdict.good
    assert status(stage) == "connected"


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 504}, {"reset": True}, {"status": 429}])
def test_a_lost_or_late_answer_is_never_repeated(stage: Stage, box: UUID, fault: dict[str, object]) -> None:
    stage.emulator.control.fault(SEND, when="after", **fault)
    verdict = send(stage, box)
    assert verdict.outcome is Outcome.NOT_SENT
    assert len(stage.left()) == 1
    assert status(stage) == "connected"
    assert stage.only(Lane).testing_until is None


def test_a_test_in_doubt_leaves_no_draft_for_a_late_request_to_send(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, when="before", status=504)
    assert not send(stage, box).good
    assert stage.emulator.control.messages(stage.address(box)) == []
    assert stage.left() == []


def test_tests_obey_the_mailboxs_pace(stage: Stage, box: UUID) -> None:
    verdicts = []
    for _ in range(int(CAPACITY) + 1):
        stage.put(
            Lane, refilled_at=ahead(minutes=1)
        )  # however slow this machine is, no time passes for the pace
        verdicts.append(send(stage, box))
    assert [each.good for each in verdicts] == [True] * int(CAPACITY) + [False]
    assert "as much as it may" in verdicts[-1].explanation
    assert len(stage.left()) == sum(each.good for each in verdicts)
    # The drafts of refused emails are removed again.
    folders = [each["folder"] for each in stage.emulator.control.messages(stage.address(box))]
    assert sorted(folders) == ["inbox"] * len(stage.left()) + ["sentitems"] * len(stage.left())


def test_a_disconnection_waits_for_a_test_that_is_on_its_way(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, when="before", delay=2.0)
    with ThreadPoolExecutor(1) as pool:
        testing = pool.submit(send, stage, box)
        until = time.monotonic() + 10
        while stage.only(Lane).testing_until is None and time.monotonic() < until:
            time.sleep(0.01)
        withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans Holder")
        left = len(stage.left())
        testing.result()
    assert left == len(stage.left()) == 1


def test_a_test_that_comes_after_the_no_is_not_sent(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault("POST /me/messages", when="after", delay=3.0)
    with ThreadPoolExecutor(1) as pool:
        testing = pool.submit(send, stage, box)
        until = time.monotonic() + 30
        while not stage.emulator.control.messages(stage.address(box)) and time.monotonic() < until:
            time.sleep(0.01)
        withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans Holder")
        assert testing.result().outcome in (Outcome.NOT_FOUND, Outcome.NOT_SENT)
    assert stage.left() == []
