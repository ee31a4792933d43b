"""A key that is lost stops what it sealed and nobody else, and every view says so: who is ready, who works, why an email waits."""

from collections.abc import Callable
from uuid import UUID

import pytest

from actions import why as explanations
from app.heartbeat import Heartbeat
from app.readiness import Readiness
from commands.words import at_utc
from db.core.crypto import KeyRing, Place
from db.core.session import Database
from db.mailboxes import smtp_settings
from db.schema import privileges
from db.views import dashboard, processes
from domain.connection import SmtpServer, SmtpSettings
from domain.jobs import QUEUES
from domain.processes import missing
from lab.access_records import Credentials, Lane, Mailbox, ProcessRow
from lab.factories import KEY, World
from lab.records import Delivery
from lab.stage import Stage
from lab.tables import ago

RING, OTHER = KeyRing((KEY,)), KeyRing((bytes(range(32)),))
BOTH = KeyRing((KEY, bytes(range(32))))


@pytest.fixture
def box(stage: Stage) -> UUID:
    """A mailbox with one email that has been due for five minutes."""
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box), 1)
    stage.older(Delivery, "due_at", minutes=5)
    stage.put(Lane, box, next_due_at=ago(minutes=5))
    return box


def run(world: World, ring: KeyRing = RING) -> None:
    """A scheduler and a worker with these keys report."""
    for kind, queues in (("scheduler", ()), ("worker", QUEUES)):
        readiness = Readiness(world.database, ring=ring)
        Heartbeat(world.database, kind, readiness, queues=queues, key_ids=ring.ids).beat()


def seal(stage: Stage, mailbox: UUID, ring: KeyRing = OTHER) -> None:
    """Store its sign-in under this key."""
    place = Place(stage.world.organization_id, mailbox, "refresh_token")
    stage.put(Credentials, mailbox, refresh_token=ring.encrypt("token", place), access_token=None)


def why(stage: Stage, database: Database | None = None) -> str:
    """What is said of the one email."""
    (delivery,) = stage.all(Delivery)
    with (database or stage.world.database).transaction() as tx:
        (answer,) = explanations.answers(tx, [delivery.enrollment_id], at_utc)
    return answer.next.text


def overdue(stage: Stage) -> int:
    with stage.world.database.transaction() as tx:
        return dashboard.overview(tx).overdue_for_no_reason


def test_a_key_that_only_others_need_leaves_everybody_else_served(stage: Stage, box: UUID) -> None:
    seal(stage, stage.mailbox(stage.world.member()))
    run(stage.world)
    for each in stage.all(ProcessRow):
        assert each.troubles[0].startswith("SECRET_KEYS lacks keys that stored secrets need")
        assert each.works
    assert "waits for the mailbox's pace" in why(stage)
    assert overdue(stage) == 1  # nobody is missing for it


def test_whoever_lacks_a_key_is_still_not_ready(stage: Stage, box: UUID) -> None:
    seal(stage, stage.mailbox(stage.world.member()))
    run(stage.world)
    with stage.world.database.transaction() as tx:
        everyone = processes.everyone(tx)
    found = {each.role: each for each in missing(everyone, everyone[0].seen_at, ("scheduler", "send"))}
    assert set(found) == {"scheduler", "send"}
    assert all(each.runs and each.works for each in found.values())


def test_whoever_reads_nothing_of_what_is_stored_cannot_work(stage: Stage, box: UUID) -> None:
    run(stage.world, OTHER)
    assert not any(each.works for each in stage.all(ProcessRow))
    assert "is sealed under a key that no worker has" in why(stage)
    assert overdue(stage) == 0


def test_members_read_that_the_key_of_their_mailbox_is_missing(
    stage: Stage, box: UUID, url_as: Callable[[str], str]
) -> None:
    seal(stage, stage.mailbox(stage.world.member()), RING)
    seal(stage, box)
    run(stage.world)
    web = Database(url_as(privileges.WEB), pool_size=1)
    said = why(stage, web.for_tenant(stage.world.organization_id))
    web.close()
    assert f"is sealed under a key that no worker has (id {OTHER.newest_id.hex()})" in said
    assert "put that key back at the end of SECRET_KEYS" in said
    assert overdue(stage) == 1  # it could leave and does not


def test_a_key_that_one_worker_has_is_not_lost(stage: Stage, box: UUID) -> None:
    seal(stage, stage.mailbox(stage.world.member()), RING)
    seal(stage, box)
    run(stage.world)
    run(stage.world, BOTH)
    assert "waits for the mailbox's pace" in why(stage)


def test_only_the_way_in_use_counts(stage: Stage, box: UUID) -> None:
    """A mailbox may keep settings of SMTP that it does not use."""
    settings = SmtpSettings(SmtpServer("mail.example.org", 587, "starttls"), "box", "secret")
    with stage.world.database.transaction() as tx:
        organization = stage.world.organization_id
        smtp_settings.save(tx, OTHER, organization, box, "smtp", settings, actor="test")
    run(stage.world)
    assert "waits for the mailbox's pace" in why(stage)
    stage.put(Mailbox, box, provider="smtp")
    assert "is sealed under a key that no worker has" in why(stage)


def test_where_nobody_has_ever_reported_no_key_is_lost(stage: Stage, box: UUID) -> None:
    seal(stage, box)
    assert "waits for the mailbox's pace" in why(stage)
