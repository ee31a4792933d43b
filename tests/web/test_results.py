"""Repeating a form answers the same, reloading does nothing, and a withdrawal's result stays readable."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from actions import withdraw
from lab.access_records import Grant, Mailbox, PageResult, Withdrawal
from lab.records import Notice
from lab.stage import Stage
from lab.tables import ago
from tests.web.test_sequences_settings import PAGE, at_settings, member
from tests.web.visitor import Visitor, email_of, known_account


@pytest.fixture
def office(stage: Stage) -> tuple[UUID, UUID, UUID, UUID]:
    """Hans, Rita who sends from his mailbox, the permission, and her sequence to two people."""
    hans, rita = member(stage, "Hans Holder"), member(stage, "Rita Recruiter")
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, rita)
    sequence_id = stage.world.sequence(rita, box, ("P1D",))
    stage.world.enroll(sequence_id, 2)
    return hans, rita, grant, sequence_id


def test_ending_a_permission_twice_or_at_once_leads_to_one_result_that_can_be_read_again(
    stage: Stage, office: tuple[UUID, UUID, UUID, UUID]
) -> None:
    hans, rita, grant, _ = office
    link = f"{PAGE}/grants/{grant}/revoke"
    first, second = (at_settings(stage, hans) for _ in range(2))
    with ThreadPoolExecutor() as clicks:  # a double click
        answers = list(clicks.map(lambda visitor: visitor.send(link), (first, second)))
    assert {answer.status for answer in answers} == {303}
    assert len({answer.url for answer in answers}) == 1
    here = answers[0].url
    assert "2 emails" in first.follow().text
    assert "nothing can leave now" in first.get(here).text  # again
    assert first.get(link).url == here  # Back to the question
    ada = stage.world.member("Ada Admin", role="admin")
    known_account(stage, email_of(stage, ada))
    admins = Visitor(stage).sign_in(email_of(stage, ada)).get("/settings/email")
    assert admins.send(f"/settings/email/grants/{grant}/end").url == here  # a second admin
    assert admins.get(here).status == 200
    assert at_settings(stage, rita).get(here).status == 200  # whose permission it was
    assert at_settings(stage, member(stage, "Mona Member")).get(here).status == 404
    assert stage.count(Withdrawal) == 1


@pytest.mark.parametrize("way", ["remove", "pause", "disable"])
def test_every_withdrawal_of_a_page_can_be_repeated(
    stage: Stage, office: tuple[UUID, UUID, UUID, UUID], way: str
) -> None:
    hans, rita, _, sequence_id = office
    who, path = {
        "remove": (hans, f"{PAGE}/remove"),
        "pause": (rita, f"/sequences/{sequence_id}/pause"),
        "disable": (hans, "/settings/mail-server/mine/disable"),
    }[way]
    visitor = at_settings(stage, who)
    for _ in range(2):
        assert visitor.send(path).status == 303
        assert "nothing can leave now" in visitor.follow().text
    assert stage.only(Withdrawal).stopped == 2
    assert visitor.get(path).status in (200, 303)  # its address, opened by itself


def test_what_was_in_doubt_is_completed_on_the_page_when_it_is_found(
    stage: Stage, office: tuple[UUID, UUID, UUID, UUID]
) -> None:
    hans, _, grant, _ = office
    stage.later(2 * 86400)
    stage.emulator.control.fault("POST /me/messages/{id}/send", when="after", reset=True, times=2)
    stage.send_due()
    withdraw.revoke_grant(stage.runtime, grant, actor="Hans Holder")
    found = stage.only(Withdrawal)
    assert len(found.in_doubt) == 2
    visitor = at_settings(stage, hans).get(f"/withdrawals/{found.id}")
    assert "Complete except 2 emails in doubt" in visitor.text
    assert visitor.headers["refresh"] == "5"
    stage.emulator.control.clear_faults()
    for _ in range(4):
        stage.later(60)
        stage.look()
    visitor.get(f"/withdrawals/{found.id}")
    assert "<strong>Complete.</strong>" in visitor.text
    assert visitor.text.count("It left") == 2
    assert "refresh" not in visitor.headers


def test_the_question_the_answer_and_the_notice_count_alike(
    stage: Stage, office: tuple[UUID, UUID, UUID, UUID]
) -> None:
    hans, rita, _, _ = office
    box = stage.only(Mailbox).id
    other = stage.world.sequence(rita, box, ("P1D",))
    gone = stage.world.enroll(other, 3)
    withdraw.stop_enrollment(stage.runtime, gone[0], actor="Rita", reason="replied")  # no longer relevant
    withdraw.pause_sequence(stage.runtime, other, actor="Olga", reason="holidays")
    visitor = at_settings(stage, hans)
    assert "2 sequences with 4 people" in visitor.get(f"{PAGE}/remove").text
    assert "already paused" in visitor.text
    visitor.send(f"{PAGE}/remove").follow()
    assert "<dd>4 emails</dd>" in visitor.text
    stage.run_outbox()
    heard = stage.all(Notice, owner_id=rita, channel="in_app")
    (notice,) = [each for each in heard if "removed" in each.title]
    assert notice.body.count("2 people waiting") == 2


def test_a_test_has_a_page_of_its_own_for_who_made_it(
    stage: Stage, office: tuple[UUID, UUID, UUID, UUID]
) -> None:
    visitor = at_settings(stage, office[0])
    here = visitor.send(f"{PAGE}/test").url
    for _ in range(2):
        assert "Test email sent successfully" in visitor.get(here).text
    assert len(stage.left()) == 1
    assert at_settings(stage, office[1]).get(here).status == 404


def test_what_a_form_said_is_gone_from_a_bookmark(
    stage: Stage, office: tuple[UUID, UUID, UUID, UUID]
) -> None:
    hans, _, grant, _ = office
    stage.put(Grant, grant, archived_at=ago(), archived_reason="revoked")
    visitor = at_settings(stage, hans).get(f"{PAGE}/grants/new")
    here = visitor.send(f"{PAGE}/grants", to=str(office[1]), until="2099-12-31").url
    assert "Permission given to Rita Recruiter" in visitor.follow().text
    stage.older(PageResult, "created_at", minutes=5)
    assert "Permission given to" not in visitor.get(here).text


@pytest.mark.parametrize(
    ("path", "fields", "kept", "field"),
    [
        (f"{PAGE}/grants", {"to": "everyone", "until": "2001-01-01", "a_day": "7"}, 'value="7"', "until"),
        (f"{PAGE}/grants", {"to": "", "a_day": "7"}, 'value="7"', "to"),
        (f"{PAGE}/requests", {"mailbox": "nobody@acme.example", "words": "For <you>"}, "For &lt;you&gt;", "mailbox"),
        ("/settings/mail-server/mine", {"host": "smtp.acme.example", "port": "587", "account": "a@b.example", "encryption": "tls",
         "password": "secret-word"}, 'value="smtp.acme.example"', "account"),
        ("/settings/mail-server/mine/microsoft", {"host": "mail.evil.example", "port": "587"}, "mail.evil.example", "mhost"),
    ],
)  # fmt: skip
def test_a_form_that_is_refused_keeps_what_was_typed_and_says_so_beside_its_field(
    stage: Stage,
    office: tuple[UUID, UUID, UUID, UUID],
    path: str,
    fields: dict[str, str],
    kept: str,
    field: str,
) -> None:
    from dataclasses import replace

    stage.runtime.settings = replace(stage.runtime.settings, graph_url="https://graph.microsoft.com")
    visitor = at_settings(stage, office[0])
    visitor.send(path, None, **fields)
    assert visitor.status == 422
    assert kept in visitor.text
    assert f'id="{field}-error"' in visitor.text
    assert 'aria-invalid="true" autofocus' in visitor.text
    assert f"{field}-error" in visitor.text.partition('aria-describedby="')[2]
    assert "<title>Error: " in visitor.text
    assert "secret-word" not in visitor.text
    assert visitor.get(path).follow().status == 200  # its address, opened by itself


def test_machines_get_their_files(stage: Stage) -> None:
    stranger = Visitor(stage).get("/robots.txt")
    assert (stranger.status, stranger.text) == (200, "User-agent: *\nDisallow: /\n")
    assert Visitor(stage).get("/favicon.ico").url == "/static/icon.svg"
