"""Mail that came to a default address is its person's, with what follows, or nobody's yet; and nothing is dropped."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from actions import unassigned as decisions
from db.core.crypto import Seal
from db.events import outbox
from db.events.outbox import MAX_ENQUEUED
from db.listening import received, unassigned
from db.listening.received import Arrival, Recipient
from db.mailboxes import senders
from domain.errors import InvalidInput, NotFound, NotPermitted
from inbox.content import digest
from lab.listening_records import IncomingFile, IncomingMessage, ReceivedMail
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, OutboxJob, Receipt, Sequence, Suppression
from lab.stage import Stage
from lab.tables import ago, ahead
from scheduler import received_mail
from tests.transports.name_server import name_server
from workers import process_mail

RECORDS = {
    "example.org": ["v=spf1 ip4:192.0.2.0/24 -all"],
    "_dmarc.example.org": ["v=DMARC1; p=reject"],
}


@pytest.fixture(autouse=True)
def names(stage: Stage) -> Iterator[None]:
    """The DNS: mail from example.org comes from 192.0.2.0/24."""
    with name_server(RECORDS) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        yield


@pytest.fixture
def default_box(stage: Stage) -> UUID:
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "onbehalf.example")
        found = senders.sender_of(tx, stage.world.organization_id, None)
    assert found is not None
    return found


@pytest.fixture
def person(stage: Stage, default_box: UUID) -> str:
    """Somebody who has had the first of two emails from the default address."""
    sequence = stage.world.sequence(stage.world.member(), default_box, ("PT0S", "PT1H"))
    stage.put(Sequence, uses_sender_address=True)
    stage.world.enroll(sequence, 1)
    stage.send_due()
    stage.run_outbox()
    assert stage.world.states() == {"sent": 1, "pending": 1}
    address = stage.only(Candidate).email
    assert address.endswith("@example.org")
    return address


def comes(
    stage: Stage, box: UUID, letter: str, *, peer: str = "192.0.2.7", sender: str | None = None
) -> UUID:
    """It comes by SMTP, and is processed."""
    arrives(stage, box, letter, peer=peer, sender=sender)
    stage.run_outbox()
    return stage.all(ReceivedMail)[-1].id


def arrives(
    stage: Stage, box: UUID, letter: str, *, peer: str = "192.0.2.7", sender: str | None = None
) -> None:
    """It comes by SMTP, and nobody has processed it."""
    raw = letter.replace("\n", "\r\n").encode()
    envelope = "someone@example.org" if sender is None else sender
    arrival = Arrival(raw, digest(raw), envelope, peer, "mx.example.org", encrypted=True)
    seal = Seal(stage.world.keys.public_key)
    with stage.world.database.transaction() as tx:
        to = Recipient(stage.world.organization_id, box, stage.address(box))
        assert received.store(tx, seal, arrival, [to]) == 1


def letter(
    stage: Stage, sender: str, text: str = "Gladly. Call me.", *, headers: str = "", id_: int = 1
) -> str:
    return (
        f"From: Ann Adler <{sender}>\nTo: acme\nSubject: Re: Hi\nMessage-ID: <{id_}@example.org>\n"
        f"Date: Sun, 29 Nov 2026 05:58:23 +0000\n{headers}\n{text}\n"
    )


def ours(stage: Stage) -> str:
    return f"In-Reply-To: {stage.only(Receipt).internet_message_id}\n"


def kept(stage: Stage) -> list[tuple[str, str | None, str, str | None]]:
    return [
        (each.kind, each.matched_by, each.status, each.unassigned_reason)
        for each in stage.all(IncomingMessage)
    ]


def status(stage: Stage) -> tuple[str, str | None]:
    return stage.only(Enrollment).standing


@pytest.mark.row("P48")
def test_an_answer_to_an_email_of_the_default_service_ends_the_sequence_for_the_person(
    stage: Stage, default_box: UUID, person: str
) -> None:
    comes(stage, default_box, letter(stage, person, headers=ours(stage)))
    assert kept(stage) == [("answer", "message_id", "matched", None)]
    assert status(stage) == ("stopped", "answered")
    assert stage.world.states() == {"sent": 1, "closed": 1}
    assert "Cand0 answered" in {each.title for each in stage.notices()}


def test_no_follow_up_leaves_while_mail_to_its_address_is_not_processed(
    stage: Stage, default_box: UUID, person: str
) -> None:
    arrives(stage, default_box, letter(stage, "stranger@example.org"))
    stage.later(3600)
    stage.send_due()
    assert stage.world.states() == {"sent": 1, "pending": 1}
    assert stage.only(Delivery, state="pending").reason == "mailbox_not_read"
    stage.run_outbox()
    stage.later(120)
    stage.send_due()
    assert stage.world.states() == {"sent": 2}


def test_once_processed_its_raw_text_is_gone_and_pages_read_what_it_says(
    stage: Stage, default_box: UUID, person: str
) -> None:
    mail = comes(stage, default_box, letter(stage, person, headers=ours(stage)))
    done = stage.only(ReceivedMail, mail)
    assert done.processed_at is not None
    assert (done.raw, done.auth["spf"], done.failures) == (None, "pass", 0)
    message = stage.only(IncomingMessage).id
    with stage.world.database.transaction() as tx:
        text, _ = unassigned.text_of(tx, stage.runtime.web_keys, message)
    assert text.strip() == "Gladly. Call me."


def test_processing_twice_or_late_does_no_harm(stage: Stage, default_box: UUID, person: str) -> None:
    comes(stage, default_box, letter(stage, person, headers=ours(stage)))
    stage.put(OutboxJob, where={"kind": "process_mail"}, done_at=None, published_at=None)
    stage.run_outbox()
    assert len(kept(stage)) == 1
    stage.older(ReceivedMail, "received_at", days=2)
    comes(stage, default_box, letter(stage, person, headers=ours(stage)))
    assert len(kept(stage)) == 1


def test_emails_whose_senders_have_a_slow_dns_leave_room_to_read_other_mailboxes(
    stage: Stage, default_box: UUID, person: str
) -> None:
    room, mine = stage.runtime.limiter.mails, stage.world.organization_id
    while room.enter(mine):  # as many as may are being looked up
        pass
    arrives(stage, default_box, letter(stage, person, headers=ours(stage)))
    job = stage.only(OutboxJob, kind="process_mail", done_at=None).id
    for _ in range(MAX_ENQUEUED + 1):  # however long it waits, nobody gives it up
        stage.put(OutboxJob, job, available_at=ago(seconds=1))
        with stage.world.database.transaction() as tx:
            outbox.take_unpublished(tx)
        process_mail.process(stage.runtime, job)
    assert stage.only(ReceivedMail).raw is not None
    assert room.enter(uuid4())
    room.leave(mine)
    stage.run_outbox()
    assert status(stage) == ("stopped", "answered")
    assert room.enter(mine)  # it has left its place


@pytest.mark.row("P47", "N11")
def test_who_is_unknown_lands_in_unassigned_and_stops_nobody(
    stage: Stage, default_box: UUID, person: str
) -> None:
    comes(stage, default_box, letter(stage, "stranger@example.org"))
    assert kept(stage) == [("answer", None, "unassigned", "unknown_sender")]
    assert status(stage) == ("active", None)


# Who forges an address can hold a person for a day, and no more.
FORGED = [
    ("Please stop writing to me.", ""),
    ("Gladly.", ""),
    ("I am on leave until 2 March.", "Auto-Submitted: auto-replied\n"),
    ("I no longer work at Acme.", "Auto-Submitted: auto-replied\n"),
]


@pytest.mark.parametrize(("text", "headers"), FORGED)
def test_a_forged_sender_ends_nothing_and_puts_nobody_on_a_list(
    stage: Stage, default_box: UUID, person: str, text: str, headers: str
) -> None:
    comes(stage, default_box, letter(stage, person, text, headers=headers), peer="203.0.113.9")
    assert kept(stage) == [("unclear", "address", "matched", None)]
    assert status(stage) == ("active", None)
    assert stage.count(Suppression) == 0
    held = stage.only(Candidate)
    assert held.away_until is None
    assert held.unclear_until is not None
    assert held.unclear_until < ahead(hours=25)


def test_a_sender_whose_domain_vouches_is_believed_without_our_message_id(
    stage: Stage, default_box: UUID, person: str
) -> None:
    comes(stage, default_box, letter(stage, person))
    assert kept(stage) == [("answer", "address", "matched", None)]
    assert status(stage) == ("stopped", "answered")


@pytest.mark.parametrize("proven", [True, False])
def test_a_report_that_names_a_person_and_not_our_email_suppresses_nobody(
    stage: Stage, default_box: UUID, person: str, proven: bool
) -> None:
    """Anybody's server can prove its own name, and report what it likes of others."""
    report = (
        "From: postmaster@example.org\nTo: acme\nSubject: Undelivered\nMessage-ID: <r@example.org>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n\nNo such user.\n--b\n'
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
        f"Final-Recipient: rfc822; {person}\nAction: failed\nStatus: 5.1.1\n\n--b--\n"
    )
    comes(stage, default_box, report, peer="192.0.2.7" if proven else "203.0.113.9")
    assert kept(stage) == [("unclear", "address", "matched", None)]
    assert stage.count(Suppression) == 0
    assert status(stage) == ("active", None)


def test_a_report_by_our_message_id_ends_the_person_and_suppresses_the_address(
    stage: Stage, default_box: UUID, person: str
) -> None:
    id_ = stage.only(Receipt).internet_message_id
    report = (
        "From: postmaster@example.org\nTo: acme\nSubject: Undelivered\nMessage-ID: <r@example.org>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n\nNo such user.\n--b\n'
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
        f"Final-Recipient: rfc822; {person}\nAction: failed\nStatus: 5.1.1\n\n--b\n"
        f"Content-Type: text/rfc822-headers\n\nMessage-ID: {id_}\n\n--b--\n"
    )
    comes(stage, default_box, report, sender="", peer="203.0.113.9")
    assert kept(stage) == [("bounce", "message_id", "matched", None)]
    assert status(stage) == ("stopped", "bounced")


def test_a_provider_that_reports_a_complaint_has_the_address_listed_as_one(
    stage: Stage, default_box: UUID, person: str
) -> None:
    report = (
        f"From: complaints@example.org\nTo: acme\nSubject: complaint\nMessage-ID: <c@example.org>\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n--b\n\nMarked as spam.\n--b\n'
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Mail/1\nVersion: 1\n\n--b\n"
        f"Content-Type: message/rfc822\n\nMessage-ID: {stage.only(Receipt).internet_message_id}\n"
        f"To: {person}\n\nHi\n--b--"
    )
    comes(stage, default_box, report, sender="", peer="203.0.113.9")
    assert kept(stage) == [("opt_out", "message_id", "matched", None)]
    assert status(stage) == ("stopped", "opted_out")
    assert [(each.value, each.reason) for each in stage.all(Suppression)] == [(person, "complained")]


def test_what_is_no_email_is_kept_as_it_came(stage: Stage, default_box: UUID) -> None:
    comes(stage, default_box, "\x01\x02 nothing at all")
    assert kept(stage) == [("other", None, "unassigned", "unreadable")]
    message = stage.only(IncomingMessage).id
    with stage.world.database.transaction() as tx:
        (file,) = unassigned.files_of(tx, stage.runtime.web_keys, message)
    assert (file.name, file.content) == ("message.eml", b"\x01\x02 nothing at all")


def test_what_breaks_every_attempt_is_kept_as_it_came(
    stage: Stage, default_box: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(process_mail, "parse", broken)
    with pytest.raises(RuntimeError):
        comes(stage, default_box, letter(stage, "ann@example.org"))
    for _ in range(process_mail.MAX_ATTEMPTS - 1):
        stage.put(OutboxJob, where={"done_at": None}, published_at=None)
        with pytest.raises(RuntimeError):
            stage.run_outbox()
    assert kept(stage) == []
    stage.put(OutboxJob, where={"done_at": None}, published_at=None)
    stage.run_outbox()
    assert kept(stage) == [("other", None, "unassigned", "not_processed")]


def test_its_html_is_harmless_and_its_files_are_kept_by_name(stage: Stage, default_box: UUID) -> None:
    text = (
        "--b\nContent-Type: text/html\n\n<p>Hello</p><script>alert(1)</script><img src='https://spy.example/x'>\n"
        '--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename="../../etc/CV\u202e.pdf"\n'
        "Content-Transfer-Encoding: base64\n\nJVBERi0=\n--b--"
    )
    headers = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n'
    comes(stage, default_box, letter(stage, "ann@example.org", text, headers=headers))
    message = stage.only(IncomingMessage).id
    with stage.world.database.transaction() as tx:
        _, html = unassigned.text_of(tx, stage.runtime.web_keys, message)
        (file,) = unassigned.files_of(tx, stage.runtime.web_keys, message)
    assert html.strip() == "<p>Hello</p>"
    assert (file.name, file.content) == ("CV .pdf", b"%PDF-")
    assert stage.only(IncomingMessage).attachments[0]["name"] == "CV .pdf"


def test_another_organizations_person_is_nobodys_here(stage: Stage, default_box: UUID, person: str) -> None:
    from lab.factories import World

    other = World(stage.world.database)
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, other.organization_id, "onbehalf.example")
        theirs = senders.sender_of(tx, other.organization_id, None)
    raw = letter(stage, person, headers=ours(stage)).replace("\n", "\r\n").encode()
    arrival = Arrival(raw, digest(raw), person, "192.0.2.7", "mx.example.org", encrypted=True)
    assert theirs is not None
    with stage.world.database.transaction() as tx:
        received.store(
            tx, Seal(stage.world.keys.public_key), arrival, [Recipient(other.organization_id, theirs, "x")]
        )
    stage.run_outbox()
    assert kept(stage) == [("answer", None, "unassigned", "unknown_sender")]
    assert status(stage) == ("active", None)


def message_id(stage: Stage) -> UUID:
    return stage.all(IncomingMessage)[-1].id


@pytest.mark.row("P47", "N11")
def test_assigned_to_a_person_it_does_what_an_answer_does(
    stage: Stage, default_box: UUID, person: str
) -> None:
    comes(stage, default_box, letter(stage, "private@example.net", "Yes, please!"), peer="203.0.113.9")
    decisions.assign(stage.runtime, message_id(stage), person.upper(), actor="Rita")
    stage.run_outbox()
    assert kept(stage) == [("answer", None, "matched", "unknown_sender")]
    assert status(stage) == ("stopped", "answered")
    assert stage.only(AuditEntry, action="message_assigned").actor_name == "Rita"
    with pytest.raises(NotPermitted, match="matched already"):
        decisions.assign(stage.runtime, message_id(stage), person, actor="Rita")


def test_its_sender_becomes_a_person(stage: Stage, default_box: UUID) -> None:
    comes(stage, default_box, letter(stage, "ann@example.net"))
    made = decisions.make_candidate(stage.runtime, message_id(stage), actor="Rita")
    ann = stage.only(Candidate)
    assert (ann.id, ann.email, ann.first_name, ann.last_name) == (made, "ann@example.net", "Ann", "Adler")
    assert kept(stage)[0][2] == "matched"
    comes(stage, default_box, letter(stage, "ann@example.net", "Again", id_=2))
    assert kept(stage)[1][2:] == ("matched", None)


def test_discarded_with_a_reason_it_is_out_of_sight(stage: Stage, default_box: UUID) -> None:
    comes(stage, default_box, letter(stage, "shop@example.net"))
    with pytest.raises(InvalidInput, match="reason"):
        decisions.discard(stage.runtime, message_id(stage), because=" ", actor="Rita")
    decisions.discard(stage.runtime, message_id(stage), because="a newsletter", actor="Rita")
    with stage.world.database.transaction() as tx:
        assert unassigned.listing(tx, stage.world.organization_id) == []
        assert len(unassigned.listing(tx, None, status="discarded")) == 1
    assert stage.only(AuditEntry, action="message_discarded").data["because"] == "a newsletter"
    with pytest.raises(NotPermitted, match="discarded already"):
        decisions.make_candidate(stage.runtime, message_id(stage), actor="Rita")


def test_what_does_not_exist_is_not_found(stage: Stage, default_box: UUID) -> None:
    comes(stage, default_box, letter(stage, "ann@example.net"))
    with pytest.raises(NotFound, match="no such message"):
        decisions.assign(stage.runtime, UUID(int=1), "a@example.org", actor="Rita")
    with pytest.raises(NotFound, match="no person"):
        decisions.assign(stage.runtime, message_id(stage), "nobody@example.org", actor="Rita")


@pytest.mark.row("N11")
def test_after_180_days_what_is_nobodys_is_deleted_with_its_files(stage: Stage, default_box: UUID) -> None:
    comes(stage, default_box, "\x01 no email")
    stage.older(IncomingMessage, "recorded_at", days=179)
    received_mail.forget(stage.world.database)
    assert len(kept(stage)) == 1
    stage.older(IncomingMessage, "recorded_at", days=1)
    stage.older(ReceivedMail, "processed_at", days=2)
    received_mail.forget(stage.world.database)
    assert stage.everything(IncomingMessage, IncomingFile, ReceivedMail) == []
