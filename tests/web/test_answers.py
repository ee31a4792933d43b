"""Settings of answers and opt-outs, and a person's page with the decisions about what came in."""

from uuid import UUID

import pytest

from lab.access_records import Organization
from lab.listening_records import IncomingMessage
from lab.records import Candidate, Sequence
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli  # noqa: F401 - a fixture
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account
from tests.workers.test_read_mailbox import answers, statuses

HERE = "/settings/answers"


@pytest.fixture
def ada(stage: Stage) -> UUID:
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    return ada


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return member(stage, "Rita Recruiter")


def visit(stage: Stage, who: UUID, path: str = HERE) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, who)).get(path)


def start(stage: Stage, owner: UUID) -> UUID:
    """One person has had the first email. Returns the mailbox."""
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H")))
    stage.send_due()
    return box


def settings(stage: Stage) -> tuple[str, int, str | None]:
    return stage.only(Organization).answers


def of_sequence(stage: Stage) -> tuple[str | None, str | None]:
    found = stage.only(Sequence)
    return found.stop_scope, found.opt_out_line


@pytest.mark.row("F1", "N18")
def test_settings_are_saved_and_count_for_the_next_email(stage: Stage, ada: UUID) -> None:
    visitor = visit(stage, ada).send(
        HERE, stop="organization", away_days="7", words="own", line="Write to us no more"
    )
    assert "Saved." in visitor.follow().text
    assert settings(stage) == ("organization", 7, "Write to us no more")
    start(stage, ada)
    (email,) = stage.left()
    assert "Write to us no more" in email.body
    assert "stop these emails here" not in email.body
    visitor.send(HERE, stop="organization", away_days="7", words="ours", line="kept in the field")
    assert settings(stage) == ("organization", 7, None)


def test_without_a_line_the_headers_lead_to_the_page_all_the_same(stage: Stage, ada: UUID) -> None:
    visit(stage, ada).send(HERE, stop="sequence", away_days="5", words="none", line="")
    start(stage, ada)
    (email,) = stage.left()
    assert "/o/" not in email.body
    assert "/o/" in email.headers["List-Unsubscribe"]
    assert "mailto:" in email.headers["List-Unsubscribe"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"away_days": "0"}, "0 is no number of days to wait. Give 1 to 60 business days."),
        ({"away_days": "many"}, "That is no number of days."),
        ({"stop": "x"}, "Nothing is chosen."),
        ({"words": "own", "line": " "}, "The line is empty."),
        ({"words": "own", "line": "Stop {{first_name}}"}, "The line holds a field or a link."),
        ({"words": "own", "line": "x" * 201}, "The line has 201 characters."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    stage: Stage, ada: UUID, changed: dict[str, str], said: str
) -> None:
    fields = {"stop": "sequence", "away_days": "5", "words": "ours", "line": ""} | changed
    visitor = visit(stage, ada).send(HERE, None, **fields)
    assert visitor.status == 422
    assert said in visitor.text
    assert settings(stage) == ("sequence", 5, None)


def test_a_sequence_says_otherwise_than_its_organization(stage: Stage, rita: UUID) -> None:
    start(stage, rita)
    sequence = stage.only(Sequence).id
    own = f"/sequences/{sequence}/answers"
    visitor = visit(stage, rita, own)
    assert "As your organization says: they get no more emails of this sequence" in visitor.text
    assert own in visitor.get(f"/sequences/{sequence}/settings").text
    visitor.send(own, stop="organization", words="own", line="No more of these")
    assert "Saved." in visitor.follow().text
    assert of_sequence(stage) == ("organization", "No more of these")
    stage.world.enroll(sequence)
    stage.send_due()
    assert "No more of these" in stage.left()[-1].body
    visitor.send(own, stop="", words="organization", line="")
    assert of_sequence(stage) == (None, None)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"stop": "x"}, "Nothing is chosen."), ({"words": "own", "line": " "}, "The line is empty.")],
)
def test_what_is_wrong_with_a_sequences_settings_is_said(
    stage: Stage, rita: UUID, changed: dict[str, str], said: str
) -> None:
    start(stage, rita)
    fields = {"stop": "", "words": "organization", "line": ""} | changed
    visitor = visit(stage, rita).send(f"/sequences/{stage.only(Sequence).id}/answers", None, **fields)
    assert visitor.status == 422
    assert said in visitor.text
    assert of_sequence(stage) == (None, None)


def test_members_who_do_not_manage_cannot_change_settings(stage: Stage, rita: UUID) -> None:
    assert visit(stage, rita).status == 403


def test_an_answer_is_overruled_on_the_persons_page(stage: Stage, rita: UUID) -> None:
    box = start(stage, rita)
    answers(stage, box, stage.only(Candidate).email)
    stage.read(box)
    stage.run_outbox()
    person = stage.only(Candidate).id
    visitor = visit(stage, rita, f"/people/{person}")
    assert "Answered" in visitor.text
    message = stage.only(IncomingMessage).id
    visitor.send(f"/people/{person}/messages/{message}/overrule", reason="")
    assert visitor.status == 422
    assert "A reason is missing. Write what the message really is." in visitor.text
    visitor.send(f"/people/{person}/messages/{message}/overrule", reason="A newsletter").follow()
    assert "Overruled. The person continues in 1 sequence." in visitor.text
    assert "A newsletter" in visitor.text
    assert statuses(stage) == [("active", None)]


@pytest.mark.row("N16")
def test_a_proposed_opt_out_is_confirmed_on_the_persons_page(stage: Stage, rita: UUID) -> None:
    box = start(stage, rita)
    answers(
        stage,
        box,
        stage.only(Candidate).email,
        text="Please remove me from your list.",
    )
    stage.read(box)
    found = stage.only(IncomingMessage)
    person, message = found.candidate_id, found.id
    visitor = visit(stage, rita, f"/people/{person}")
    assert "Opt-out proposed" in visitor.text
    visitor.send(f"/people/{person}/messages/{message}/confirm").follow()
    assert "Nobody can write to this person any more." in visitor.text
    assert statuses(stage) == [("stopped", "opted_out")]


def test_somebody_elses_person_is_not_shown_and_not_decided_on(stage: Stage, rita: UUID, ada: UUID) -> None:
    box = start(stage, rita)
    answers(stage, box, stage.only(Candidate).email)
    stage.read(box)
    found = stage.only(IncomingMessage)
    person, message = found.candidate_id, found.id
    theo = member(stage, "Theo Marsh")
    visitor = visit(stage, theo, f"/people/{person}")
    assert visitor.status == 404
    visitor.send(f"/people/{person}/messages/{message}/overrule", reason="mine now")
    assert visitor.status == 404
    assert statuses(stage) == [("stopped", "answered")]
    assert visit(stage, ada, f"/people/{person}").status == 200


def test_the_commands_show_and_set_and_overrule(
    stage: Stage,
    cli: Cli,  # noqa: F811
    rita: UUID,
) -> None:
    organization, box = stage.only(Organization).name, start(stage, rita)
    said = cli("organization", "answers", organization, "--stop", "organization", "--away-days", "9").output
    assert "An answer ends: all sequences." in said
    assert settings(stage) == ("organization", 9, None)
    assert cli("organization", "answers", organization, "--away-days", "99").exit_code == 2
    sequence = stage.only(Sequence).name
    said = cli("sequence", "answers", sequence, "--stop", "sequence", "--opt-out-line", "").output
    assert "An answer ends: the sequence." in said
    assert of_sequence(stage) == ("sequence", "")
    cli("sequence", "answers", sequence, "--as-organization")
    assert of_sequence(stage) == (None, None)
    answers(stage, box, stage.only(Candidate).email)
    stage.read(box)
    message = stage.only(IncomingMessage).id
    assert str(message) in cli("inbox", "list", organization).output
    assert cli("inbox", "confirm", organization, str(message)).exit_code == 1
    done = cli("inbox", "overrule", organization, str(message), "--because", "a newsletter")
    assert "Overruled. The person continues in 1 sequence." in done.output
    assert statuses(stage) == [("active", None)]


def test_what_somebody_else_saved_meanwhile_is_shown_and_not_replaced(
    stage: Stage, ada: UUID, rita: UUID
) -> None:
    start(stage, rita)
    mine = {"stop": "sequence", "away_days": "9", "words": "ours", "line": ""}
    first, second = visit(stage, ada), visit(stage, ada)
    read = second.hidden("version")
    first.send(HERE, stop="organization", away_days="7", words="ours", line="", version=read)
    second.send(HERE, None, version=read, **mine)
    assert second.status == 409
    assert "Nothing was saved." in second.text
    assert "It is now: an answer ends all sequences, 7 business days of waiting" in second.text
    assert settings(stage) == ("organization", 7, None)
    second.send(HERE, None, version=second.hidden("version"), **mine)
    assert settings(stage) == ("sequence", 9, None)

    own = f"/sequences/{stage.only(Sequence).id}/answers"
    first, second = visit(stage, rita, own), visit(stage, rita, own)
    read = second.hidden("version")
    first.send(own, stop="organization", words="none", line="", version=read)
    second.send(own, stop="sequence", words="organization", line="", version=read)
    assert second.status == 409
    assert "they get no more emails of any sequence; no line." in second.text
    assert of_sequence(stage) == ("organization", "")
