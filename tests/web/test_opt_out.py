"""The page on which the recipient of an email opts out: harmless to open, certain once it is sent, and nobody else's."""

import re
from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from actions import handovers
from db.core.crypto import KeyRing
from db.core.session import database_now
from db.listening import opt_out_tokens
from db.sending.enrollments import enroll_many
from domain.handover import TakeOver
from domain.opt_out import OptOut
from lab.access_records import Organization
from lab.factories import World
from lab.records import Candidate, Delivery, Enrollment, Event, Suppression
from lab.stage import Stage
from lab.tables import ago, ahead
from tests.web.visitor import Visitor
from web.opt_out_words import WORDS, language_of

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def box(stage: Stage) -> UUID:
    return stage.mailbox(stage.world.member("Hans Holder"))


def start(stage: Stage, box: UUID, people: int = 1, delays: tuple[str, ...] = ("PT0S", "P1D", "P2D")) -> UUID:
    sequence = stage.world.sequence(stage.owner(box), box, delays)
    stage.world.enroll(sequence, people)
    stage.send_due()
    return sequence


def link_of(stage: Stage, number: int = 0) -> str:
    """The path of the opt-out link in the words of an email that left."""
    found = re.search(r"/o/[A-Za-z0-9_-]+", stage.left()[number].body)
    assert found is not None
    return found[0]


def people(stage: Stage) -> list[tuple[str, str | None]]:
    return [each.standing for each in stage.all(Enrollment)]


@pytest.mark.row("N17")
def test_opening_the_link_changes_nothing_however_often(stage: Stage, box: UUID) -> None:
    start(stage, box)
    visitor = Visitor(stage)
    for _ in range(3):
        visitor.get(link_of(stage))
        assert visitor.status == 200
        assert "Stop all emails" in visitor.text
        assert "2 planned" in visitor.text
    visitor._ask("HEAD", link_of(stage))
    assert people(stage) == [("active", None)]
    assert stage.count(Suppression) == 0


@pytest.mark.row("F1")
def test_the_button_stops_everything_and_says_how_many_emails(stage: Stage, box: UUID) -> None:
    start(stage, box)
    visitor = Visitor(stage).get(link_of(stage))
    visitor.send(link_of(stage)).follow()
    assert visitor.status == 200
    assert "2 emails stopped, nothing can leave any more" in visitor.text
    assert people(stage) == [("stopped", "opted_out")]
    entry = stage.only(Suppression)
    assert (entry.kind, entry.reason, entry.created_by) == ("address", "opt_out", "the recipient")
    stage.later(5 * 86400)
    assert stage.send_due() == 0
    assert len(stage.left()) == 1


def test_after_a_hand_over_it_names_whose_email_it_was(stage: Stage, box: UUID) -> None:
    sequence = start(stage, box)
    rita = stage.world.member("Rita Recruiter")
    ritas = stage.mailbox(rita)
    hans = stage.owner(box)
    request = handovers.ask(stage.runtime, sequence, rita, words="", by=hans, actor="Hans Holder")
    handovers.accept(stage.runtime, request, TakeOver(ritas), owner_id=rita, actor="Rita Recruiter")
    visitor = Visitor(stage).get(link_of(stage))
    assert "Hans Holder" in visitor.text
    assert "Rita Recruiter" not in visitor.text
    visitor.send(link_of(stage))
    (event,) = stage.all(Event, kind="CandidateOptedOut")
    assert event.payload["mailbox"] == stage.address(box)


def test_it_stops_every_sequence_of_the_organization(stage: Stage, box: UUID) -> None:
    start(stage, box)
    other = stage.mailbox(stage.world.member("Rita Recruiter"))
    second = stage.world.sequence(stage.owner(other), other, ("P1D",))
    candidate = stage.only(Candidate).id
    with stage.world.database.transaction() as tx:
        enroll_many(tx, second, [candidate], database_now(tx))
    Visitor(stage).send_unsaid(link_of(stage), None, **ONE_CLICK)
    assert people(stage) == [("stopped", "opted_out")] * 2
    assert stage.send_due() == 0


@pytest.mark.row("F2")
def test_one_click_is_taken_without_cookies_origin_or_redirect(stage: Stage, box: UUID) -> None:
    start(stage, box)
    visitor = Visitor(stage).send_unsaid(link_of(stage), None, **ONE_CLICK)
    assert visitor.status == 200
    assert "set-cookie" not in visitor.headers
    assert people(stage) == [("stopped", "opted_out")]


@pytest.mark.row("F2")
def test_one_click_is_taken_from_another_site_and_as_multipart(stage: Stage, box: UUID) -> None:
    start(stage, box)
    visitor = Visitor(stage)
    visitor._ask(
        "POST",
        link_of(stage),
        files={"List-Unsubscribe": (None, "One-Click")},
        headers={"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert visitor.status == 200
    assert people(stage) == [("stopped", "opted_out")]


def test_a_repetition_answers_the_same_and_notifies_once(stage: Stage, box: UUID) -> None:
    start(stage, box)
    visitor = Visitor(stage)
    for _ in range(3):
        visitor.send(link_of(stage)).follow()
        assert "2 emails stopped" in visitor.text
    stage.run_outbox()
    assert {each.title for each in stage.notices()} == {"Cand0 opted out"}
    assert stage.count(Event, kind="CandidateOptedOut") == 1
    assert stage.count(Suppression) == 1


def test_the_link_of_an_old_email_works_when_its_delivery_is_deleted(stage: Stage, box: UUID) -> None:
    start(stage, box)
    path = link_of(stage)
    stage.purge(Delivery, state="sent")
    visitor = Visitor(stage).send(path).follow()
    assert "nothing can leave any more" in visitor.text
    assert people(stage) == [("stopped", "opted_out")]


def test_an_email_on_its_way_is_named(stage: Stage, box: UUID) -> None:
    start(stage, box, 2, ("PT0S", "P1D"))
    first = stage.all(Enrollment)[0]
    email = stage.only(Candidate, first.candidate_id).email
    path = next(link_of(stage, n) for n, each in enumerate(stage.left()) if email in each.to)
    # A worker has submitted the next one and not heard what became of it.
    set_out = ago(minutes=1)
    stage.overwrite(
        Delivery,
        where={"enrollment_id": first.id, "state": "pending"},
        state="in_doubt",
        send_started_at=set_out,
        draft_id="gone",
        correlation_id="known",
        grace_until=ahead(minutes=10),
    )
    stage.put(Organization, time_zone="Asia/Kolkata")
    visitor = Visitor(stage).send(path).follow()
    assert "may still reach you" in visitor.text
    ((stopped, shown),) = re.findall(r'<time datetime="([^"]+)">([^<]+)<', visitor.text)
    here = ZoneInfo("Asia/Kolkata")
    assert shown == f"{datetime.fromisoformat(stopped).astimezone(here):%Y-%m-%d %H:%M:%S} (Asia/Kolkata)"
    assert f"<li>{set_out.astimezone(here):%Y-%m-%d %H:%M:%S} (Asia/Kolkata)</li>" in visitor.text
    assert people(stage) == [("stopped", "opted_out"), ("active", None)]


@pytest.mark.parametrize(
    "changed", [lambda t: t[:-9], lambda t: t[:30] + ("B" if t[30] != "B" else "C") + t[31:], lambda _: "x"]
)
def test_a_forged_or_cut_link_changes_nothing_and_says_so(stage: Stage, box: UUID, changed: object) -> None:
    start(stage, box)
    path = "/o/" + changed(link_of(stage).removeprefix("/o/"))  # type: ignore[operator]  # a function of the token
    visitor = Visitor(stage).get(path)
    assert visitor.status == 404
    assert "This link does not work" in visitor.text
    visitor.send_unsaid(path, None, **ONE_CLICK)
    assert visitor.status == 404
    assert people(stage) == [("active", None)]


def test_a_token_of_one_organization_never_acts_on_another(stage: Stage, box: UUID) -> None:
    start(stage, box)
    other = World(stage.world.database)
    (stranger,) = other.candidates(1)
    mine = stage.only(Candidate, organization_id=stage.world.organization_id).id
    for organization, candidate in [(other.organization_id, mine), (stage.world.organization_id, stranger)]:
        token = opt_out_tokens.token(stage.runtime.web_keys, OptOut(organization, candidate, uuid4()))
        visitor = Visitor(stage).send_unsaid(f"/o/{token}", None, **ONE_CLICK)
        assert visitor.status == 404
    assert people(stage) == [("active", None)]
    assert stage.count(Suppression) == 0


def test_full_stops_and_brackets_around_the_link_do_no_harm(stage: Stage, box: UUID) -> None:
    start(stage, box)
    assert Visitor(stage).get(f"{link_of(stage)}).").status == 200


def test_the_page_is_in_the_browsers_language_and_names_no_product(stage: Stage, box: UUID) -> None:
    start(stage, box)
    visitor = Visitor(stage).get(link_of(stage), headers={"Accept-Language": "de-AT,en;q=0.5"})
    assert "Alle E-Mails beenden" in visitor.text
    assert '<html lang="de">' in visitor.text
    assert "onbehalf" not in visitor.text.lower()
    assert visitor.headers["referrer-policy"] == "no-referrer"
    assert "form-action 'self';" in visitor.headers["content-security-policy"]


def test_every_language_has_every_form(stage: Stage) -> None:
    for words in WORDS.values():
        assert len(words.stopped) == 3
        assert "{n}" in words.stopped[2]
        assert len(words.doubt) == 2
        assert "{organization}" in words.ask
    assert language_of("xx, fr;q=0.4, nl;q=0.9") == "nl"
    assert language_of("xx;q=a,,") == language_of("") == "en"
    assert language_of("de;q=0, es") == "es"


def test_tokens_of_an_older_key_work_until_it_is_removed() -> None:
    old, new = b"o" * 32, b"n" * 32
    who = OptOut(uuid4(), uuid4(), uuid4())
    token = opt_out_tokens.token(KeyRing((old,)), who)
    assert opt_out_tokens.read(KeyRing((new, old)), token) == who
    assert opt_out_tokens.read(KeyRing((new,)), token) is None
    assert opt_out_tokens.found_in(KeyRing((old,)), f"RE: opt-out {token}") == (token, who)
    assert opt_out_tokens.found_in(KeyRing((old,)), f"opt-out {token[:-1]}") is None
