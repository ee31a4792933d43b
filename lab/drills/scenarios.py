"""The drills: each breaks a running system, while emails are in flight, in a way that will happen one day."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from actions import withdraw
from lab.access_records import Grant, Mailbox, Member
from lab.drills.answering import ANSWERING
from lab.drills.company import ACTOR
from lab.drills.holding import HOLDING
from lab.drills.stage import Stage
from lab.records import Notice, Pause, Receipt

_SEND = "POST /me/messages/{id}/send"
_CLOCK = Path(__file__).parent / "clock"


def revoke(stage: Stage) -> None:
    """A colleague takes the permission back while emails leave from that mailbox."""
    desk, *_ = stage.employ(people=6)
    stage.until_left(6)
    grant = stage.only(Grant, mailbox_id=desk.mailbox_id, archived_at=None)
    stage.say(f"{stage.left()} emails have left; the owner of {desk.address} ends the permission")
    with stage.journal.call("revoke", forbids=[f"grant:{desk.mailbox_id}"]) as call:
        answer = withdraw.revoke_grant(stage.system.runtime, grant.id, actor=ACTOR)
        call.in_doubt = [str(each) for each in answer.in_doubt]
    stage.say(
        f"answered after {answer.seconds:.2f} s: {answer.stopped} stopped, {answer.already_sent} had left,"
        f" {len(answer.in_doubt)} unknown"
    )
    _notified_once(stage, desk.owner_email)
    stage.until_quiet(90)


def disconnect(stage: Stage) -> None:
    """A mailbox is removed while emails leave from it."""
    desk, *_ = stage.employ(people=6)
    stage.until_left(6)
    stage.say(f"{stage.left()} emails have left; {desk.address} is removed")
    with stage.journal.call("disconnect", forbids=desk.keys[:2]) as call:
        answer = withdraw.disconnect_mailbox(stage.system.runtime, desk.mailbox_id, actor=ACTOR)
        call.in_doubt = [str(each) for each in answer.in_doubt]
    stage.say(
        f"answered after {answer.seconds:.2f} s: {answer.stopped} stopped, {answer.already_sent} had left"
    )
    _notified_once(stage, desk.owner_email)
    stage.until_quiet(90)


def sent_without_answer(stage: Stage) -> None:
    """The provider takes emails and answers 504, or breaks the connection: blind retries would send twice."""
    desks = stage.employ()
    for desk in desks[:3]:
        stage.system.control.fault(_SEND, mailbox=desk.address, when="after", status=504, times=2)
    for desk in desks[3:]:
        stage.system.control.fault(_SEND, mailbox=desk.address, when="after", reset=True, times=2)
    stage.say("of each mailbox, two emails are taken and the answer is lost")
    took = stage.until_quiet(120)
    searched = stage.count(Receipt, organization_id=stage.company.id, known_by="search")
    stage.say(f"all settled after {took:.0f} s; {searched} were found by looking into the mailbox")
    stage.expect(
        "what was taken was found",
        f"{searched} of 12",
        searched == 12,
        f"{searched} found by search, 12 expected",
    )


def throttling(stage: Stage) -> None:
    """The provider throttles one mailbox for a while; the others must not notice."""
    slow, *others = stage.employ(people=2)
    stage.system.control.fault(
        "*", mailbox=slow.address, when="before", status=429, headers={"Retry-After": "3"}, times=6
    )
    stage.say(f"{slow.address} gets 429 with Retry-After: 3, six times")
    rest = stage.until(
        "the other mailboxes", lambda: stage.left() - _left_from(stage, slow.address) >= 4 * len(others), 60
    )
    stage.say(f"the other {len(others)} mailboxes are done after {rest:.0f} s")
    took = stage.until_quiet(120)
    stage.say(f"the throttled one {took:.0f} s later")


def token_revoked(stage: Stage) -> None:
    """Microsoft revokes a user's sessions: the connection is lost without anybody telling us."""
    desk, *_ = stage.employ()
    stage.until_left(3)
    stage.system.control.add_mailboxes({"address": desk.address, "refusal": "50173"})
    revoked = stage.system.control.revoke(desk.address)
    stage.say(f"all {revoked} tokens of {desk.address} are revoked at Microsoft")
    _notified_once(stage, desk.owner_email)
    stage.until_quiet(90)
    mailbox = stage.only(Mailbox, desk.mailbox_id)
    stage.expect(
        "the mailbox shows what happened",
        f"{mailbox.status}: {mailbox.status_reason}",
        mailbox.status == "disconnected",
        mailbox.status,
    )


def redis_emptied(stage: Stage) -> None:
    """Redis loses everything: only messages are lost, and they are enqueued again within a minute."""
    workers = stage.system.pid("worker-send")
    os.killpg(workers, signal.SIGSTOP)  # so that Redis holds all messages and workers none
    try:
        stage.employ(people=4)
        stage.until("messages", lambda: stage.system.messages() >= 18, 30)
        stage.say(f"{stage.system.messages()} messages wait; Redis is emptied before anybody takes them")
        stage.system.empty_redis()
    finally:
        os.killpg(workers, signal.SIGCONT)
    took = stage.until_quiet(200)
    stage.say(f"all done {took:.0f} s later")


def postgres_restarted(stage: Stage) -> None:
    """PostgreSQL crashes and comes back while emails are on their way."""
    stage.employ(people=4)
    stage.until_left(4)
    stage.say(f"PostgreSQL crashes after {stage.left()} emails")
    stage.system.crash_database()
    took = stage.until_quiet(200)
    stage.say(f"it is back; all done {took:.0f} s later")


def worker_killed(stage: Stage) -> None:
    """The sending workers die without a word (kill -9), with emails half way; a supervisor starts them again."""
    stage.employ(people=4)
    stage.until_left(4)
    stage.system.kill("worker-send")
    stage.say(f"all sending workers are killed after {stage.left()} emails")
    took = stage.until_quiet(200)
    stage.say(f"all done {took:.0f} s later")


def clock_changed(stage: Stage) -> None:
    """Two workers' clocks are two hours wrong, and jump while they send: nothing may depend on them."""
    clocks = [stage.system.home / f"drill-clock-{number}" for number in (1, 2)]
    logs = [stage.system.home / "logs" / f"{clock.name}.log" for clock in clocks]
    workers = []
    for clock, log, hours in zip(clocks, logs, (2, -2), strict=True):
        clock.write_text(str(hours * 3600))
        workers.append(_sender_with_clock(stage, clock, log))
    ordinary = stage.system.pid("worker-send")
    os.killpg(ordinary, signal.SIGSTOP)  # until both wrong clocks have sent, however slowly they start
    try:
        desks = stage.employ(people=6, desks=12)
        stage.say("two other workers send, one two hours ahead, one two hours behind")
        try:
            stage.until("an email from each", lambda: min(map(_emails_sent, logs)) > 0, 60)
        finally:
            os.killpg(ordinary, signal.SIGCONT)
        stage.until_left(len(desks) * 6)
        for clock in clocks:
            clock.write_text("-120" if clock.read_text().startswith("7") else "120")
        stage.say("the ordinary workers send too; the wrong clocks jump")
        stage.until_quiet(200)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(60)
    sent = [_emails_sent(log) for log in logs]
    stage.say(f"of {stage.left()} emails, {sent[0]} left by the early worker and {sent[1]} by the late one")
    stage.expect("wrong clocks took part", f"{sum(sent)} emails", min(sent) > 0, f"they sent {sent}")


SCENARIOS: dict[str, Callable[[Stage], None]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        revoke,
        disconnect,
        sent_without_answer,
        throttling,
        token_revoked,
        redis_emptied,
        postgres_restarted,
        worker_killed,
        clock_changed,
        *HOLDING,
        *ANSWERING,
    )
}


def _notified_once(stage: Stage, owner: str) -> None:
    """Wait for the pause and the notice, and print the notice as its recipient sees it."""
    began = time.monotonic()
    company = {"organization_id": stage.company.id}

    def notices() -> list[Notice]:
        recipient = stage.only(Member, email=owner, **company).id
        pausing = {each.event_id for each in stage.all(Pause, **company)}
        return stage.all(Notice, owner_id=recipient, channel="in_app", event_id=pausing)

    stage.until("the notice", lambda: bool(notices()), 60)
    (notice,) = notices()
    stage.say(f"after {time.monotonic() - began:.1f} s {owner} reads: “{notice.title}”")


def _left_from(stage: Stage, address: str) -> int:
    return sum(entry.mailbox == address for entry in stage.system.control.ledger())


def _sender_with_clock(stage: Stage, clock: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start one more sending worker, whose wall clock follows the file."""
    environment = {
        **os.environ,
        **stage.system.environment,
        "CLOCK_FILE": str(clock),
        "PYTHONPATH": os.pathsep.join([str(_CLOCK), os.environ.get("PYTHONPATH", "")]),
        "dramatiq_worker_timeout": "100",
    }
    command = [sys.executable, "-m", "workers", "--queues", "send", "--processes", "1"]
    with log.open("wb") as output:
        return subprocess.Popen(
            [*command, "--threads", "16"],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _emails_sent(log: Path) -> int:
    return log.read_text(errors="replace").count("email_sent")
