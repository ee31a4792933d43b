"""The page Operations: for operators alone, the whole installation as a scheduler measured it, and nobody's data."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from app.broker import Broker
from app.heartbeat import Heartbeat
from app.readiness import Readiness
from db.access import operators
from db.views import dashboard
from domain.jobs import QUEUES
from lab.access_records import Lane, Mailbox, Measurement, Member, ProcessRow
from lab.factories import World
from lab.listening_records import MailboxRead
from lab.records import AuditEntry, Candidate, Delivery, OutboxJob
from lab.stage import Stage
from lab.tables import ago, ahead
from scheduler import measuring
from tests.commands.test_cli import Cli, cli, ok  # noqa: F401 - a fixture
from tests.web.test_frame import LIVE, entries
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, made_operator
from web import runbook
from web.operations import in_words
from web.pictures import picture

PATHS = ("/operations", "/operations?over=day", "/operations/runbook")


@pytest.fixture
def olu(stage: Stage) -> UUID:
    """Somebody who may become an operator."""
    return member(stage, "Olu Adeyemi")


@pytest.fixture
def broker(redis_url: str) -> Broker:
    return Broker(redis_url)


@pytest.fixture
def works(stage: Stage) -> None:
    """One of each process."""
    for kind, queues in (("scheduler", ()), ("web", ()), ("worker", QUEUES)):
        Heartbeat(stage.world.database, kind, Readiness(stage.world.database), queues=queues).beat()


@pytest.fixture
def elsewhere(stage: Stage) -> World:
    """Another organization, with an email of each sort: two are due, one is in doubt, one waits for its mailbox's provider."""
    world = World(stage.world.database)
    theirs = {}
    for name in ("due", "doubt", "throttled"):
        owner = world.member(f"Secret {name}")
        theirs[name] = world.mailbox(owner)
        world.enroll(world.sequence(owner, theirs[name]), 2, last_name="Confidential")
    stage.older(Delivery, "due_at", where={"mailbox_id": theirs["due"]}, minutes=5)
    stage.put(Lane, theirs["due"], next_due_at=ago(minutes=5))
    stage.put(Lane, theirs["throttled"], retry_after_until=ahead(minutes=4))
    stage.overwrite(
        Delivery,
        where={"mailbox_id": theirs["doubt"]},
        state="in_doubt",
        reason="worker_lost",
        send_started_at=ago(minutes=6),
        due_at=ahead(seconds=40),
        grace_until=ahead(minutes=4),
    )
    stage.put(Lane, theirs["doubt"], next_due_at=None)
    return world


def visit(stage: Stage, who: UUID, path: str = "/operations") -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, who)).get(path)


def seen(visitor: Visitor) -> dict[str, str]:
    """The figures of the page, by what they are called."""
    found = re.findall(r"<dt><a [^>]+>([^<]+)</a></dt><dd>([^<]+)</dd>", visitor.text)
    return dict(found)


def table(visitor: Visitor, heading: str) -> str:
    """What a section of the page says."""
    section = visitor.text.partition(f'<h2 id="{heading}"')[2].partition("</section>")[0]
    return " ".join(re.sub("<[^>]+>", " ", section).split())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", ["owner", "admin", "member"])
def test_whoever_is_no_operator_finds_nothing(stage: Stage, olu: UUID, role: str, path: str) -> None:
    stage.put(Member, olu, role=role)
    made_operator(stage, member(stage, "Another"))
    visitor = visit(stage, olu, path)
    assert visitor.status == 404
    assert "/operations" not in entries(visitor.text)


@pytest.mark.parametrize("path", PATHS)
def test_whoever_is_not_signed_in_is_asked_to(stage: Stage, path: str) -> None:
    assert Visitor(stage).get(path).status == 303


@pytest.mark.usefixtures("works")
def test_an_operator_sees_what_status_and_metrics_count(
    stage: Stage, olu: UUID, elsewhere: World, broker: Broker
) -> None:
    made_operator(stage, olu)
    measuring.measure(stage.world.database, broker)
    visitor = visit(stage, olu)
    assert "/operations" in entries(visitor.text)
    with stage.world.database.transaction() as tx:
        counted = dashboard.overview(tx)
    assert counted.overdue_for_no_reason == 2
    figures = seen(visitor)
    assert figures == {
        "Overdue for no reason": "2", "Due now": f"{counted.due}", "Sent in a minute": "0", "Queued for a worker": "0",
        "In doubt": "2", "In review": "0", "Planned": f"{counted.waiting}", "Failed in the last day": "0",
        "Mailboxes read in time": "0 of 0", "Mailboxes that can send": "3", "Parked jobs": "0", "Messages in Redis": "0",
        "95 % leave within": "None left", "Attempts that failed": "None made",
    }  # fmt: skip
    name = f"Organization {elsewhere.organization_id}"
    waits = table(visitor, "h-lanes")
    assert waits.count(name) == 2
    assert "Not served 2 due 5 min ago" in waits
    assert "Throttled" in waits
    assert table(visitor, "h-doubt").count(name) == 2
    assert "worker_lost 2" in table(visitor, "h-waiting")
    assert "Connected Microsoft 3" in table(visitor, "h-health")
    assert "Missing" not in table(visitor, "h-work")


@pytest.mark.usefixtures("works")
def test_an_operator_sees_nobodys_data(stage: Stage, olu: UUID, elsewhere: World, broker: Broker) -> None:
    made_operator(stage, olu)
    for box in stage.all(Mailbox):
        stage.add(
            MailboxRead,
            {
                "mailbox_id": box.id, "organization_id": elsewhere.organization_id, "watermark": ago(hours=3),
                "next_read_at": ago(minutes=3), "failures": 2, "last_error": "ErrorAccessDenied", "failing_since": ago(hours=2),
            },
        )  # fmt: skip
    measuring.measure(stage.world.database, broker)
    visitor = visit(stage, olu)
    assert "ErrorAccessDenied" in table(visitor, "h-read")
    told = [visitor.text, visitor.get("/operations?over=day").text, str(stage.all(Measurement))]
    people = stage.all(Candidate)
    secrets = {each.email for each in people} | {each.last_name for each in people}
    secrets |= {each.address for each in stage.all(Mailbox)}
    secrets |= {text for each in stage.all(Member) if each.id != olu for text in (each.email, each.name)}
    assert len(secrets) > 8
    assert [secret for secret in secrets for page in told if secret in page] == []


@pytest.mark.usefixtures("elsewhere")
def test_every_figure_and_picture_leads_to_an_entry_of_the_runbook(
    stage: Stage, olu: UUID, broker: Broker
) -> None:
    made_operator(stage, olu)
    measuring.measure(stage.world.database, broker)
    visitor = visit(stage, olu)
    links = re.findall(r'href="(/operations/runbook#[^"]+)"', visitor.text)
    assert len(links) >= 14 + 8 + 8  # figures, pictures, sections
    told = visitor.get("/operations/runbook")
    assert told.status == 200
    entries_there = {f"/operations/runbook#{each}" for each in re.findall(r'id="([^"]+)"', told.text)}
    assert set(links) - entries_there == set()


def test_the_runbook_is_the_whole_file_and_leads_nowhere_else() -> None:
    parts = runbook.parts()
    html = "".join(part.html for part in parts)
    source = runbook._FILE.read_text()
    headings = re.findall(r"^##+ (.+)$", source, re.MULTILINE)
    shown = [part.title for part in parts if part.title] + re.findall(r"<h3[^>]*>(.+?)</h3>", html)
    assert sorted(shown) == sorted(headings)
    assert "<a" not in html
    assert 'id="onbehalfoverdue"' in html
    words = re.findall(r"\w+", re.sub(r"\]\([^)]+\)", "", source).partition("\n")[2])
    there = re.findall(r"\w+", re.sub("<[^>]+>", " ", "".join(f"{each.title} {each.html}" for each in parts)))
    assert sorted(words) == sorted(there)


def test_what_is_not_measured_is_said(stage: Stage, olu: UUID, broker: Broker) -> None:
    made_operator(stage, olu)
    visitor = visit(stage, olu)
    assert "Nothing was measured yet" in visitor.text
    assert "No process has ever reported" in visitor.text
    Heartbeat(stage.world.database, "scheduler", Readiness(stage.world.database)).beat()
    measuring.measure(stage.world.database, broker)
    visitor.get("/operations")
    assert "Nothing was measured yet" not in visitor.text
    assert "Nothing is measured now" not in visitor.text
    assert "no worker sends emails (queue send)" in visitor.text
    stage.older(Measurement, "measured_at", minutes=2)
    stage.older(ProcessRow, "seen_at", minutes=2)
    visitor.get("/operations")
    assert "Nothing is measured now" in visitor.text
    assert "No scheduler runs" in visitor.text
    assert seen(visitor)["Planned"] == "0"  # what is known of then
    stage.put(Measurement, measured_at=ago(), details={"of": "another release"})
    assert "Schedulers run another release" in visitor.get("/operations").text


def test_an_open_page_asks_for_its_live_part_and_gets_304_until_it_is_measured_again(
    stage: Stage, olu: UUID, broker: Broker
) -> None:
    made_operator(stage, olu)
    measuring.measure(stage.world.database, broker)
    stage.older(Measurement, "measured_at", seconds=20)  # the page shows when, to the second
    visitor = visit(stage, olu)
    assert 'hx-get="/operations"' in visitor.text
    first = visitor.get("/operations", LIVE)
    assert "<html" not in first.text
    tag = {**LIVE, "If-None-Match": first.headers["etag"]}
    assert visitor.get("/operations", tag).status == 304
    measuring.measure(stage.world.database, broker)
    assert visitor.get("/operations", tag).status == 200


def test_who_left_or_has_another_account_is_no_operator_any_more(stage: Stage, olu: UUID) -> None:
    made_operator(stage, olu)

    def holds() -> bool:
        with stage.world.database.transaction() as tx:
            return operators.operates(tx, olu)

    account = stage.only(Member, olu).account_id
    assert holds()
    stage.put(Member, olu, account_id="another")
    assert not holds()
    stage.put(Member, olu, account_id=account)
    assert holds()
    stage.put(Member, olu, active=False, deactivated_at=ago())
    assert not holds()
    stage.put(Member, olu, active=True, deactivated_at=None, activity_version=2)  # access again
    assert not holds()
    with stage.world.database.transaction() as tx:
        assert operators.add(tx, olu, actor="test")
    assert holds()


def test_the_command_line_makes_and_ends_operators_and_it_is_on_record(
    stage: Stage,
    cli: Cli,  # noqa: F811
    olu: UUID,
) -> None:
    address = email_of(stage, olu)
    assert "has never signed in" in cli("operator", "add", address).output
    visit(stage, olu)
    assert f"{address} sees the page Operations now." in ok(cli("operator", "add", address))
    assert "was an operator before" in ok(cli("operator", "add", address))
    assert visit(stage, olu).status == 200
    assert [(each["email"], each["holds"]) for each in ok(cli("operator", "list", "--json"))] == [
        (address, True)
    ]
    assert ok(cli("operator", "remove", address, "--json"))["changed"]
    assert not ok(cli("operator", "remove", address, "--json"))["changed"]
    assert visit(stage, olu).status == 404
    on_record = [each.action for each in stage.all(AuditEntry) if each.action.startswith("operator")]
    assert on_record == ["operator_added", "operator_removed"]


def test_a_picture_has_a_line_where_something_was_measured() -> None:
    drawn = picture("Sent", "sent", "", [None, 2.0, 4.0, None, 0.0])
    assert drawn.line == "M1 30.0V30.0H2V0.0H3M4 60.0V60.0H5"
    assert drawn.area == "M1 60V30.0H2V0.0H3V60ZM4 60V60.0H5V60Z"
    assert (drawn.width, drawn.now, drawn.highest) == (5, 0.0, 4.0)
    nothing = picture("Sent", "sent", "", [None, None])
    assert (nothing.line, nothing.now, nothing.highest) == ("", None, None)
    assert picture("Sent", "sent", "", [0.0]).line == "M0 60.0V60.0H1"


def test_pictures_and_table_show_the_hour_and_the_day(stage: Stage, olu: UUID) -> None:
    made_operator(stage, olu)
    figures = {
        "sent_last_minute": 0,
        "due": 0,
        "overdue_for_no_reason": 0,
        "queue_lag": 0.0,
        "in_doubt": 0,
        "unread": 0,
    }
    for minutes, sent, lag in ((1, 10, 3.0), (2, 20, 130.0), (600, 1300, 0.4)):
        stage.add(
            Measurement,
            {
                "minute": ago(minutes=minutes).replace(second=0, microsecond=0),
                "figures": {**figures, "sent_last_minute": sent, "queue_lag": lag},
            },
        )
    visitor = visit(stage, olu)
    assert "highest 20" in visitor.text
    assert "highest 130.0 s" in visitor.text
    assert "1,300" not in visitor.text
    hour = table(visitor, "h-table")
    assert "2 min" in hour
    assert "Not measured" in hour
    assert 12 <= visitor.text.count('<th scope="row"><time') <= 13
    visitor.get("/operations?over=day")
    assert "highest 1,300" in visitor.text
    assert "1,300.0" in table(visitor, "h-table")
    assert 24 <= visitor.text.count('<th scope="row"><time') <= 25
    assert visitor.get("/operations?over=%00nonsense").status in (200, 404)


def test_how_late_emails_leave_and_how_many_attempts_fail_in_the_hour_and_the_day(
    stage: Stage, olu: UUID, broker: Broker
) -> None:
    made_operator(stage, olu)
    stage.world.enroll(stage.world.sequence(olu, stage.mailbox(olu), ("PT0S",)), 4)
    stage.send_due()
    late, *_ = sent = stage.all(Delivery, state="sent")
    assert len(sent) == 4
    began = ago(seconds=1)
    for each in sent:
        stage.put(Delivery, each.id, send_started_at=began, due_at=began - timedelta(seconds=0.2))
    stage.older(Delivery, "due_at", where={"id": late.id}, minutes=4)
    stage.put(Delivery, late.id, failures=1)
    measuring.measure(stage.world.database, broker)
    counts = stage.only(Measurement).figures
    assert (counts["attempts"], counts["attempts_failed"]) == (5, 1)
    assert {place: count for place, count in enumerate(counts["lags"]) if count} == {1: 3, 10: 1}
    hours = {"minute": ago(hours=3).replace(second=0, microsecond=0)}
    lags = [0] * 17
    lags[3] = 95
    stage.add(
        Measurement, {**hours, "figures": {**counts, "lags": lags, "attempts": 95, "attempts_failed": 0}}
    )
    visitor = visit(stage, olu)
    assert seen(visitor)["Attempts that failed"] == "20.0 %"
    assert "in the last hour; 1.0 % in the last day" in visitor.text
    assert "min" in seen(visitor)["95 % leave within"]
    assert re.search(r"in the last hour; (1.0|0.9) s in the last day", visitor.text)
    assert "20.0 %" in table(visitor, "h-table")
    assert "highest 20.0 %" in visitor.text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (9.96, "10.0 s"), (42, "42 s"), (250, "4 min"), (7200, "2 h"), (200_000, "2 days")],
)
def test_seconds_are_said_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_parked_jobs_and_a_redis_that_is_away_are_seen(stage: Stage, olu: UUID) -> None:
    made_operator(stage, olu)
    stage.world.enroll(stage.world.sequence(olu, stage.mailbox(olu), ("P1D",)), 1)
    stage.add(
        OutboxJob,
        {"id": olu, "kind": "fan_out", "dedupe_key": "fan_out:1", "payload": {}, "available_at": ago(), "parked_at": ago()},
    )  # fmt: skip
    measuring.measure(stage.world.database, Broker("redis://127.0.0.1:1/0"))
    visitor = visit(stage, olu)
    assert (seen(visitor)["Parked jobs"], seen(visitor)["Messages in Redis"]) == ("1", "Away")
    assert "fan_out 0 1" in table(visitor, "h-jobs")


def test_a_part_is_folded_with_a_line_of_what_is_in_it_until_something_is_wrong_there(
    stage: Stage, olu: UUID, broker: Broker
) -> None:
    made_operator(stage, olu)
    visitor = visit(stage, olu)
    measuring.measure(stage.world.database, broker)

    def opened() -> set[str]:
        found = re.findall(
            r'<details class="fold part" id="f-([a-z-]+)"[^>]*? open>', visitor.get("/operations").text
        )
        return set(found)

    assert opened() == {"h-work"}  # nothing runs
    assert "0 open, 0 parked" in table(visitor, "h-jobs")
    stage.add(
        OutboxJob,
        {
            "id": olu,
            "kind": "fan_out",
            "dedupe_key": "x",
            "payload": {},
            "available_at": ago(),
            "parked_at": ago(),
        },
    )
    stage.older(Measurement, "measured_at", seconds=20)
    measuring.measure(stage.world.database, broker)
    assert opened() == {"h-work", "h-jobs"}
    assert "1 parked" in table(visitor, "h-jobs")
