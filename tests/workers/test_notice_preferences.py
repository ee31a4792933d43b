"""How a notice comes is the member's choice: at once, in one email a day, in a chat, and not in quiet hours. In the app it is always."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from actions import notice_preferences as actions
from actions import withdraw
from db.access import grants
from db.events import notice_channels
from db.events.notice_channels import Busy, Channel
from domain.errors import NotFound, NotPermitted, ProviderUnavailable
from domain.jobs import NotifyChannel, NotifyOwner
from domain.notice import Link
from domain.notice_preferences import ByEmail, Category, Preferences, Quiet, Way
from lab.access_records import ChannelNotice, Member, NoticeChannel
from lab.records import Event, Notice, OutboxJob, Sequence
from lab.stage import Stage
from scheduler import summaries
from tests.workers.test_notify_owner import pauses_made, rows
from transports import chat
from workers import notify_channel, notify_owner

URL = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return stage.world.member("Rita Recruiter")


Said = list[tuple[str, str, str, list[Link]]]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    """What was said in channels, without the internet."""
    found: Said = []
    monkeypatch.setattr(chat, "deliver", lambda *each: found.append(each))
    return found


def prefer(stage: Stage, member: UUID, way: Way, quiet: Quiet | None = None) -> None:
    actions.save(stage.runtime, member, Preferences({Category.STOPPED: way}, quiet))


def begin(stage: Stage, owner: UUID) -> None:
    """Something stops, and nobody has been notified yet: Hans ends a permission."""
    name = f"Hans Holder {stage.count(Member)}"  # whoever shares a name with the actor is notified too
    hans = stage.world.member(name)
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, owner)
    stage.world.enroll(stage.world.sequence(owner, box), 2)
    withdraw.revoke_grant(stage.runtime, grant, actor=name)


def stop(stage: Stage, owner: UUID) -> None:
    """Something stops, and everybody is notified."""
    begin(stage, owner)
    stage.run_outbox()


def channels(stage: Stage, member: UUID) -> list[str]:
    return sorted(each.channel for each in stage.all(Notice, owner_id=member))


def refuse(*_: object) -> None:
    raise ProviderUnavailable("Slack did not take the message.", code="not_taken")


def quiet_now() -> Quiet:
    now = datetime.now(UTC)
    return Quiet((now - timedelta(hours=1)).time(), (now + timedelta(hours=2)).time())


def channel(stage: Stage, member: UUID) -> UUID:
    return actions.add_channel(stage.runtime, member, URL, "Hiring", actor="Rita Recruiter")


def test_by_default_it_comes_by_email_at_once(stage: Stage, rita: UUID) -> None:
    stop(stage, rita)
    assert channels(stage, rita) == ["email", "in_app"]


def test_whoever_wants_no_email_still_has_it_in_the_app(stage: Stage, rita: UUID) -> None:
    prefer(stage, rita, Way(ByEmail.NEVER))
    stop(stage, rita)
    assert channels(stage, rita) == ["in_app"]
    assert stage.left("smtp") == []


def test_a_day_is_one_email(stage: Stage, rita: UUID) -> None:
    prefer(stage, rita, Way(ByEmail.DAILY))
    # In a zone where it is past eight now.
    hour = datetime.now(UTC).hour
    stage.put(Member, rita, time_zone="UTC" if hour >= 8 else "Pacific/Kiritimati")
    stop(stage, rita)
    stop(stage, rita)
    assert stage.left("smtp") == []
    for _ in range(3):
        summaries.summarize(stage.world.database)
        stage.run_outbox()
    (mail,) = stage.left("smtp")
    assert "2 notifications" in mail.subject
    assert mail.body.count("- ") >= 2
    assert channels(stage, rita) == ["email", "in_app", "in_app"]


def test_in_quiet_hours_an_email_waits_until_they_end(stage: Stage, rita: UUID) -> None:
    stage.put(Member, rita, time_zone="UTC")
    prefer(stage, rita, Way(), quiet_now())
    begin(stage, rita)
    for job in pauses_made(stage):
        notify_owner.notify(stage.runtime, job)
    assert channels(stage, rita) == ["in_app"]
    assert stage.count(OutboxJob, kind=NotifyOwner.actor, done_at=None) == 1
    prefer(stage, rita, Way())
    stage.run_outbox()
    assert channels(stage, rita) == ["email", "in_app"]
    assert len(stage.left("smtp")) == 1


@pytest.mark.row("N8")
def test_a_channel_says_it_once_with_a_link(stage: Stage, rita: UUID, said: Said) -> None:
    prefer(stage, rita, Way(ByEmail.NEVER, (channel(stage, rita),)))
    stop(stage, rita)
    ((url, title, _, links),) = said
    (notice,) = stage.all(Notice, owner_id=rita)
    assert (url, title) == (URL, notice.title)
    assert links == [
        (label, f"{stage.runtime.settings.public_url}{path}")
        for label, path in (*notice.links, ("All notifications", "/notifications"))
    ]
    with stage.world.database.transaction() as tx:
        (listed,) = notice_channels.listing(tx, rita)
    assert (listed.service, listed.last_answer) == ("Slack", "sent")


def test_a_channel_says_what_the_notice_in_the_app_says(stage: Stage, rita: UUID, said: Said) -> None:
    stage.put(Member, rita, time_zone="UTC")
    way = Way(ByEmail.NEVER, (channel(stage, rita),))
    prefer(stage, rita, way, quiet_now())
    begin(stage, rita)
    for job in pauses_made(stage):
        notify_owner.notify(stage.runtime, job)
    assert said == []
    stage.put(Sequence, name="Renamed since")
    prefer(stage, rita, way)
    stage.run_outbox()
    ((_, title, body, _),) = said
    (notice,) = stage.all(Notice, owner_id=rita)
    assert (title, body) == (notice.title, notice.body)
    assert "Renamed since" not in body


def test_a_channel_that_takes_nothing_is_asked_again(
    stage: Stage, rita: UUID, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    prefer(stage, rita, Way(ByEmail.NEVER, (channel(stage, rita),)))
    succeed = chat.deliver

    monkeypatch.setattr(chat, "deliver", refuse)
    begin(stage, rita)
    for job in pauses_made(stage):
        notify_owner.notify(stage.runtime, job)
    (again,) = rows(stage, NotifyChannel.actor)
    notify_channel.notify(stage.runtime, again)
    assert rows(stage, NotifyChannel.actor) == [again]
    monkeypatch.setattr(chat, "deliver", succeed)
    stage.run_outbox()
    assert len(said) == 1


def test_nothing_goes_to_a_removed_channel_nor_to_another_members(
    stage: Stage, rita: UUID, said: Said
) -> None:
    removed, others = channel(stage, rita), channel(stage, stage.world.member("Theo"))
    actions.remove_channel(stage.runtime, rita, removed, actor="Rita")
    with pytest.raises(NotFound):
        actions.remove_channel(stage.runtime, rita, others, actor="Rita")
    prefer(stage, rita, Way(ByEmail.NEVER, (removed, others)))
    stop(stage, rita)
    assert said == []
    assert channels(stage, rita) == ["in_app"]


def test_what_waited_for_quiet_hours_to_end_is_not_given_up_at_its_first_failure(
    stage: Stage, rita: UUID, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    prefer(stage, rita, Way(ByEmail.NEVER, (channel(stage, rita),)))
    succeed = chat.deliver
    monkeypatch.setattr(chat, "deliver", refuse)
    begin(stage, rita)
    for job in pauses_made(stage):
        notify_owner.notify(stage.runtime, job)
    stage.older(Event, "occurred_at", hours=13)
    (waiting,) = rows(stage, NotifyChannel.actor)
    notify_channel.notify(stage.runtime, waiting)
    assert rows(stage, NotifyChannel.actor) == [waiting]
    stage.older(ChannelNotice, "created_at", hours=13)
    notify_channel.notify(stage.runtime, waiting)
    assert rows(stage, NotifyChannel.actor) == []
    monkeypatch.setattr(chat, "deliver", succeed)
    stage.run_outbox()
    assert said == []


def test_a_channel_says_nothing_in_quiet_hours_and_says_it_afterwards(
    stage: Stage, rita: UUID, said: Said
) -> None:
    stage.put(Member, rita, time_zone="UTC")
    way = Way(ByEmail.NEVER, (channel(stage, rita),))
    prefer(stage, rita, way, quiet_now())
    begin(stage, rita)
    for job in pauses_made(stage):
        notify_owner.notify(stage.runtime, job)
    (waiting,) = rows(stage, NotifyChannel.actor)
    notify_channel.notify(stage.runtime, waiting)
    assert (said, rows(stage, NotifyChannel.actor)) == ([], [waiting])
    assert stage.only(OutboxJob, waiting).available_at > datetime.now(UTC) + timedelta(hours=1)
    prefer(stage, rita, way)
    stage.run_outbox()
    assert len(said) == 1


def test_whoever_left_in_their_quiet_hours_hears_nothing_more(stage: Stage, rita: UUID, said: Said) -> None:
    stage.put(Member, rita, time_zone="UTC")
    way = Way(ByEmail.AT_ONCE, (channel(stage, rita),))
    prefer(stage, rita, way, quiet_now())
    begin(stage, rita)
    for job in pauses_made(stage):
        notify_owner.notify(stage.runtime, job)
    now = datetime.now(UTC)
    prefer(stage, rita, way, Quiet((now - timedelta(hours=2)).time(), (now - timedelta(hours=1)).time()))
    stage.put(Member, rita, active=False, deactivated_at=now)
    stage.run_outbox()
    assert said == []
    assert channels(stage, rita) == ["in_app"]


def test_a_notice_that_is_on_its_way_is_mailed_though_its_recipient_loses_access_for_a_moment(
    stage: Stage, rita: UUID
) -> None:
    box = stage.mailbox(rita)
    grant = stage.world.grant(box, stage.world.member())
    with stage.world.database.transaction() as tx:
        grants.ask_to_confirm(tx, box, [grant], actor="operator")
    jobs = pauses_made(stage)
    stage.put(Member, rita, active=False, deactivated_at=datetime.now(UTC))
    for job in jobs:
        notify_owner.notify(stage.runtime, job)
    stage.put(Member, rita, active=True, deactivated_at=None)
    stage.run_outbox()
    assert channels(stage, rita) == ["email", "in_app"]


def claim(stage: Stage, member: UUID, channel_id: UUID, cause: str) -> Channel | Busy | None:
    with stage.world.database.transaction() as tx:
        return notice_channels.claim(tx, stage.runtime.keys, member, channel_id, cause)


def test_an_organization_has_so_many_messages_under_way_and_others_do_not_wait_for_it(
    stage: Stage, rita: UUID
) -> None:
    theirs = channel(stage, rita)
    for each in range(notice_channels.MAX_SENDING):
        assert isinstance(claim(stage, rita, theirs, f"cause {each}"), Channel)
    assert claim(stage, rita, theirs, "cause 0") is Busy.SENDING
    assert claim(stage, rita, theirs, "one more") is Busy.ORGANIZATION
    with stage.world.database.transaction() as tx:
        notice_channels.record(tx, theirs, "cause 0", "sent")
    assert isinstance(claim(stage, rita, theirs, "one more"), Channel)
    assert claim(stage, rita, theirs, "cause 0") is None


def test_a_message_whose_end_nobody_knows_is_not_said_again(stage: Stage, rita: UUID) -> None:
    theirs = channel(stage, rita)
    assert isinstance(claim(stage, rita, theirs, "cause"), Channel)
    stage.older(ChannelNotice, "lease_until", minutes=5)
    assert claim(stage, rita, theirs, "cause") is None
    assert stage.only(ChannelNotice).state == "unknown"


def test_the_same_channel_twice_is_one_and_a_removed_one_keeps_no_address(stage: Stage, rita: UUID) -> None:
    first, again = channel(stage, rita), channel(stage, rita)
    assert first == again
    assert stage.count(NoticeChannel) == 1
    with pytest.raises(NotPermitted, match="already, as Hiring"):
        actions.add_channel(stage.runtime, rita, URL, "Another", actor="Rita Recruiter")
    actions.remove_channel(stage.runtime, rita, first, actor="Rita Recruiter")
    assert stage.only(NoticeChannel).sealed_url is None
    assert channel(stage, rita) != first


def test_a_cause_is_in_one_summary_and_its_event_holds_no_titles(stage: Stage, rita: UUID) -> None:
    prefer(stage, rita, Way(ByEmail.DAILY))
    stage.put(Member, rita, time_zone="UTC" if datetime.now(UTC).hour >= 8 else "Pacific/Kiritimati")
    stop(stage, rita)
    summaries.summarize(stage.world.database)
    stage.run_outbox()
    (kept,) = [each for each in stage.all(Notice, owner_id=rita) if each.channel == "in_app"]
    assert stage.only(Event, kind="DailySummary").payload["notices"] == str(kept.id)
    (mail,) = stage.left("smtp")
    assert kept.title in mail.body
    # Its job is made again, as when its row was deleted long ago.
    stage.put(OutboxJob, where={"kind": NotifyOwner.actor}, done_at=None)
    for job in rows(stage, NotifyOwner.actor):
        notify_owner.notify(stage.runtime, job)
    assert stage.only(Notice, kept.id).in_summary is False
    assert len(stage.left("smtp")) == 1
