"""Our sign-in and our Gmail transport against an emulator of Google by others (npm's ``emulate``), judged by Google's own client.

Where it does not do what Google documents, and what that leaves to our own emulator:

* It keeps a message's id when its draft is sent and changes the labels; Google makes "a new message with an updated ID"
  ("Create and send email drafts"). Our reading hears of both.
* It drops header fields that it does not know, such as ours (a raw message keeps all). So ``find``, which believes only items with
  our field, finds nothing here.
* It has no ``users.getProfile``, searches drafts by nothing, knows neither ``in:anywhere`` nor an expired history id, and joins threads
  by ``threadId`` alone.
* Its token endpoint is ``/oauth2/token``, and it hands out a refresh token whatever ``access_type`` says.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

from config import PUBLIC_GOOGLE_URL
from domain.connection import SCOPES, Provider, SendsBy
from domain.errors import DeliveryInDoubt, MailboxDisconnected, NotPermitted, OperatorMisconfigured
from tests.transports.another_emulator import emulate, installed, signed_in
from tests.transports.contract import letter
from transports import google_sign_in
from transports.base import AccessToken
from transports.gmail import GmailProvider, GmailTransport
from transports.google import Google
from transports.providers import PROVIDERS
from transports.token_endpoint import SignedIn

pytestmark = installed
BACK = "http://localhost:8000/sign-in/google"
GINA = "gina@acme-g.example"
ASKED = ("openid", "email", "https://www.googleapis.com/auth/gmail.modify")
_WORLD = f"""
google:
  users:
    - {{email: {GINA}, name: Gina Recruiter}}
  oauth_clients:
    - client_id: onbehalf-check
      client_secret: a-secret
      name: Onbehalf
      redirect_uris: ["{BACK}"]
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulate(tmp_path_factory.mktemp("emulate"), "google", _WORLD, believes=PUBLIC_GOOGLE_URL) as url:
        yield url


def client(url: str, secret: str = "a-secret") -> Google:
    return Google("onbehalf-check", secret, f"{url}/oauth2")


@pytest.fixture(scope="module")
def google(url: str) -> Iterator[Google]:
    made = client(url)
    yield made
    made.close()


def begun(google: Google, url: str) -> tuple[dict[str, Any], dict[str, str]]:
    """A flow, and what comes back from the page."""
    flow = google_sign_in.begin(google, redirect_uri=BACK, scopes=ASKED)
    page = str(flow["auth_uri"]).replace(f"{url}/oauth2/", f"{url}/", 1)
    return flow, signed_in(page, GINA, BACK)


@pytest.fixture(scope="module")
def arrived(google: Google, url: str) -> SignedIn:
    return google_sign_in.finish(google, *begun(google, url))


class Held:
    """The token of a sign-in."""

    organization = ""

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    def token(self, claims: str | None = None) -> AccessToken:
        return self._token


@pytest.fixture(scope="module")
def mailbox(url: str, arrived: SignedIn) -> Iterator[GmailTransport]:
    assert arrived.tokens is not None
    provider = GmailProvider(url)
    yield provider.transport(
        Held(arrived.tokens.access_token), lambda: SendsBy(GINA, "Gina Recruiter", "Europe/Berlin", "", None)
    )
    provider.close()


@pytest.fixture(scope="module")
def judge(url: str, arrived: SignedIn) -> Iterator[Any]:
    """Google's own client, with its own HTTP and its own ``execute``."""
    assert arrived.tokens is not None
    service = build(
        "gmail",
        "v1",
        credentials=Credentials(arrived.tokens.access_token.value),  # type: ignore[no-untyped-call]
        client_options=ClientOptions(api_endpoint=f"{url}/"),
        static_discovery=True,
    )
    yield service.users().messages()
    service.close()


def test_a_sign_in_with_pkce_names_who_signed_in_and_what_was_granted(arrived: SignedIn) -> None:
    assert (arrived.identity.address, arrived.identity.name) == (GINA, "Gina Recruiter")
    assert arrived.identity.tenant_id == "acme-g.example"
    assert arrived.tokens is not None
    assert arrived.tokens.scopes >= SCOPES[Provider.GMAIL]
    assert PROVIDERS[Provider.GMAIL].scopes


def test_a_code_works_once_and_with_its_own_verifier_only(google: Google, url: str) -> None:
    flow, answer = begun(google, url)
    with pytest.raises(MailboxDisconnected):
        google_sign_in.finish(google, {**flow, "code_verifier": "x" * 43}, answer)
    flow, answer = begun(google, url)
    google_sign_in.finish(google, flow, answer)
    with pytest.raises(MailboxDisconnected):
        google_sign_in.finish(google, flow, answer)


def test_an_answer_to_another_sign_in_is_refused(google: Google, url: str) -> None:
    flow, answer = begun(google, url)
    with pytest.raises(NotPermitted):
        google_sign_in.finish(google, flow, {**answer, "state": "another"})


def test_a_wrong_secret_is_the_operators(google: Google, url: str) -> None:
    wrong = client(url, "wrong")
    with pytest.raises(OperatorMisconfigured):
        google_sign_in.finish(wrong, *begun(google, url))
    wrong.close()


def test_a_refresh_token_stays_until_it_is_revoked(google: Google, url: str) -> None:
    tokens = google_sign_in.finish(google, *begun(google, url)).tokens
    assert tokens is not None
    renewed = google.refresh(tokens.refresh_token, "", scopes=())
    assert renewed.access_token.value != tokens.access_token.value
    assert renewed.refresh_token == tokens.refresh_token
    assert google.revoke(tokens.refresh_token)
    with pytest.raises(MailboxDisconnected):
        google.refresh(tokens.refresh_token, "", scopes=())


def test_a_draft_is_sent_once_as_it_was_written(mailbox: GmailTransport, judge: Any) -> None:
    draft = mailbox.prepare(letter(), "correlation_id-1", None)
    accepted = mailbox.send(draft)
    sent = judge.get(userId="me", id=accepted.request_id).execute()
    headers = {each["name"]: each["value"] for each in sent["payload"]["headers"]}
    assert "SENT" in sent["labelIds"]
    assert "DRAFT" not in sent["labelIds"]
    assert headers["Message-ID"] == draft.internet_message_id
    assert "anna@example.org" in headers["To"]
    with pytest.raises(DeliveryInDoubt) as caught:
        mailbox.send(draft)
    assert caught.value.gone
    original = mailbox.raw(accepted.request_id)
    assert original is not None
    assert message_from_bytes(original, policy=policy.default)["X-Onbehalf-Delivery"] == "correlation_id-1"


def test_a_recalled_draft_is_gone_and_cannot_be_sent(mailbox: GmailTransport) -> None:
    draft = mailbox.prepare(letter(), "correlation_id-2", None)
    assert mailbox.recall(draft.id)
    assert not mailbox.recall(draft.id)
    with pytest.raises(DeliveryInDoubt) as caught:
        mailbox.send(draft)
    assert caught.value.gone


def test_an_edited_draft_keeps_its_id_and_its_message_id(mailbox: GmailTransport, judge: Any) -> None:
    draft = mailbox.prepare(letter(), "correlation_id-3", None)
    changed = mailbox.update(draft, letter(2, subject="Another offer"))
    assert (changed.id, changed.internet_message_id) == (draft.id, draft.internet_message_id)
    sent = judge.get(userId="me", id=mailbox.send(changed).request_id, format="metadata").execute()
    assert "Another offer" in [each["value"] for each in sent["payload"]["headers"]]


def test_the_history_has_what_was_sent_and_what_came_and_no_draft(
    mailbox: GmailTransport, judge: Any
) -> None:
    before = judge.insert(userId="me", body={"raw": _incoming("<before@example.org>"), "labelIds": ["INBOX"]})
    since = judge.get(userId="me", id=before.execute()["id"]).execute()["historyId"]
    sent = mailbox.send(mailbox.prepare(letter(), "correlation_id-4", None)).request_id
    mailbox.prepare(letter(), "correlation_id-5", None)
    came = judge.insert(
        userId="me", body={"raw": _incoming("<yes@example.org>"), "labelIds": ["INBOX", "UNREAD"]}
    ).execute()["id"]
    added = mailbox.added(since)
    assert added is not None
    found = {each.provider_id: each for page in added.pages for each in page}
    assert set(found) == {sent, came}
    assert found[sent].in_sent_items
    assert (found[came].internet_message_id, found[came].sender) == ("yes@example.org", "anna@example.org")
    assert found[came].in_reply_to == ("one@acme-g.example",)
    again = mailbox.added(added.stands)
    assert again is not None
    assert list(again.pages) == []


def test_a_message_says_its_text(mailbox: GmailTransport, judge: Any) -> None:
    item = judge.insert(
        userId="me", body={"raw": _incoming("<text@example.org>"), "labelIds": ["INBOX"]}
    ).execute()
    content = mailbox.message(item["id"])
    assert content is not None
    assert content.text.strip() == "Yes, call me."
    judge.delete(userId="me", id=item["id"]).execute()
    assert mailbox.message(item["id"]) is None


def _incoming(message_id: str) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Anna <anna@example.org>", GINA, "Re: An offer"
    message["Message-ID"], message["In-Reply-To"] = message_id, "<one@acme-g.example>"
    message["Date"] = format_datetime(datetime.now(UTC))
    message.set_content("Yes, call me.")
    return urlsafe_b64encode(message.as_bytes()).decode()
