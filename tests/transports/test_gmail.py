"""The Gmail transport against the emulator: the contract of all transports, and what only Gmail has."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from domain.connection import SendsBy
from domain.errors import (
    ConsentMissing,
    DeliveryInDoubt,
    MailboxDisconnected,
    MessageRejected,
    OnbehalfError,
    OperatorMisconfigured,
    PolicyBlocked,
    ProviderUnavailable,
    RecipientRejected,
    SendingLimitReached,
    Throttled,
)
from domain.message import OutgoingMessage, Unsubscribe
from lab.emulator.background import Running, running_emulator
from lab.emulator.google import SCOPE
from tests.transports.contract import Bench, TraceableContract, letter
from transports.base import AccessToken, Draft, Thread
from transports.gmail import GmailProvider, GmailTransport
from transports.google import Google

ADDRESS = "gina@acme-g.example"
ROUTES = {
    "send": "POST /gmail/drafts/send",
    "prepare": "POST /gmail/drafts",
    "find": "GET /gmail/messages",
}


class GoogleTokens:
    """A token from the emulator's Google, a newer one for each challenge."""

    def __init__(self, google: Google, refresh_token: str) -> None:
        self._google, self._refresh_token = google, refresh_token
        self._held: AccessToken | None = None

    organization = ""

    def token(self, claims: str | None = None) -> AccessToken:
        if self._held is None or claims is not None:
            self._held = self._google.refresh(self._refresh_token, "", scopes=()).access_token
        return self._held


def sends_by() -> SendsBy:
    return SendsBy(ADDRESS, "Gina Recruiter", "Europe/Berlin", "", None)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def provider(running: Running) -> Iterator[GmailProvider]:
    made = GmailProvider(running.url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def google(running: Running) -> Iterator[Google]:
    made = Google("onbehalf", "demo-secret", running.url)
    yield made
    made.close()


@pytest.fixture
def bench(running: Running, provider: GmailProvider, google: Google) -> Bench:
    control = running.control
    control.reset()
    control.add_mailboxes({"address": ADDRESS, "name": "Gina Recruiter", "google": True})
    tokens = GoogleTokens(google, control.refresh_token(ADDRESS))

    def fault(kind: str, **values: Any) -> None:
        control.fault(ROUTES[kind], **values)

    def disconnect() -> None:
        control.revoke(ADDRESS)

    return Bench(
        transport=provider.transport(tokens, sends_by),
        left=control.ledger,
        sends_seen=lambda: control.stats()["requests"].get(ROUTES["send"], 0),
        fault=fault,
        settle=lambda: None,
        disconnect=disconnect,
    )


class TestGmail(TraceableContract):
    """Gmail keeps the contract."""


def with_scopes(running: Running, provider: GmailProvider, google: Google, scopes: str) -> GmailTransport:
    return provider.transport(GoogleTokens(google, running.control.refresh_token(ADDRESS, scopes)), sends_by)


def test_the_email_has_our_headers_as_recipients_receive_it(running: Running, bench: Bench) -> None:
    way_out = Unsubscribe(url="https://acme.example/out/1", mailto="gina@acme-g.example?subject=out-1")
    plain = letter()
    message = OutgoingMessage(plain.recipient, plain.subject, plain.html, plain.text, way_out)
    draft = bench.transport.prepare(message, "correlation_id-1", None)
    bench.transport.send(draft)
    (email,) = bench.left()
    assert email.internet_message_id == draft.internet_message_id == "<correlation_id-1@acme-g.example>"
    assert (email.sender, email.sender_name) == (ADDRESS, "Gina Recruiter")
    assert email.correlation_id == "correlation_id-1"
    assert email.headers["List-Unsubscribe"] == way_out.ways
    assert email.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_draft_that_is_sent_leaves_no_draft_behind(running: Running, bench: Bench) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    bench.transport.send(draft)
    assert [each["folder"] for each in running.control.messages(ADDRESS)] == ["sentitems"]
    with pytest.raises(DeliveryInDoubt) as raised:
        bench.transport.send(draft)
    assert raised.value.gone
    assert len(bench.left()) == 1


def test_a_sent_email_in_trash_is_found(running: Running, bench: Bench) -> None:
    bench.transport.send(bench.transport.prepare(letter(), "correlation_id-1", None))
    (sent,) = running.world.mailboxes[ADDRESS].messages.values()
    sent.folder = "deleteditems"
    (found,) = bench.transport.find("correlation_id-1")
    assert not found.is_draft


def test_an_email_whose_message_id_gmail_changed_is_not_found_and_never_sent_again(
    running: Running, bench: Bench
) -> None:
    running.control.switch(google_keeps_message_id=False)
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    bench.fault("send", when="after", status=503)
    with pytest.raises(DeliveryInDoubt):
        bench.transport.send(draft)
    assert list(bench.transport.find("correlation_id-1")) == []
    with pytest.raises(DeliveryInDoubt):
        bench.transport.send(draft)
    assert len(bench.left()) == 1


def test_an_email_of_others_with_the_same_message_id_is_not_ours(running: Running, bench: Bench) -> None:
    running.control.incoming(
        ADDRESS, sender="x@example.org", subject="Hi", message_id="<correlation_id-1@acme-g.example>"
    )
    assert list(bench.transport.find("correlation_id-1")) == []


def test_an_answer_to_somebody_elses_email_joins_its_thread(running: Running, bench: Bench) -> None:
    item = running.control.incoming(
        ADDRESS, sender="anna@example.org", subject="A question", message_id="<q@example.org>"
    )
    draft = bench.transport.prepare(letter(), "correlation_id-1", Thread("", "A question", "", item_id=item))
    bench.transport.send(draft)
    (email,) = bench.left()
    (received,) = (each for each in running.control.messages(ADDRESS) if each["id"] == item)
    assert email.conversation_id == received["conversationId"]
    assert (email.in_reply_to, email.subject) == ("<q@example.org>", "Re: A question")


def test_a_follow_up_names_the_emails_before_it_although_they_are_gone(bench: Bench) -> None:
    thread = Thread(
        "never-sent", "An offer", "", "<two@acme-g.example>", ("<one@acme-g.example>", "<two@acme-g.example>")
    )
    bench.transport.send(bench.transport.prepare(letter(), "correlation_id-1", thread))
    (email,) = bench.left()
    assert email.in_reply_to == "<two@acme-g.example>"
    assert email.references == "<one@acme-g.example> <two@acme-g.example>"


def test_a_third_email_names_both_before_it(bench: Bench) -> None:
    for number in (1, 2, 3):
        before = Thread(f"correlation_id-{number - 1}", "An offer", "") if number > 1 else None
        bench.transport.send(bench.transport.prepare(letter(number), f"correlation_id-{number}", before))
    one, two, three = bench.left()
    assert three.references == f"{one.internet_message_id} {two.internet_message_id}"
    assert three.conversation_id == one.conversation_id


@pytest.mark.parametrize(
    ("refusal", "error", "code"),
    [
        ("gmail_user_rate", Throttled, "userRateLimitExceeded"),
        ("gmail_rate", Throttled, "rateLimitExceeded"),
        ("gmail_queries", Throttled, "rateLimitExceeded"),
        ("gmail_exhausted", Throttled, "rateLimitExceeded"),
        ("gmail_concurrent", Throttled, "rateLimitExceeded"),
        ("gmail_daily", Throttled, "dailyLimitExceeded"),
        ("gmail_sending_limit", SendingLimitReached, "rateLimitExceeded"),
        ("gmail_policy", PolicyBlocked, "domainPolicy"),
        ("gmail_off", MailboxDisconnected, "failedPrecondition"),
        ("gmail_precondition", MessageRejected, "failedPrecondition"),
        ("gmail_delegation", MailboxDisconnected, "forbidden"),
    ],
)
def test_a_refused_submission_is_certain_and_says_why(
    bench: Bench, refusal: str, error: type[OnbehalfError], code: str
) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    bench.fault("send", refusal=refusal)
    with pytest.raises(error) as raised:
        bench.transport.send(draft)
    assert type(raised.value) is error
    assert getattr(raised.value, "code", "") == code
    assert bench.sends_seen() == 1
    assert bench.left() == []


@pytest.mark.parametrize("refusal", ["gmail_backend", "gmail_internal"])
def test_a_failure_of_googles_leaves_a_submission_in_doubt_and_a_draft_to_try_again(
    bench: Bench, refusal: str
) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    bench.fault("send", refusal=refusal, when="after")
    with pytest.raises(DeliveryInDoubt):
        bench.transport.send(draft)
    bench.fault("prepare", refusal=refusal)
    with pytest.raises(ProviderUnavailable):
        bench.transport.prepare(letter(), "correlation_id-2", None)


def test_a_sending_limit_says_when_it_ends(running: Running, bench: Bench) -> None:
    running.control.switch(emails_a_day=0)
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    with pytest.raises(SendingLimitReached) as raised:
        bench.transport.send(draft)
    assert timedelta(hours=1) < raised.value.retry_after <= timedelta(hours=2)


def test_our_own_project_is_the_operators_business(bench: Bench) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    bench.fault("send", refusal="gmail_not_configured")
    with pytest.raises(OperatorMisconfigured):
        bench.transport.send(draft)


def test_an_address_that_gmail_refuses_is_the_recipients(bench: Bench) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    error = {"message": "Invalid To header", "errors": [{"reason": "invalidArgument"}]}
    bench.fault("send", status=400, value={"error": error})
    with pytest.raises(RecipientRejected):
        bench.transport.send(draft)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": "<html>maintenance</html>"},
        {"status": 200, "value": {}},
        {"status": 400, "body": "<html>"},
        {"status": 403, "body": "<html>"},
        {"status": 404, "body": "<html>"},
        {"status": 302, "headers": {"Location": "/elsewhere"}},
    ],
    ids=["a page", "nothing", "a proxy's 400", "a proxy's 403", "a proxy's 404", "a redirect"],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_does_not_come_from_gmail_is_doubt(bench: Bench, fault: dict[str, Any], when: str) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    bench.fault("send", when=when, **fault)
    with pytest.raises(DeliveryInDoubt):
        bench.transport.send(draft)
    assert bench.sends_seen() == 1


def test_a_refused_token_was_not_used_so_a_newer_one_submits_once(running: Running, bench: Bench) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    for token in running.world.access.values():
        token.expires_at = 0.0
    bench.transport.send(draft)
    assert len(bench.left()) == 1


def test_a_missing_scope_is_said(
    running: Running, bench: Bench, provider: GmailProvider, google: Google
) -> None:
    few = with_scopes(running, provider, google, f"openid {SCOPE}gmail.readonly")
    with pytest.raises(ConsentMissing):
        few.prepare(letter(), "correlation_id-1", None)
    with pytest.raises(ConsentMissing):
        few.send(Draft("r1"))


def test_no_port_means_certainly_not_sent(bench: Bench, google: Google, running: Running) -> None:
    nowhere = GmailProvider("http://127.0.0.1:9")
    tokens = GoogleTokens(google, running.control.refresh_token(ADDRESS))
    with pytest.raises(ProviderUnavailable):
        nowhere.transport(tokens, sends_by).send(Draft("r1"))
    nowhere.close()


def test_a_token_is_never_sent_in_the_clear(google: Google, running: Running, bench: Bench) -> None:
    open_to_all = GmailProvider("http://gmail.example")
    tokens = GoogleTokens(google, running.control.refresh_token(ADDRESS))
    with pytest.raises(ProviderUnavailable) as raised:
        open_to_all.transport(tokens, sends_by).send(Draft("r1"))
    assert raised.value.code == "UnencryptedError"


def test_verify_tells_aliases_domain_and_absence(running: Running, bench: Bench) -> None:
    ends = datetime.now(UTC) + timedelta(days=3)
    vacation = {"enableAutoReply": True, "endTime": str(int(ends.timestamp() * 1000))}
    aliases = ["Sales@acme-g.example"]
    running.control.add_mailboxes({"address": ADDRESS, "aliases": aliases, "vacation": vacation})
    facts = bench.transport.verify()
    assert list(facts.addresses) == [ADDRESS, "sales@acme-g.example"]
    assert facts.tenant_id == "acme-g.example"
    absences = facts.settings["absences"]
    assert isinstance(absences, list)
    (absence,) = absences
    assert abs(datetime.fromisoformat(absence["ends"]) - ends) < timedelta(seconds=1)


def test_what_is_submitted_is_what_was_prepared(running: Running, bench: Bench) -> None:
    bench.transport.prepare(letter(7), "correlation_id-1", None)
    (draft,) = running.world.mailboxes[ADDRESS].messages.values()
    mime = message_from_bytes(draft.raw.encode("latin-1"), policy=policy.default)
    assert (mime["To"], mime["Subject"]) == ('"Anna Ärger" <anna@example.org>', "An offer") or mime[
        "To"
    ].addresses[0].display_name == "Anna Ärger"
    parts: list[Callable[[], str]] = [part.get_content for part in mime.iter_parts()]
    text, html = (each() for each in parts)
    assert "Hello 7" in text
    assert "<p>Hello 7 • ä€😀</p>" in html


def test_many_emails_at_once_through_one_client(running: Running, bench: Bench) -> None:
    running.control.switch(requests_at_once=100)

    def one(number: int) -> None:
        bench.transport.send(bench.transport.prepare(letter(number), f"correlation_id-{number}", None))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(20)))
    assert sorted(email.correlation_id for email in bench.left()) == sorted(
        f"correlation_id-{number}" for number in range(20)
    )
