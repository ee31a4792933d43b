"""A recruiter builds a sequence on pages: makes a draft, writes steps, starts it, edits it while it runs, duplicates and archives it."""

import re
from uuid import UUID, uuid4

import pytest

from lab.records import Delivery, Enrollment, Sequence, Step
from lab.stage import Stage
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of


@pytest.fixture
def rita(stage: Stage) -> UUID:
    found = member(stage, "Rita Recruiter")
    stage.mailbox(found)
    return found


@pytest.fixture
def visitor(stage: Stage, rita: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, rita))


def hidden(visitor: Visitor, name: str) -> str:
    (found,) = set(re.findall(f'name="{name}" value="([^"]*)"', visitor.text))
    return str(found)


def changes(visitor: Visitor) -> str:
    """Where the form of the page that shows who gets what leads."""
    (found,) = re.findall(r'action="(/sequences/[^"]+/changes/[^"]+)"', visitor.text)
    return str(found)


def path_of(stage: Stage) -> str:
    return f"/sequences/{stage.only(Sequence).id}"


def made(stage: Stage, visitor: Visitor, name: str = "Backend engineers") -> str:
    visitor.get("/sequences/new").send("/sequences/new", name=name, key=hidden(visitor, "key")).follow()
    return path_of(stage)


def written(visitor: Visitor, path: str, body: str, *, wait: str = "0", subject: str = "") -> None:
    visitor.get(f"{path}/steps/new")
    visitor.send(
        f"{path}/steps/new", key=hidden(visitor, "key"), position=hidden(visitor, "position"), wait=wait, unit="days",
        thread="new" if subject else "same", subject=subject, body=body,
    ).follow()  # fmt: skip


def running(stage: Stage, visitor: Visitor, people: int = 2) -> str:
    path = made(stage, visitor)
    written(visitor, path, "Hello {{first_name|there}}", subject="A role")
    written(visitor, path, "Any news?", wait="1")
    stage.world.enroll(stage.only(Sequence).id, people)
    visitor.get(f"{path}/activate").send(f"{path}/activate").follow()
    stage.later(10)
    stage.send_due()
    return path


def test_from_an_empty_list_to_emails_that_left(stage: Stage, visitor: Visitor) -> None:
    visitor.get("/sequences")
    assert 'href="/sequences/new"' in visitor.text
    path = made(stage, visitor)
    assert "New step 1" in visitor.text
    visitor.get(path)
    for lack in ("It has no steps: add at least one.", "Nobody is in it yet"):
        assert lack in visitor.text
    written(visitor, path, "Hello {{first_name|there}}", subject="A role")
    written(visitor, path, "Any news?", wait="2")
    assert "2 days later, if nobody answered" in visitor.text
    assert "Almost ready" in visitor.text
    stage.world.enroll(stage.only(Sequence).id, 2)
    visitor.get(f"{path}/activate").send(f"{path}/activate").follow()
    stage.later(10)
    stage.send_due()
    assert [each.subject for each in stage.left()] == ["A role"] * 2
    visitor.get(f"{path}?tab=people")
    assert "Cand0" in visitor.text
    assert "Step 2 leaves" in visitor.text


def test_what_is_incomplete_leads_to_where_it_is_written(stage: Stage, visitor: Visitor) -> None:
    path = made(stage, visitor)
    written(visitor, path, "")
    first = stage.only(Step).id
    assert "Step 1 has no subject" in visitor.text
    assert "Step 1 has no text" in visitor.text
    assert visitor.text.count(f'<a href="{path}/steps/{first}">Open step 1</a>') == 2
    visitor.get(f"{path}/activate")
    assert "Step 1 has no text" in visitor.text
    assert "Start sequence</button>" not in visitor.text


def test_a_second_click_makes_and_adds_nothing_more(stage: Stage, visitor: Visitor) -> None:
    visitor.get("/sequences/new")
    key = hidden(visitor, "key")
    for _ in range(2):
        visitor.send("/sequences/new", name="Twice", key=key)
    path = path_of(stage)
    visitor.get(f"{path}/steps/new")
    fields = {
        "key": hidden(visitor, "key"),
        "wait": "0",
        "unit": "days",
        "thread": "new",
        "subject": "Hi",
        "body": "x",
    }
    for _ in range(2):
        visitor.send(f"{path}/steps/new", None, **fields)
    assert stage.count(Step) == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": ""}, "A sequence has a name"),
        ({"name": "Taken"}, "There is a sequence Taken already"),
        ({"name": "Other", "sender": str(uuid4())}, "may not send from that mailbox"),
    ],
)
def test_a_refused_draft_keeps_what_was_typed(
    stage: Stage, visitor: Visitor, fields: dict[str, str], error: str
) -> None:
    made(stage, visitor, "Taken")
    visitor.get("/sequences/new").send("/sequences/new", None, key="k", **fields)
    assert visitor.status == 422
    assert error in visitor.text
    assert f'value="{fields["name"]}"' in visitor.text
    assert stage.count(Sequence) == 1


def test_a_refused_step_keeps_what_was_typed_and_says_where(stage: Stage, visitor: Visitor) -> None:
    path = made(stage, visitor)
    written(visitor, path, "Hello", subject="Hi")
    visitor.get(f"{path}/steps/new").send(
        f"{path}/steps/new",
        key="k",
        position="2",
        wait="soon",
        unit="days",
        thread="same",
        body="My long text",
    )
    assert visitor.status == 422
    assert "This is not a number" in visitor.text
    assert ">My long text</textarea>" in visitor.text
    visitor.send(
        f"{path}/steps/new", key="k", position="2", wait="1", unit="days", thread="new", body="My text"
    )
    assert "A new thread needs a subject" in visitor.text
    assert stage.count(Step) == 1


def test_an_edit_of_a_running_sequence_shows_who_gets_what_before_it_is_saved(
    stage: Stage, visitor: Visitor
) -> None:
    path = running(stage, visitor)
    second = stage.only(Step, position=2).id
    visitor.get(f"{path}/steps/{second}")
    version = hidden(visitor, "version")
    visitor.send(
        f"{path}/steps/{second}", version=version, wait="3", unit="days", thread="same", body="Still there?"
    )
    assert stage.only(Step, second).version == 1
    visitor.follow()
    save = changes(visitor)
    assert "Step 2 was reworded: 2 people get the new text." in visitor.text
    assert "Due times of 2 people move" in visitor.text
    for _ in range(2):
        visitor.send(save).follow()
        assert "Saved." in visitor.text
    assert stage.only(Step, second).version == 2
    stage.later(3 * 86400 + 60)
    stage.send_due()
    assert sum("Still there?" in each.body for each in stage.left()) == 2


def test_who_saves_over_somebody_elses_edit_sees_both_texts_and_decides(
    stage: Stage, visitor: Visitor
) -> None:
    path = made(stage, visitor)
    written(visitor, path, "First", subject="Hi")
    step = stage.only(Step).id
    visitor.get(f"{path}/steps/{step}")
    fields = {"wait": "0", "unit": "days", "thread": "new", "subject": "Hi"}
    visitor.send(f"{path}/steps/{step}", None, version="1", body="Theirs", **fields)
    visitor.get(f"{path}/steps/{step}").send(f"{path}/steps/{step}", None, version="1", body="Mine", **fields)
    assert visitor.status == 409
    assert "Theirs" in visitor.text
    assert ">Mine</textarea>" in visitor.text
    assert stage.only(Step).body == "Theirs"
    version = hidden(visitor, "version")
    visitor.send(f"{path}/steps/{step}", None, version=version, body="Mine", **fields)
    assert stage.only(Step).body == "Mine"


def test_a_step_that_was_removed_meanwhile_can_be_added_again_with_what_was_typed(
    stage: Stage, visitor: Visitor
) -> None:
    path = made(stage, visitor)
    written(visitor, path, "First", subject="Hi")
    written(visitor, path, "Second")
    second = stage.only(Step, position=2).id
    visitor.get(f"{path}/steps/{second}/remove").follow()
    visitor.send(changes(visitor)).follow()
    visitor.get(path).send(
        f"{path}/steps/{second}", version="1", wait="1", unit="days", thread="same", body="Typed"
    )
    assert visitor.status == 409
    assert "Somebody has removed this step." in visitor.text
    visitor.send(
        f"{path}/steps/new", key=hidden(visitor, "key"), wait="1", unit="days", thread="same", body="Typed",
        position=hidden(visitor, "position"),
    )  # fmt: skip
    assert [each.body for each in stage.all(Step) if each.retired_at is None] == ["First", "Typed"]


def test_steps_change_places(stage: Stage, visitor: Visitor) -> None:
    path = made(stage, visitor)
    written(visitor, path, "First", subject="Hi")
    written(visitor, path, "Second", subject="Hello")
    second = stage.only(Step, position=2).id
    for _ in range(2):
        visitor.get(path).send(f"{path}/steps/{second}/move", was="2", to="1")
    assert stage.only(Step, second).position == 1


def test_settings_are_kept_and_overwrite_nobody(stage: Stage, visitor: Visitor) -> None:
    path = made(stage, visitor)
    visitor.get(f"{path}/settings")
    box = str(stage.only(Sequence).mailbox_id)
    version = hidden(visitor, "version")
    hours = {
        "hours": "own",
        "zone": "Europe/Berlin",
        "days": "mon",
        "opens": "09:00",
        "closes": "17:00",
        "to_mon": "13:00",
        "from_mon": "09:00",
    }
    visitor.send(
        f"{path}/settings",
        None,
        name="Named",
        sender=box,
        version=version,
        fields="start_date, role",
        **hours,
    ).follow()
    assert "Mon, 09:00" in visitor.text
    assert stage.only(Sequence).sending["by_day"] == {"mon": {"from": "09:00", "to": "13:00"}}
    assert "start_date, role" in visitor.text
    visitor.get(f"{path}/settings").send(f"{path}/settings", name="Mine", sender=box, version=version)
    assert visitor.status == 409
    assert "It is now: Named" in visitor.text
    assert 'value="Mine"' in visitor.text
    assert stage.only(Sequence).name == "Named"
    visitor.send(
        f"{path}/settings",
        name="Mine",
        sender=box,
        version=hidden(visitor, "version"),
        hours="own",
        zone="Nowhere",
    )
    assert visitor.status == 422
    assert "Nowhere" in visitor.text


def test_days_off_of_a_sequence_are_shown_and_changed(stage: Stage, visitor: Visitor) -> None:
    path = made(stage, visitor)
    box = str(stage.only(Sequence).mailbox_id)

    def save(holidays: str) -> None:
        visitor.get(f"{path}/settings")
        given = {"name": "Named", "sender": box, "hours": "own", "zone": "UTC", "days": "mon"}
        visitor.send(
            f"{path}/settings", None, **given, opens="09:00", closes="17:00", holidays=holidays,
            version=hidden(visitor, "version"),
        )  # fmt: skip

    save("2026-12-25, 2026-12-24")
    visitor.get(f"{path}/settings")
    assert 'value="2026-12-24, 2026-12-25"' in visitor.text
    save("Christmas")
    assert visitor.status == 422
    assert "holidays must be dates" in visitor.text.lower()
    assert 'value="Christmas"' in visitor.text
    save("")
    assert "2026-12-24, 2026-12-25" not in visitor.get(f"{path}/settings").text


def test_hours_that_move_emails_are_shown_before_they_are_saved(stage: Stage, visitor: Visitor) -> None:
    path = running(stage, visitor)
    visitor.get(f"{path}/settings")
    fields = {
        "name": "Backend engineers",
        "sender": str(stage.only(Sequence).mailbox_id),
        "version": hidden(visitor, "version"),
    }
    visitor.send(
        f"{path}/settings", None, **fields, hours="own", zone="UTC", days="wed", opens="10:00", closes="10:30"
    ).follow()
    assert "Due times of 2 people move" in visitor.text
    visitor.send(changes(visitor)).follow()
    due = [each.due_at for each in stage.all(Delivery, state="pending")]
    assert all((each.weekday(), each.hour) == (2, 10) for each in due)


def test_a_sequence_is_duplicated_and_archived(stage: Stage, visitor: Visitor) -> None:
    path = running(stage, visitor)
    original = stage.only(Sequence).id
    key = hidden(visitor.get(path), "key")
    for _ in range(2):
        visitor.get(path).send(f"{path}/duplicate", key=key).follow()
    assert "Copy of Backend engineers" in visitor.text
    visitor.get(f"{path}/archive")
    assert "2 people get no further email" in visitor.text
    visitor.send(f"{path}/archive").follow()
    assert stage.only(Sequence, original).status == "archived"
    stage.later(2 * 86400)
    stage.send_due()
    assert len(stage.left()) == 2
    assert "Backend engineers" not in visitor.get("/sequences").text.replace("Copy of Backend engineers", "")
    assert path in visitor.get("/sequences?status=archived").text
    assert visitor.get(path).status == 200


def test_lists_are_filtered_by_what_pills_say_and_sorted(stage: Stage, visitor: Visitor) -> None:
    path = running(stage, visitor)
    assert path in visitor.get("/sequences?status=active").text
    assert path not in visitor.get("/sequences?status=finished").text
    stage.later(86400 + 60)
    stage.send_due()
    assert path in visitor.get("/sequences?status=finished").text
    assert path not in visitor.get("/sequences?status=active").text
    first = stage.only(Sequence).id
    visitor.get("/sequences/new").send("/sequences/new", name="Aardvarks", key="k")
    (other,) = [each.id for each in stage.all(Sequence) if each.id != first]
    for sort, order in (("name", [other, first]), ("new", [other, first]), ("", [first, other])):
        text = visitor.get(f"/sequences?sort={sort}").text
        assert [UUID(each) for each in re.findall(r'row"><a href="/sequences/([^"]+)"', text)] == order


def test_people_are_pages_of_fifty_by_state(stage: Stage, visitor: Visitor) -> None:
    path = running(stage, visitor, people=1)
    stage.world.enroll(stage.only(Sequence).id, 60)
    stage.put(Enrollment, stage.all(Enrollment)[0].id, status="stopped", reason="answered")
    text = visitor.get(f"{path}?tab=people").text
    assert "50 of 61 on this page" in text
    (link,) = re.findall(r'rel="next" href="([^"]+)"', text)
    assert visitor.get(link.replace("&amp;", "&")).text.count('<th scope="row">') == 11
    answered = visitor.get(f"{path}?tab=people&state=answered").text
    assert answered.count('<th scope="row">') == 1
    assert "Read the answer" in answered
    assert "Nobody matches" in visitor.get(f"{path}?tab=people&q=nobody-like-it").text
    for nonsense in ("state=x", "after=x", "tab=x"):
        assert visitor.get(f"{path}?{nonsense}").status == 200


def test_a_colleagues_sequence_is_nobody_elses(stage: Stage, visitor: Visitor) -> None:
    path = running(stage, visitor)
    step = stage.only(Step, position=2).id
    other = Visitor(stage).sign_in(email_of(stage, member(stage, "Olga Other")))
    for page in (
        "",
        "/settings",
        "/steps/new",
        f"/steps/{step}",
        f"/steps/{step}/remove",
        "/archive",
        f"/changes/{uuid4()}",
    ):
        assert other.get(f"{path}{page}").status == 404, page
    other.get("/sequences")
    for form in (
        "/settings",
        "/steps/new",
        f"/steps/{step}",
        f"/steps/{step}/move",
        "/archive",
        "/duplicate",
    ):
        assert other.send(f"{path}{form}", name="x", body="x", was="2", to="1").status == 404, form
    assert stage.only(Sequence).status == "active"


def test_a_draft_with_nobody_in_it_leads_to_where_people_are_added_to_it(
    stage: Stage, visitor: Visitor
) -> None:
    other = made(stage, visitor, "Designers").rpartition("/")[2]
    visitor.get("/sequences/new").send("/sequences/new", name="Backend engineers", key=str(uuid4())).follow()
    (mine,) = [str(each.id) for each in stage.all(Sequence) if str(each.id) != other]
    link = f'href="/people/import?sequence={mine}"'
    assert link not in visitor.get(f"/sequences/{mine}").text  # nobody can join before there is a step
    written(visitor, f"/sequences/{mine}", "Hello {{first_name|there}}", subject="A role")
    visitor.get(f"/sequences/{mine}")
    assert (
        f'Nobody is in it yet: add people. <a href="/people/import?sequence={mine}">Add people</a>'
        in visitor.text
    )
    assert link in visitor.get(f"/sequences/{mine}?tab=people").text
    visitor.get(f"/people/import?sequence={mine}")
    assert f'<option value="{mine}" selected>' in visitor.text
    assert f'href="/people/add?sequence={mine}"' in visitor.text
    visitor.get(f"/people/add?sequence={mine}")
    assert f'<option value="{mine}" selected>' in visitor.text


def test_a_step_is_due_on_the_next_business_day_at_a_time_of_day(stage: Stage, visitor: Visitor) -> None:
    path = made(stage, visitor)
    written(visitor, path, "First", subject="Hi")
    said = {"unit": "business days", "thread": "same", "body": "Second.", "position": "2", "key": "k"}
    assert visitor.send(f"{path}/steps/new", None, wait="1", at="25:00", **said).status == 422
    assert "no time of day" in visitor.text
    assert visitor.send(f"{path}/steps/new", None, wait="1", at="09:00", **said).status == 303
    assert "1 business day later, at 09:00, if nobody answered" in visitor.get(path).text
    step = stage.only(Step, position=2).id
    assert 'value="09:00"' in visitor.get(f"{path}/steps/{step}").text
    said["unit"] = "days"
    assert visitor.send(f"{path}/steps/{step}", None, wait="1", at="09:00", version="1", **said).status == 422
    assert "goes with business days" in visitor.text
