"""Numbers of what sequences did, worked out by hand: by step, sender, sequence and week, for those who may see them."""

import csv
import io
import json
import re
from dataclasses import astuple, dataclass
from uuid import UUID

import pytest

from actions import messages
from db.core.session import database_now
from db.sending.enrollments import enroll_many
from db.sequences import counted
from db.views import numbers
from db.views.messages import Viewer
from domain.errors import NotFound
from domain.listening.kinds import AnswerClass
from domain.numbers import By
from lab.access_records import Lane, Member, Organization
from lab.factories import World
from lab.listening_records import IncomingMessage
from lab.records import Candidate, Delivery, Enrollment, Sequence
from lab.stage import Stage
from lab.tables import ago
from scheduler import numbers as counting
from tests.commands.test_cli import Cli, cli  # noqa: F401 - a fixture
from tests.web.test_api import Api, api, client, key_of  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of
from tests.workers.test_follow import bounce

Counts = tuple[int, ...]  # sent, people, answered, interested, bounced, opted out, in doubt, held


@dataclass(frozen=True)
class Office:
    """Two sequences: Rita's from the mailbox of Hans, and Theo's from his own."""

    hans: UUID
    rita: UUID
    theo: UUID
    ada: UUID
    first: UUID
    second: UUID


def _where_it_is_noon() -> str:
    return f"Etc/GMT{ago().hour - 12:+d}"


def address_of(stage: Stage, name: str) -> str:
    return stage.only(Candidate, first_name=name).email


@pytest.fixture
def office(stage: Stage) -> Office:
    """What happened.

    Rita's sequence: step 1 left to Ana, Ben, Cem and Dee. The address of Dee does not exist. Step 2 left to the other three: Ana
    answers it and is interested, Ben opts out by its link, and for Cem step 3 is due and held.
    Theo's sequence: step 1 left to Ana, too; whether it left to Eva is in review.
    """
    world = stage.world
    hans, rita, theo = (member(stage, name) for name in ("Hans Holder", "Rita Recruiter", "Theo Marsh"))
    ada = member(stage, "Ada Novak")
    stage.put(Member, ada, role="admin")
    stage.put(Organization, time_zone=_where_it_is_noon())  # all of it on one day
    box, theos = stage.mailbox(hans), stage.mailbox(theo)
    world.grant(box, rita)
    first = world.sequence(rita, box, ("PT0S", "PT1H", "P1D"))
    second = world.sequence(theo, theos, ("PT0S",))
    for name in ("Ana", "Ben", "Cem", "Dee"):
        world.enroll(first, first_name=name)
    world.enroll(second, first_name="Eva")
    with world.database.transaction() as tx:
        enroll_many(tx, second, [stage.only(Candidate, first_name="Ana").id], database_now(tx))
    stage.send_due()
    bounce(stage, box, address_of(stage, "Dee"), "5.1.1")
    stage.read(box)
    stage.put(Lane, tokens=4)
    stage.later(2 * 3600)
    stage.read(box)
    stage.send_due()
    ana = address_of(stage, "Ana")
    answered = [each for each in stage.left() if ana in each.to and each.via == "graph"][-1]
    stage.emulator.control.incoming(
        stage.address(box),
        sender=ana,
        subject=f"Re: {answered.subject}",
        text="Please call me tomorrow.",
        in_reply_to=answered.internet_message_id,
        kind="reply",
    )
    stage.read(box)
    reply = stage.only(IncomingMessage, kind="answer")
    messages.classify(stage.runtime, reply.id, AnswerClass.INTERESTED, actor="Rita Recruiter")
    ben = address_of(stage, "Ben")
    link = re.search(r"/o/[A-Za-z0-9_-]+", [each.body for each in stage.left() if ben in each.to][-1])
    assert link is not None
    Visitor(stage).get(link[0]).send(link[0])
    cem = stage.only(Enrollment, candidate_id=stage.only(Candidate, first_name="Cem").id)
    waiting = {"enrollment_id": cem.id, "state": "pending"}
    stage.overwrite(Delivery, where=waiting, held=True, reason="field_missing", due_at=ago(minutes=1))
    eva = stage.only(Enrollment, candidate_id=stage.only(Candidate, first_name="Eva").id)
    unknown = {"state": "review", "reason": "no_trace", "sent_at": None, "left_check_at": None}
    stage.overwrite(Delivery, where={"enrollment_id": eva.id}, **unknown)
    return Office(hans, rita, theo, ada, first, second)


def read(stage: Stage, by: By, viewer: UUID | None = None, sequence: UUID | None = None) -> dict[str, Counts]:
    """The rows of the table, by what people call them."""
    with stage.world.database.transaction() as tx:
        who = Viewer(stage.world.organization_id, viewer)
        found = numbers.read(tx, who, by, sequence_id=sequence)
    return {"total": astuple(found.total)} | {each.label: astuple(each.numbers) for each in found.lines}


def test_an_answer_counts_at_the_step_that_it_answers_and_a_person_once(stage: Stage, office: Office) -> None:
    # A person in two sequences: five emails of step 1 left to four people.
    assert read(stage, By.STEP) == {
        "total": (8, 4, 1, 1, 1, 1, 1, 1),
        "Step 1": (5, 4, 0, 0, 1, 0, 1, 0),
        "Step 2": (3, 3, 1, 1, 0, 1, 0, 0),
        "Step 3": (0, 0, 0, 0, 0, 0, 0, 1),
    }


@pytest.mark.row("N7")
def test_each_sequence_and_each_sender_has_its_own(stage: Stage, office: Office) -> None:
    hers, his = (7, 4, 1, 1, 1, 1, 0, 1), (1, 1, 0, 0, 0, 0, 1, 0)
    total = (8, 4, 1, 1, 1, 1, 1, 1)
    names = {each.id: each.name for each in stage.all(Sequence)}
    assert read(stage, By.SEQUENCE) == {
        "total": total, names[office.first]: hers, names[office.second]: his,
    }  # fmt: skip
    boxes = {each.id: stage.address(each.mailbox_id) for each in stage.all(Sequence)}
    assert read(stage, By.SENDER) == {
        "total": total, boxes[office.first]: hers, boxes[office.second]: his,
    }  # fmt: skip
    assert read(stage, By.STEP, sequence=office.second) == {"total": his, "Step 1": his}


def test_members_see_the_numbers_of_their_sequences_and_of_their_own_mailbox(
    stage: Stage, office: Office
) -> None:
    hers, his = (7, 4, 1, 1, 1, 1, 0, 1), (1, 1, 0, 0, 0, 0, 1, 0)
    assert read(stage, By.WEEK, office.rita)["total"] == hers
    assert read(stage, By.WEEK, office.hans)["total"] == hers  # from his mailbox
    assert read(stage, By.WEEK, office.theo)["total"] == his
    with pytest.raises(NotFound):
        read(stage, By.STEP, office.theo, office.first)


def test_another_organizations_numbers_are_nobodys_business(stage: Stage, office: Office) -> None:
    other = World(stage.world.database)
    with stage.world.database.transaction() as tx:
        found = numbers.read(tx, Viewer(other.organization_id, None), By.SENDER)
        assert (found.total.sent, found.lines) == (0, [])
        with pytest.raises(NotFound):
            numbers.read(tx, Viewer(other.organization_id, None), By.STEP, sequence_id=office.first)


def test_an_answer_counts_in_the_week_of_its_email_and_old_ones_are_outside_the_period(
    stage: Stage, office: Office
) -> None:
    stage.older(Delivery, "sent_at", where={"sequence_id": office.first}, days=7)
    with stage.world.database.transaction() as tx:
        whole = Viewer(stage.world.organization_id, None)
        found = numbers.read(tx, whole, weeks=4)
        short = numbers.read(tx, whole, weeks=1)
    assert [astuple(each.numbers) for each in found.weeks] == [
        (0, 0, 0, 0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0, 0, 0, 0),
        (7, 4, 1, 1, 1, 1, 0, 0),
        (1, 1, 0, 0, 0, 0, 1, 1),
    ]
    assert [each.key for each in found.lines] == [each.key for each in reversed(found.weeks)]
    assert astuple(short.total) == (1, 1, 0, 0, 0, 0, 1, 1)


def test_an_answer_that_was_overruled_does_not_count(stage: Stage, office: Office) -> None:
    stage.put(
        IncomingMessage,
        where={"kind": "answer"},
        overruled_at=ago(minutes=0),
        overruled_by="Rita",
        overrule_reason="A colleague",
    )
    assert read(stage, By.WEEK)["total"] == (8, 4, 0, 0, 1, 1, 1, 1)


def test_the_page_has_a_picture_with_words_a_table_and_what_a_share_is_of(
    stage: Stage, office: Office
) -> None:
    visitor = Visitor(stage).sign_in(email_of(stage, office.ada)).get("/numbers?by=step")
    assert "<title id=" in visitor.text
    assert "8 emails, and 1 person answered them" in visitor.text
    cells = re.findall(r'data-label="Answered">([^<]*)<', visitor.text)
    assert cells == ["0", "1 (33%)", "0"]
    assert "A share is of the people who got at least one email." in visitor.text
    assert "<script" not in visitor.text.split("<main")[1]
    rita = Visitor(stage).sign_in(email_of(stage, office.rita))
    assert (
        stage.address(stage.only(Sequence, office.second).mailbox_id)
        not in rita.get("/numbers?by=sender").text
    )
    assert rita.get(f"/numbers?sequence={office.second}").status == 404


@pytest.mark.parametrize(
    "query",
    [
        "by=nothing",
        "weeks=0",
        "weeks=999999999999",
        "after=-1",
        "after=²",
        "sequence=x",
        "by=step&after=99999",
    ],
)
def test_an_address_that_makes_no_sense_shows_what_there_is(stage: Stage, query: str) -> None:
    ada = member(stage, "Ada Novak")
    assert Visitor(stage).sign_in(email_of(stage, ada)).get(f"/numbers?{query}").status == 200


def test_the_file_has_the_tables_numbers_and_no_formula(stage: Stage, office: Office) -> None:
    stage.put(Sequence, office.second, name='=HYPERLINK("https://evil.example")')
    visitor = Visitor(stage).sign_in(email_of(stage, office.ada)).get("/numbers/export.csv?by=sequence")
    assert visitor.headers["content-type"] == "text/csv; charset=utf-8"
    head, hers, his = csv.reader(io.StringIO(visitor.text))
    assert head[:3] == ["sequence", "sent", "people"]
    assert hers[1:] == ["7", "4", "1", "1", "1", "1", "0", "1"]
    assert his == ['\'=HYPERLINK("https://evil.example")', "1", "1", "0", "0", "0", "0", "1", "0"]


def test_lists_are_pages(stage: Stage, office: Office) -> None:
    with stage.world.database.transaction() as tx:
        whole = Viewer(stage.world.organization_id, None)
        first = numbers.read(tx, whole, By.STEP, limit=2)
        rest = numbers.read(tx, whole, By.STEP, after=2, limit=2)
    assert [each.label for each in first.lines] == ["Step 1", "Step 2"]
    assert [each.label for each in rest.lines] == ["Step 3"]
    assert (first.more, rest.more) == (True, False)
    assert first.total == rest.total


def test_the_api_and_the_command_say_the_same(stage: Stage, office: Office, api: Api, cli: Cli) -> None:  # noqa: F811
    answer = api.get("/numbers", by="step", limit=2).json()
    assert answer["total"] == dict(zip(answer["total"], (8, 4, 1, 1, 1, 1, 1, 1), strict=True))
    assert [each["key"] for each in answer["items"]] == ["1", "2"]
    assert api.get("/numbers", by="step", after=answer["next_after"]).json()["items"][0]["held"] == 1
    assert api.get("/numbers", sequence_id=office.ada).status_code == 404
    name = f"Organization {stage.world.organization_id}"
    said = json.loads(cli("numbers", name, "--by", "step", "--json").stdout)
    assert said["total"] == answer["total"]
    sequence = stage.only(Sequence, office.second).name
    shown = cli("numbers", name, "--sequence", sequence)
    assert shown.exit_code == 0
    assert "Of the people who got at least one email: answered 0%" in shown.stdout


def test_numbers_that_are_counted_ahead_say_when_they_were(
    stage: Stage,
    office: Office,
    api: Api,  # noqa: F811
    cli: Cli,  # noqa: F811
) -> None:
    visitor = Visitor(stage).sign_in(email_of(stage, office.ada))
    counting.count(stage.world.database)
    assert "What happened since then" not in visitor.get("/numbers").text  # it is small
    assert api.get("/numbers").json()["counted_at"] is None
    with stage.world.database.transaction() as tx:
        counted.watch(tx, large=5)
    counting.count(stage.world.database)
    assert "What happened since then" in visitor.get("/numbers").text
    assert "What happened since then" not in visitor.get(f"/numbers?sequence={office.first}").text
    answer = api.get("/numbers", by="step").json()
    assert answer["counted_at"] is not None
    assert answer["total"] == dict(zip(answer["total"], (8, 4, 1, 1, 1, 1, 1, 1), strict=True))
    assert "Counted at" in cli("numbers", f"Organization {stage.world.organization_id}").stdout
