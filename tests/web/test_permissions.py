"""Permissions on pages: bounds, asking, answering, and what admins may do."""

import re
from uuid import UUID

import pytest

from lab.access_records import Grant, GrantRequest, Lane, Mailbox
from lab.factories import World
from lab.records import AuditEntry, Sequence
from lab.stage import Stage
from tests.web.test_sequences_settings import PAGE, at_settings, member
from tests.web.visitor import Visitor, email_of, known_account


@pytest.fixture
def people(stage: Stage) -> tuple[UUID, UUID]:
    """Hans with a connected mailbox, and Rita."""
    hans, rita = member(stage, "Hans Holder"), member(stage, "Rita Recruiter")
    stage.mailbox(hans)
    return hans, rita


def box_of(stage: Stage) -> UUID:
    return stage.only(Mailbox).id


def test_a_permission_is_given_within_bounds_and_they_are_shown(
    stage: Stage, people: tuple[UUID, UUID]
) -> None:
    hans, rita = people
    sequence_id = stage.world.sequence(rita, box_of(stage))
    stage.put(Lane, zone="Europe/Berlin")
    visitor = at_settings(stage, hans).get(f"{PAGE}/grants/new")
    name = stage.only(Sequence).name
    assert name in visitor.text
    visitor.send(
        f"{PAGE}/grants", to=str(rita), until="2099-12-31", a_day="20", sequences=str(sequence_id)
    ).follow()
    assert "at most 20 emails a day" in visitor.text
    assert f"only for <bdi>{name}</bdi>" in visitor.text
    # As typed: that day included, in the mailbox's zone.
    assert (
        '<time datetime="2099-12-31T23:00:00+00:00" title="Fri 1 Jan 2100, 00:00:00 (Europe/Berlin)">Thu 31 Dec 2099</time>'
        in visitor.text
    )
    grant = stage.only(Grant)
    assert (grant.sequence_ids, grant.daily_limit) == ([sequence_id], 20)
    assert "at most 20 emails a day" in at_settings(stage, rita).text


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("until", "2001-01-01", "This day is over"),
        ("until", "tomorrow", "not a date"),
        ("a_day", "0", "cannot be"),
        ("a_day", "many", "not a number"),
        ("a_day", "-3", "not a number"),
        ("a_day", "٣", "not a number"),
        ("sequences", "01a1ff2e-82ff-7818-9963-4acc81a9b745", "cannot cover one of these sequences"),
        ("sequences", "x", "not a sequence"),
    ],
)
def test_bounds_that_make_no_sense_give_nothing(
    stage: Stage, people: tuple[UUID, UUID], field: str, value: str, says: str
) -> None:
    visitor = at_settings(stage, people[0]).get(f"{PAGE}/grants/new")
    visitor.send(f"{PAGE}/grants", None, **{"to": str(people[1]), field: value})
    assert visitor.status == 422
    assert says in visitor.text
    assert stage.count(Grant) == 0


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("{url}/settings/sequences/grants/new", "/settings/sequences/grants/new"),
        ("https://evil.example/settings", "/"),
        ("{url}//evil.example", "/"),
        ("nonsense", "/"),
        ("http://[", "/"),
    ],
)
def test_a_form_that_was_refused_leads_back_to_its_page(
    stage: Stage, people: tuple[UUID, UUID], referer: str, back: str
) -> None:
    visitor = at_settings(stage, people[0]).get(f"{PAGE}/grants/new")
    headers = {"Referer": referer.format(url=visitor.public_url)}
    visitor.send(f"{PAGE}/grants/{people[1]}/revoke", headers)
    assert visitor.status == 404
    assert f'<a class="button" href="{back}"' in visitor.text


@pytest.mark.row("M11", "M13")
def test_a_colleague_asks_and_the_owner_accepts_within_bounds(
    stage: Stage, people: tuple[UUID, UUID]
) -> None:
    hans, rita = people
    ritas = at_settings(stage, rita)
    ritas.send(
        f"{PAGE}/requests", mailbox=stage.address(box_of(stage)).upper(), words="For <b>designers</b>"
    ).follow()
    assert "Asked for" in ritas.text
    assert "no answer yet" in ritas.text
    visitor = at_settings(stage, hans)
    assert "<bdi>Rita Recruiter</bdi> asks to send from" in visitor.text
    assert "For &lt;b&gt;designers&lt;/b&gt;" in visitor.text
    (link,) = re.findall(r'href="(/settings/sequences/requests/[^"]+)"', visitor.text)
    visitor.get(link).send(f"{link}/accept", a_day="5").follow()
    assert "Permission given to Rita Recruiter, at most 5 emails a day." in visitor.text
    assert "asks to send" not in visitor.text
    grant = stage.only(Grant)
    assert (grant.grantee_id, grant.daily_limit) == (rita, 5)
    assert "accepted this request already" in visitor.get(link).follow().text
    assert "accepted this request already" in visitor.send(f"{link}/decline").follow().text  # a second tab


@pytest.mark.row("M13")
def test_a_declined_request_gives_nothing(stage: Stage, people: tuple[UUID, UUID]) -> None:
    hans, rita = people
    at_settings(stage, rita).send(f"{PAGE}/requests", mailbox=stage.address(box_of(stage)))
    visitor = at_settings(stage, hans)
    (link,) = re.findall(r'href="(/settings/sequences/requests/[^"]+)"', visitor.text)
    visitor.get(link).send(f"{link}/decline").follow()
    assert "Declined. We have notified Rita Recruiter." in visitor.text
    stage.run_outbox()
    assert "declined your request" in at_settings(stage, rita).get("/notifications").text
    assert stage.count(Grant) == 0


@pytest.mark.row("M13")
def test_nobody_else_can_answer_a_request(stage: Stage, people: tuple[UUID, UUID]) -> None:
    _, rita = people
    ritas = at_settings(stage, rita)
    ritas.send(f"{PAGE}/requests", mailbox=stage.address(box_of(stage)))
    request = stage.only(GrantRequest).id
    stage.world.mailbox(rita, connected=False)
    assert ritas.get(PAGE).send(f"{PAGE}/requests/{request}/accept").status == 404
    assert stage.count(Grant) == 0


def test_admins_see_and_end_every_permission_and_can_give_none_for_others(
    stage: Stage, people: tuple[UUID, UUID]
) -> None:
    _, rita = people
    box = box_of(stage)
    grant_id = stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("P1D",)), 2)
    ada = stage.world.member("Ada Admin", role="admin")
    known_account(stage, email_of(stage, ada))
    visitor = Visitor(stage).sign_in(email_of(stage, ada)).get("/settings/email")
    assert "Rita Recruiter" in visitor.text
    assert stage.address(box) in visitor.text
    link = f"/settings/email/grants/{grant_id}/end"
    assert "1 sequence with 2 people" in visitor.get(link).text
    visitor.send(link).follow()
    assert "nothing can leave now" in visitor.text
    assert stage.only(Grant).archived_reason == "revoked"
    assert stage.only(AuditEntry, action="grant_revoked").actor_name == "Ada Admin"
    # Her own form gives permissions for her own mailbox only, and she has none.
    visitor.get(PAGE).send(f"{PAGE}/grants", to=str(rita))
    assert visitor.status == 404
    assert stage.count(Grant, archived_at=None) == 0


@pytest.mark.row("H3")
def test_email_settings_are_one_organizations(stage: Stage, people: tuple[UUID, UUID]) -> None:
    elsewhere = World(stage.world.database)
    other_box = elsewhere.mailbox(elsewhere.member("Otto Other"))
    other = elsewhere.only(Mailbox, other_box).address
    grant_id = elsewhere.grant(other_box, elsewhere.member("Olga Other"))
    elsewhere.database.close()
    ada = stage.world.member("Ada Admin", role="owner")
    known_account(stage, email_of(stage, ada))
    visitor = Visitor(stage).sign_in(email_of(stage, ada)).get("/settings/email")
    assert stage.address(people_box(stage, people)) in visitor.text
    assert other not in visitor.text
    assert visitor.get(f"/settings/email/grants/{grant_id}/end").status == 404
    assert visitor.get("/settings/email").send(f"/settings/email/grants/{grant_id}/end").status == 404
    assert stage.only(Grant, grant_id).archived_at is None


def people_box(stage: Stage, people: tuple[UUID, UUID]) -> UUID:
    return stage.only(Mailbox, owner_id=people[0]).id


@pytest.mark.row("P3")
def test_members_do_not_see_the_organizations_settings(stage: Stage, people: tuple[UUID, UUID]) -> None:
    grant_id = stage.world.grant(box_of(stage), people[1])
    visitor = at_settings(stage, people[1])
    assert "/settings/email" not in visitor.text
    assert visitor.get("/settings/email").status == 403
    assert visitor.get(f"/settings/email/grants/{grant_id}/end").status == 403
    assert visitor.get(PAGE).send(f"/settings/email/grants/{grant_id}/end").status == 403
    assert stage.count(Grant, archived_at=None) == 1
