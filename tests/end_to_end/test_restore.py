"""A database that is restored to an earlier moment: what has left since leaves no second time, and nothing is lost."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from actions import restoring, review, smtp
from actions.holds import end_drain
from domain.errors import InvalidInput
from lab.backups import Backup
from lab.records import AuditEntry, Delivery, Receipt
from lab.stage import Stage
from lab.system import System
from tests.commands.test_operating import Cli, cli
from tests.conftest import Servers
from tests.end_to_end.test_whole_sequences import fill, judge

__all__ = ["cli"]


@pytest.fixture
def back_up(stage: Stage, servers: Servers, database_url: str) -> Iterator[Callable[[], Backup]]:
    made: list[Backup] = []

    def back_up() -> Backup:
        made.append(Backup(stage.world.database, servers.admin_dsn, database_url.rpartition("/")[2]))
        return made[-1]

    yield back_up
    for each in made:
        each.drop()


def sent_twice(stage: Stage) -> int:
    had = Counter((entry.to[0], entry.body) for entry in (*stage.left(), *stage.left("smtp")))
    return sum(count - 1 for count in had.values())


@pytest.mark.parametrize("marked", [True, False])
def test_what_left_after_the_backup_is_found_and_leaves_no_second_time(
    stage: Stage, back_up: Callable[[], Backup], marked: bool
) -> None:
    fill(stage, mailboxes=3, people=1, delays=("PT0S", "PT0S", "PT0S"))
    backup = back_up()
    stage.send_due()
    assert len(stage.left()) == 9
    backup.restore()
    if marked:
        done = restoring.restored(stage.runtime, backup.made_at, actor="ops")
        assert (done.searched_first, done.blind) == (3, 0)
        assert stage.send_due() == 0  # until operators say so
        assert end_drain(stage.runtime, actor="ops")
    stage.send_due()
    # Without the command, one cannot tell these emails from others: the reason why it exists.
    assert sent_twice(stage) == (0 if marked else 9)
    assert stage.world.states() == {"sent": 9}
    assert stage.count(AuditEntry, action="database_restored") == int(marked)
    if marked:
        judge(stage, 9)
        for receipt in stage.all(Receipt):
            assert (receipt.known_by, receipt.authority) == ("search", "grant_to_person")
            (check,) = receipt.checks
            assert check["check"] == "restore"
            assert "what was checked then is not known" in check["detail"]


def test_people_who_are_added_after_it_get_their_emails_as_ever(
    stage: Stage, back_up: Callable[[], Backup]
) -> None:
    (sequence,) = fill(stage, mailboxes=1, people=1, delays=("PT0S", "PT0S"))
    backup = back_up()
    backup.restore()
    restoring.restored(stage.runtime, backup.made_at, actor="ops")
    end_drain(stage.runtime, actor="ops")
    stage.world.enroll(sequence, 1)
    stage.send_due()
    assert {(each.attempts, each.releases) for each in stage.all(Delivery)} == {(2, 1), (1, 0)}
    judge(stage, 4)


@pytest.fixture
def own_server(stage: Stage, trusted_mail_server: None) -> UUID:
    """A mailbox with its own mail server, where nobody can look for an email."""
    mailbox_id = stage.world.mailbox(stage.world.member("Hans Holder"), connected=False)
    stage.emulator.control.add_mailboxes({"address": stage.address(mailbox_id)})
    smtp.save(
        stage.runtime,
        mailbox_id,
        host="localhost",
        port=str(stage.emulator.smtp_port),
        encryption="starttls",
        account=stage.address(mailbox_id),
        password="demo-password",
        actor="Hans",
    )
    assert smtp.activate(stage.runtime, mailbox_id, actor="Hans").good
    return mailbox_id


def test_where_nobody_can_look_a_person_decides_about_what_was_due(
    stage: Stage, own_server: UUID, back_up: Callable[[], Backup]
) -> None:
    sequence = stage.world.sequence(stage.owner(own_server), own_server, ("PT0S", "P1D"))
    stage.world.enroll(sequence, 2)
    later = stage.world.sequence(stage.owner(own_server), own_server, ("P2D",))
    stage.world.enroll(later, 1)
    backup = back_up()
    stage.send_due()
    backup.restore()
    done = restoring.restored(stage.runtime, backup.made_at, actor="ops")
    assert (done.searched_first, done.blind) == (3, 2)
    end_drain(stage.runtime, actor="ops")
    stage.send_due()
    while stage.look():
        pass
    assert sent_twice(stage) == 0
    assert stage.world.states() == {"review": 2, "pending": 1}
    one, other = stage.all(Delivery, state="review")
    review.settle(stage.runtime, one.id, verdict="sent", actor="Hans", because="they answered")
    review.settle(
        stage.runtime, other.id, verdict="not_sent", actor="Hans", because="not in the server's log"
    )
    stage.send_due()
    assert sent_twice(stage) == 1  # what Hans said
    assert stage.world.states() == {"sent": 2, "pending": 3}


def test_the_command_says_what_it_marked_and_what_comes_next(stage: Stage, cli: Cli) -> None:
    fill(stage, mailboxes=1, people=2)
    done = cli("restored", "--to", "2026-11-01T09:00Z")
    assert done.exit_code == 0, done.output
    assert "2 emails are looked for before they are sent." in done.output
    assert "onbehalf drain --end" in done.output
    assert "What happened after 01 Nov 2026, 09:00 UTC is not known here." in done.output
    assert "nobody can look" not in done.output
    refused = cli("restored", "--to", "yesterday")
    assert (refused.exit_code, "This is no date and time" in refused.output) == (2, True), refused.output
    said = json.loads(cli("restored", "--to", "2026-11-01T09:00Z", "--json").stdout)
    assert (said["searched_first"], said["blind"]) == (0, 0)


def test_it_may_be_said_again_and_bad_times_are_refused(stage: Stage) -> None:
    fill(stage, mailboxes=1, people=2)
    now = datetime.now(UTC)
    with pytest.raises(InvalidInput, match="no zone"):
        restoring.restored(stage.runtime, now.replace(tzinfo=None), actor="ops")
    with pytest.raises(InvalidInput, match="yet to come"):
        restoring.restored(stage.runtime, now.replace(year=now.year + 1), actor="ops")
    assert stage.count(AuditEntry, action="drain_begun") == 0
    assert restoring.restored(stage.runtime, now, actor="ops").searched_first == 2
    assert restoring.restored(stage.runtime, now, actor="ops").searched_first == 0
    assert {(each.attempts, each.releases) for each in stage.all(Delivery)} == {(1, 1)}


def test_processes_that_start_on_a_restored_database_double_and_lose_nothing(
    system: System, stage: Stage, back_up: Callable[[], Backup]
) -> None:
    fill(stage, mailboxes=6, people=3, delays=("PT0S", "PT1S", "PT1S"))
    running = [system.scheduler(), system.workers(threads=4)]
    system.wait(system.sent(10), 60)
    for process in reversed(running):
        system.terminate(process)
    backup = back_up()
    running = [system.scheduler(), system.workers(threads=4)]
    system.wait(lambda: len(stage.left()) >= 35, 90)
    for process in reversed(running):
        system.kill(process)
    backup.restore()
    restoring.restored(stage.runtime, backup.made_at, actor="ops")
    left = len(stage.left())
    system.scheduler()
    system.workers(threads=4)
    system.wait_until_up(60)
    assert len(stage.left()) == left
    end_drain(stage.runtime, actor="ops")
    system.wait(system.sent(54), 150)
    judge(stage, 54)
    assert system.tracebacks() == []
