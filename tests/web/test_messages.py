"""Messages and conversations: who sees what, filed with one click, hostile mail made safe, and emails written by hand."""

import re
from typing import Any
from uuid import UUID

import pytest

from db.core.session import database_now
from db.sending.enrollments import enroll_many
from lab.listening_records import IncomingMessage
from lab.records import Candidate, Enrollment, Suppression
from lab.stage import Stage
from lab.tables import ago, ahead
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account

HOSTILE = (
    '<p onclick="x()">Tell me <b>more</b>.</p><script>alert(1)</script><img src="https://spy.example/p.gif">'
    '<form action="https://spy.example"><input name="a"></form><a href="javascript:x()">here</a>'
)


@pytest.fixture
def hans(stage: Stage) -> UUID:
    return member(stage, "Hans Holder")


@pytest.fixture
def box(stage: Stage, hans: UUID) -> UUID:
    return stage.mailbox(hans)


@pytest.fixture
def rita(stage: Stage, box: UUID) -> UUID:
    """She sends from the mailbox of Hans, and somebody has had her first email."""
    rita = member(stage, "Rita Recruiter")
    stage.world.grant(box, rita)
    sequence = stage.world.sequence(rita, box, ("PT0S", "P1D"))
    stage.world.enroll(
        sequence, email="priya@kestrel.example", first_name="Priya", last_name="Raman", title="Staff engineer"
    )
    stage.send_due()
    return rita


def visit(stage: Stage, who: UUID, path: str = "/messages") -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, who)).get(path)


def answers(stage: Stage, box: UUID, **values: Any) -> UUID:
    """The person answers the email that left; returns the message that we keep."""
    entry = stage.left()[0]
    quoted = "\n".join(f"> {line}" for line in entry.body.strip().splitlines())
    given = {
        "sender": entry.to[0],
        "from_name": "Priya Raman",
        "subject": f"Re: {entry.subject}",
        "text": f"Tell me more.\n\nOn Thu 19 Nov, Hans wrote:\n{quoted}",
        "in_reply_to": entry.internet_message_id,
    } | values
    stage.emulator.control.incoming(stage.address(box), **given)
    stage.read(box)
    return stage.all(IncomingMessage)[-1].id


def priya(stage: Stage) -> str:
    return f"/people/{stage.only(Candidate).id}/messages"


def person(stage: Stage) -> str:
    return f"/people/{stage.only(Candidate).id}"


def classes(stage: Stage) -> list[tuple[str | None, str | None]]:
    return [(each.answer_class, each.handled_by) for each in stage.all(IncomingMessage)]


@pytest.mark.row("P46", "E5", "N12", "N13")
def test_an_answer_waits_is_read_without_leaving_and_filed_with_one_click(
    stage: Stage, rita: UUID, box: UUID
) -> None:
    message = answers(stage, box, attachments={"cv.pdf": "x" * 4000})
    visitor = visit(stage, rita)
    assert 'Waiting <span class="badge">1</span>' in visitor.text
    assert "Priya Raman" in visitor.text
    assert "Tell me more." in visitor.text
    assert re.search(r"cv\.pdf</bdi> \(4 KB\)", visitor.text)
    new, _, folded = visitor.text.partition("<summary>With quoted text</summary>")
    assert "On Thu 19 Nov" not in new
    assert "On Thu 19 Nov" in folded
    visitor.send(f"/messages/{message}/class", answer="interested").follow()
    assert "Priya Raman: Interested." in visitor.text
    assert "No answer is waiting." in visitor.text
    assert classes(stage) == [("interested", "Rita Recruiter")]
    assert "Interested" in visitor.get("/messages?which=done").text
    visitor.send(f"/messages/{message}/class", answer="not_now").follow()
    assert classes(stage) == [("not_now", "Rita Recruiter")]
    assert visitor.get("/messages?which=done&q=raman").text.count("data-message") == 1
    assert "No message matches" in visitor.get("/messages?which=done&q=nobody").text


def test_an_unclear_message_becomes_an_answer_once_somebody_files_it(
    stage: Stage, rita: UUID, box: UUID
) -> None:
    message = answers(stage, box)
    stage.put(IncomingMessage, kind="unclear")
    stage.put(Candidate, unclear_until=ahead(days=1))
    stage.overwrite(Enrollment, status="active", reason=None, paused_at=None)
    visitor = visit(stage, rita, "/messages?which=unclear")
    assert "Filing it says that it is an answer" in visitor.text
    visitor.send(f"/messages/{message}/class", answer="no", which="unclear").follow()
    assert stage.only(Enrollment).standing == ("stopped", "answered")
    assert stage.only(Candidate).unclear_until is None


def test_a_proposed_opt_out_is_accepted_with_one_click(stage: Stage, rita: UUID, box: UUID) -> None:
    message = answers(stage, box, text="Please do not write to me again.")
    visitor = visit(stage, rita)
    assert "Opt-out proposed" in visitor.text
    visitor.send(f"/messages/{message}/decide", decision="opt_out").follow()
    assert "Priya Raman gets no more emails." in visitor.text
    assert "No answer is waiting." in visitor.text
    entry = stage.only(Suppression)
    assert (entry.value, entry.reason) == ("priya@kestrel.example", "opt_out")
    assert "suppression list" in visitor.get(priya(stage)).text


@pytest.mark.parametrize(
    ("decision", "standing", "said", "filed"),
    [
        ("no", ("stopped", "answered"), "Priya Raman: No.", [("no", "Rita Recruiter")]),
        ("neither", ("stopped", "answered"), "Say what kind of answer it is", [(None, None)]),
    ],
)
def test_a_proposed_opt_out_is_just_a_no_or_neither_with_one_click(
    stage: Stage,
    rita: UUID,
    box: UUID,
    decision: str,
    standing: tuple[str, str],
    said: str,
    filed: list[tuple[str | None, str | None]],
) -> None:
    message = answers(stage, box, text="Please do not write to me again.")
    assert stage.only(Enrollment).standing == ("paused", "opt_out_proposed")
    visitor = visit(stage, rita)
    visitor.send(f"/messages/{message}/decide", decision=decision).follow()
    assert said in visitor.text
    assert stage.count(Suppression) == 0
    assert stage.only(Enrollment).standing == standing
    assert classes(stage) == filed
    visitor.send(f"/messages/{message}/decide", decision="opt_out").follow()
    assert "not an opt-out that waits for a decision" in visitor.text
    assert stage.count(Suppression) == 0


def test_a_no_to_one_sequence_lets_the_others_continue(stage: Stage, rita: UUID, box: UUID) -> None:
    message = answers(stage, box, text="Please do not write to me again.")
    other = stage.world.sequence(rita, box, ("P1D",))
    with stage.world.database.transaction() as tx:
        enroll_many(tx, other, [stage.only(Candidate).id], database_now(tx))
    stage.put(
        Enrollment,
        stage.only(Enrollment, sequence_id=other).id,
        status="paused",
        reason="opt_out_proposed",
        paused_at=ago(),
    )
    visit(stage, rita).send(f"/messages/{message}/decide", decision="no")
    assert stage.only(Enrollment, sequence_id=other).standing == ("active", None)


def test_an_unclear_message_is_no_answer_with_one_click(stage: Stage, rita: UUID, box: UUID) -> None:
    message = answers(stage, box)
    stage.put(IncomingMessage, kind="unclear")
    stage.put(Candidate, unclear_until=ahead(days=1))
    stage.overwrite(Enrollment, status="active", reason=None, paused_at=None)
    visitor = visit(stage, rita, "/messages?which=unclear")
    assert "No answer" in visitor.text
    for said in ("Priya Raman continues", "has decided on this message already"):
        visitor.send(f"/messages/{message}/decide", decision="no_answer", which="unclear").follow()
        assert said in visitor.text
    assert stage.only(Candidate).unclear_until is None
    assert stage.only(Enrollment).status == "active"


def test_who_is_concerned_sees_it_and_strangers_find_nothing(
    stage: Stage, hans: UUID, rita: UUID, box: UUID
) -> None:
    message = answers(stage, box)
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    otto = member(stage, "Otto Outsider")
    for who in (rita, hans):
        assert "Tell me more." in visit(stage, who).text
        assert "Tell me more." in visit(stage, who, priya(stage)).text
    assert "No answer is waiting." in visit(stage, ada).text
    assert "Tell me more." in visit(stage, ada, "/messages?whose=all").text
    assert "Tell me more." in visit(stage, ada, priya(stage)).text
    stranger = visit(stage, otto, "/messages?whose=all")
    assert "No answer is waiting." in stranger.text
    assert stranger.get(priya(stage)).status == 404
    assert stranger.send(f"/messages/{message}/class", answer="no").status == 404
    assert stranger.send(priya(stage), text="Hello", subject="Hello", sender=str(box)).status == 404
    assert classes(stage) == [(None, None)]


def test_a_mailbox_owner_sees_only_what_is_in_their_mailbox(
    stage: Stage, hans: UUID, rita: UUID, box: UUID
) -> None:
    answers(stage, box)
    other = stage.mailbox(rita)
    candidate = stage.only(Candidate).id
    sequence = stage.world.sequence(rita, other, body="From another mailbox.")
    with stage.world.database.transaction() as tx:
        enroll_many(tx, sequence, [candidate], database_now(tx))
    stage.send_due()
    assert "From another mailbox." in visit(stage, rita, priya(stage)).text
    text = visit(stage, hans, priya(stage)).text
    assert "Tell me more." in text
    assert "From another mailbox." not in text
    assert "You see what is in your own mailbox." in text


def test_a_persons_page_and_their_conversation_have_the_same_visitors_and_lead_to_each_other(
    stage: Stage, hans: UUID, rita: UUID, box: UUID
) -> None:
    message = answers(stage, box)
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    page, conversation = person(stage), priya(stage)
    for who in (rita, hans, ada):
        visitor = visit(stage, who, page)
        assert "It answers our email by its Message-ID." in visitor.text
        assert f'href="{conversation}"' in visitor.text
        assert f'href="{page}"' in visitor.get(conversation).text
    stranger = visit(stage, member(stage, "Otto Outsider"), page)
    assert stranger.status == 404
    assert stranger.get(conversation).status == 404
    for decision in ("overrule", "confirm"):
        assert stranger.send(f"{page}/messages/{message}/{decision}", reason="mine").status == 404
    assert stage.only(Enrollment).standing == ("stopped", "answered")


def test_whose_mailbox_wrote_sees_and_decides_on_what_came_into_it_and_nothing_else(
    stage: Stage, hans: UUID, rita: UUID, box: UUID
) -> None:
    other = stage.mailbox(rita)
    candidate = stage.only(Candidate).id
    sequence = stage.world.sequence(rita, other, body="From another mailbox.")
    with stage.world.database.transaction() as tx:
        enroll_many(tx, sequence, [candidate], database_now(tx))
    stage.send_due()
    message = answers(stage, other, subject="For Rita alone", in_reply_to=stage.left()[1].internet_message_id)
    assert "Overrule" in visit(stage, rita, person(stage)).text
    visitor = visit(stage, hans, person(stage))
    assert "You see what is in your own mailbox." in visitor.text
    assert "From another mailbox." not in visitor.text
    assert "For Rita alone" not in visitor.text
    assert "Overrule" not in visitor.text
    assert visitor.send(f"{person(stage)}/messages/{message}/overrule", reason="mine").status == 404


def test_hostile_mail_is_shown_without_anything_that_acts_or_is_fetched(
    stage: Stage, rita: UUID, box: UUID
) -> None:
    answers(stage, box, text="", html=HOSTILE, subject="<script>alert(2)</script>", from_name="<img src=x>")
    for path in ("/messages", priya(stage)):
        visitor = visit(stage, rita, path)
        assert "<b>more</b>" in visitor.text
        for bad in ("alert(1)", "<script>alert", "spy.example", "onclick", "javascript:", "<img src=x"):
            assert bad not in visitor.text
        policy = visitor.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src 'self'; connect-src 'self'" in policy


@pytest.mark.row("P45")
def test_an_email_is_written_in_the_conversation_and_sent_once(stage: Stage, rita: UUID, box: UUID) -> None:
    answers(stage, box)
    visitor = visit(stage, rita, priya(stage))
    options = re.findall(r'<option value="([^"]+)">([^<]+)', visitor.text)
    assert [label.partition(", ")[2] for _, label in options] == [
        "in this thread: Re: A role at Acme",
        "new thread",
    ]
    (key,) = re.findall('name="key" value="([^"]+)"', visitor.text)
    letter = {"key": key, "sender": options[0][0], "text": "Gladly, {{first_name}}."}
    for _ in range(2):
        visitor.send(priya(stage), None, **letter).follow()
        assert "Your email to Priya Raman leaves as soon as its checks are done." in visitor.text
    assert "Written by hand by" in visitor.text
    stage.send_due()
    (_, entry) = stage.left()
    assert "Gladly, Priya." in entry.body
    assert entry.in_reply_to == f"<{stage.only(IncomingMessage).message_id}>"
    text = visitor.get(priya(stage)).text
    assert [text.index(each) for each in ("this is step 1", "Tell me more.", "Gladly, Priya.")] == sorted(
        text.index(each) for each in ("this is step 1", "Tell me more.", "Gladly, Priya.")
    )
    assert "Email by hand" not in visitor.get("/sequences").text


def test_a_refused_email_keeps_what_was_typed_and_says_what_is_wrong(
    stage: Stage, rita: UUID, box: UUID
) -> None:
    visitor = visit(stage, rita, priya(stage))
    visitor.send(priya(stage), sender=str(box), text="A long letter {{nickname}}.", subject="Hello", key="k")
    assert visitor.status == 422
    assert "A long letter {{nickname}}." in visitor.text
    assert "nickname" in visitor.text
    visitor.send(priya(stage), sender=str(box), text="Hello", key="k")
    assert "A new email needs a subject." in visitor.text


def test_an_email_that_waits_is_cancelled_and_never_leaves(stage: Stage, rita: UUID, box: UUID) -> None:
    visitor = visit(stage, rita, priya(stage))
    visitor.send(priya(stage), sender=str(box), text="Too early", subject="Hello", key="k").follow()
    (path,) = re.findall(r'action="(/people/[^"]+/cancel)"', visitor.text)
    visitor.send(path).follow()
    assert "Cancelled. It cannot leave any more." in visitor.text
    stage.send_due()
    assert len(stage.left()) == 1


def test_automatic_replies_bounces_and_mail_of_the_owner_are_part_of_the_conversation(
    stage: Stage, rita: UUID, box: UUID
) -> None:
    answers(
        stage,
        box,
        text="I am away until 4 December.",
        subject="Automatic reply",
        headers={"Auto-Submitted": "auto-replied"},
    )
    stage.emulator.control.wrote_by_hand(
        stage.address(box), "priya@kestrel.example", subject="By myself", text="Hi from Outlook"
    )
    stage.read(box)
    text = visit(stage, rita, priya(stage)).text
    assert "Automatic reply" in text
    assert "Written in the mailbox" in text


@pytest.mark.row("N9")
def test_a_mailbox_owner_sees_what_was_read_of_their_mailbox_and_nobody_elses(
    stage: Stage, hans: UUID, rita: UUID, box: UUID
) -> None:
    stage.emulator.control.newsletters(stage.address(box), 3)
    answers(stage, box)
    text = visit(stage, hans, "/settings/read").text
    assert re.search(r"<dt>Kept</dt><dd>1</dd>", text)
    assert int(re.findall(r"<dt>Seen</dt><dd>(\d+)</dd>", text)[0]) >= 4
    assert "Re: A role at Acme" in text
    assert "about <bdi>Priya Raman</bdi> · for <bdi>Rita Recruiter</bdi>" in text
    assert "It answers an email of ours." in text
    assert "newsletter" not in text.lower()
    assert "Re: A role at Acme" not in visit(stage, rita, "/settings/read").text
