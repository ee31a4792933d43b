"""Lists have ends, filters and search.

Times are the organization's. Live pages refresh, but not while somebody types.
"""

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest

from db.core.ids import new_id
from lab.access_records import Mailbox, Organization
from lab.records import Event, Notice, Sequence
from lab.stage import Stage
from tests.web.test_sequences_settings import PAGE, at_settings, member
from tests.web.visitor import Visitor, email_of, known_account


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return member(stage, "Rita Recruiter")


def many_sequences(stage: Stage, owner: UUID, count: int) -> None:
    box = stage.world.mailbox(owner)
    alike = {
        "organization_id": stage.world.organization_id,
        "owner_id": owner,
        "mailbox_id": box,
        "status": "active",
    }
    stage.add(Sequence, *({"id": new_id(), "name": f"Role {at:04}", **alike} for at in range(count)))


def test_thousands_of_sequences_are_pages_of_fifty_and_found_by_search(stage: Stage, rita: UUID) -> None:
    many_sequences(stage, rita, 5000)
    visitor = Visitor(stage).sign_in(email_of(stage, rita)).get("/sequences")
    assert len(visitor.text) < 200_000
    assert "50 of 5,000 on this page" in visitor.text
    seen: list[str] = []
    for _ in range(3):
        seen += re.findall(r'dir="auto">(Role \d+)<', visitor.text)
        (link,) = re.findall(r'rel="next" href="([^"]+)"', visitor.text)
        visitor.get(link.replace("&amp;", "&"))
    assert seen == [f"Role {at:04}" for at in range(150)]
    visitor.get("/sequences?q=ROLE+4321")
    assert re.findall(r'dir="auto">(Role \d+)<', visitor.text) == ["Role 4321"]
    assert "No sequence matches" in visitor.get("/sequences?status=paused").text
    for nonsense in ("after=x", "after=9~~", "after=1~nonsense~x", "status=nonsense", "since=x"):
        assert visitor.get(f"/sequences?{nonsense}").status == 200


def test_notifications_are_pages_and_what_came_meanwhile_stays_unread(stage: Stage, rita: UUID) -> None:
    event = new_id()
    ours = {"organization_id": stage.world.organization_id}
    who = {"actor_kind": "system", "actor_id": "", "actor_name": "Onbehalf"}
    stage.add(Event, {"id": event, "kind": "AdminApproved", "cause_key": "x", "payload": {}, **who, **ours})

    def add(count: int, kind: str) -> None:
        alike = {
            "owner_id": rita,
            "event_id": event,
            "channel": "in_app",
            "title": kind,
            "body": "hans@acme.example",
        }
        ids = [new_id() for _ in range(count)]
        stage.add(Notice, *({"id": each, "cause_key": str(each), **alike, **ours} for each in ids))

    add(120, "Older")
    visitor = Visitor(stage).sign_in(email_of(stage, rita)).get("/notifications")
    assert visitor.text.count("<article") == 50
    assert "mailto:" not in visitor.text
    assert 'id="badge-unread">99+<span class="unseen"> waiting</span></span>' in visitor.text
    assert "Mark all 120 as read" in visitor.text
    (newest,) = re.findall(r'name="newest" value="([^"]+)"', visitor.text)
    shown = 0
    while True:
        shown += visitor.text.count("<article")
        links = re.findall(r'rel="next" href="([^"]+)"', visitor.text)
        if not links:
            break
        visitor.get(links[0].replace("&amp;", "&"))
    assert shown == 120
    add(1, "Newer")
    visitor.send("/notifications/read", newest=newest).follow()
    assert "120 notifications marked as read" in visitor.text
    visitor.get("/notifications?show=unread")
    assert visitor.text.count("<article") == 1
    assert "Newer" in visitor.text


def test_many_colleagues_are_found_by_typing(stage: Stage, rita: UUID) -> None:
    stage.mailbox(rita)
    for at in range(60):
        stage.world.member(f"Mona{at:02} Member")
    twin = [stage.world.member("Same Name") for _ in range(2)]
    visitor = at_settings(stage, rita).get(f"{PAGE}/grants/new")
    assert "<datalist" in visitor.text
    assert visitor.text.count("<option") <= 51
    visitor.send(f"{PAGE}/grants", to="Same Name")
    assert visitor.status == 422
    assert all(email_of(stage, each) in visitor.text for each in twin)
    visitor.send(f"{PAGE}/grants", to=email_of(stage, twin[1]).upper()).follow()
    assert "Permission given to Same Name" in visitor.text
    visitor.get(f"{PAGE}/grants/new").send(f"{PAGE}/grants", to="mona07").follow()
    assert "Permission given to Mona07 Member" in visitor.text


def test_times_are_the_organizations_with_the_weekday_and_their_zone_beside(stage: Stage, rita: UUID) -> None:
    stage.put(Organization, time_zone="America/New_York")
    box = stage.world.mailbox(rita)
    stage.put(Mailbox, box, connected_at=datetime(2026, 1, 15, 2, 30, tzinfo=UTC))
    text = at_settings(stage, rita).text
    (found,) = re.findall(
        r'<time datetime="2026-01-15T02:30:00\+00:00" title="Wed 14 Jan 2026, 21:30:00 \(America/New_York\)">([^<]+)<',
        text,
    )
    assert re.fullmatch(r"Wed 14 Jan( 2026)?, 21:30", found)


def test_admins_see_their_own_first_and_everybodys_on_request(stage: Stage, rita: UUID) -> None:
    ada = stage.world.member("Ada Admin", role="admin")
    known_account(stage, email_of(stage, ada))
    box = stage.world.mailbox(rita)
    stage.world.sequence(rita, box)
    name = stage.only(Sequence).name
    admins = Visitor(stage).sign_in(email_of(stage, ada))
    assert name not in admins.get("/sequences").text
    assert name in admins.get("/sequences?whose=all").text
    mona = Visitor(stage).sign_in(email_of(stage, member(stage, "Mona Member")))
    assert name not in mona.get("/sequences?whose=all").text


def test_lists_turn_back_page_by_page_and_to_the_first(stage: Stage, rita: UUID) -> None:
    many_sequences(stage, rita, 180)
    visitor = Visitor(stage).sign_in(email_of(stage, rita)).get("/sequences?q=role")

    def turn(to: str) -> list[str]:
        (link,) = re.findall(rf'rel="{to}" href="([^"]+)"', visitor.text)
        visitor.get(link.replace("&amp;", "&"))
        return re.findall(r'dir="auto">(Role \d+)<', visitor.text)

    pages = [re.findall(r'dir="auto">(Role \d+)<', visitor.text), turn("next"), turn("next"), turn("next")]
    assert [len(each) for each in pages] == [50, 50, 50, 30]
    assert 'rel="next"' not in visitor.text
    assert [turn("prev"), turn("prev"), turn("prev")] == pages[2::-1]
    assert 'rel="prev"' not in visitor.text
    assert turn("next") == pages[1]  # and on again
    (first,) = re.findall(
        r'<a class="button low" href="([^"]+)"><svg[^>]*><use[^>]*/></svg>First', visitor.text
    )
    assert first.replace("&amp;", "&") == "/sequences?q=role"
