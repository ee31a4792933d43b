"""The token endpoint: what is sent, what each error means, and that no answer is remembered or leaked."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from domain.connection import Provider
from domain.errors import (
    AccountDisabled,
    AdminApprovalRequired,
    ConsentMissing,
    MailboxDisconnected,
    NotAssigned,
    OnbehalfError,
    OperatorMisconfigured,
    OrganizationGone,
    PolicyBlocked,
    ProviderUnavailable,
    RefusalUnexplained,
    Throttled,
)
from tests.transports.odd_server import Cut, Hang, OddServer, Reply, Request, http, odd_server
from transports import entra_http
from transports.entra import Entra, missing_scopes, normalise_scope
from transports.entra_errors import MEANINGS, Meaning, failure
from transports.providers import PROVIDERS
from transports.token_endpoint import Tokens

SCOPES = PROVIDERS[Provider.GRAPH].scopes
TENANT = "11111111-2222-3333-4444-555555555555"
GOOD: dict[str, object] = {
    "token_type": "Bearer",
    "scope": "https://graph.microsoft.com/Mail.ReadWrite mail.send https://graph.microsoft.com/MailboxSettings.Read",
    "expires_in": 3599,
    "access_token": "new-access",
    "refresh_token": "new-refresh",
}


class Endpoint:
    """Entra's discovery document, and a token endpoint that answers as a test wants."""

    def __init__(self) -> None:
        self.reply: Reply | Callable[[Request], Reply] = http(200, GOOD)

    def __call__(self, request: Request) -> Reply:
        if request.method == "GET":
            base = f"https://login.microsoftonline.com/{request.path.split('/')[1]}"
            return http(200, {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            })  # fmt: skip
        return self.reply(request) if callable(self.reply) else self.reply


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def server(endpoint: Endpoint) -> Iterator[OddServer]:
    with odd_server(endpoint) as running:
        yield running


@pytest.fixture
def entra(server: OddServer) -> Iterator[Entra]:
    made = Entra("client", "client-secret", server.url)
    yield made
    made.close()


def forms(server: OddServer) -> list[dict[str, str]]:
    posts = [request for request in server.requests if request.method == "POST"]
    return [{key: values[0] for key, values in parse_qs(post.body.decode()).items()} for post in posts]


def test_a_refresh_gives_tokens_and_normalised_scopes(entra: Entra, server: OddServer) -> None:
    before = datetime.now(UTC)
    tokens = entra.refresh("old-refresh", TENANT, scopes=SCOPES)
    assert tokens.access_token.value == "new-access"
    assert (
        before + timedelta(seconds=3599) <= tokens.access_token.expires_at <= before + timedelta(seconds=3605)
    )
    assert tokens.refresh_token == "new-refresh"
    assert tokens.scopes == {"mail.readwrite", "mail.send", "mailboxsettings.read"}
    post = server.requests[-1]
    assert post.path == f"/{TENANT}/oauth2/v2.0/token"
    assert post.headers["x-emulated-host"] == "login.microsoftonline.com"
    (form,) = forms(server)
    assert (form["grant_type"], form["refresh_token"]) == ("refresh_token", "old-refresh")
    assert set(form["scope"].split()) >= {
        f"https://graph.microsoft.com/{scope}"
        for scope in ("Mail.ReadWrite", "Mail.Send", "MailboxSettings.Read")
    }


def test_the_secret_and_the_tokens_show_in_no_repr(entra: Entra) -> None:
    tokens = entra.refresh("old-refresh", TENANT, scopes=SCOPES)
    assert "new-" not in repr(tokens)
    assert "client-secret" not in repr(vars(entra)["_http"])


def test_we_say_that_we_meet_claims_challenges(entra: Entra, server: OddServer) -> None:
    entra.refresh("old", TENANT, scopes=SCOPES)
    assert json.loads(forms(server)[0]["claims"]) == {"access_token": {"xms_cc": {"values": ["CP1"]}}}


def test_claims_of_a_challenge_are_sent_with_our_capabilities(entra: Entra, server: OddServer) -> None:
    access = {"nbf": {"essential": True, "value": "1"}}
    challenge = {"access_token": access, "id_token": {"x": None}}
    entra.refresh("old", TENANT, scopes=SCOPES, claims=json.dumps(challenge))
    sent = json.loads(forms(server)[0]["claims"])
    assert sent["access_token"] == {**access, "xms_cc": {"values": ["CP1"]}}
    assert sent["id_token"] == {"x": None}


@pytest.mark.parametrize("claims", ["", "{", "[]", '"x"', '{"access_token": 3}', "{}"])
def test_claims_that_cannot_be_read_count_as_none(entra: Entra, server: OddServer, claims: str) -> None:
    entra.refresh("old", TENANT, claims=claims, scopes=SCOPES)
    assert json.loads(forms(server)[0]["claims"])["access_token"] == {"xms_cc": {"values": ["CP1"]}}


def test_an_answer_without_a_refresh_token_keeps_the_old_one(entra: Entra, endpoint: Endpoint) -> None:
    endpoint.reply = http(200, {key: value for key, value in GOOD.items() if key != "refresh_token"})
    assert entra.refresh("old-refresh", TENANT, scopes=SCOPES).refresh_token == "old-refresh"


KINDS: dict[Meaning, type[OnbehalfError]] = {
    Meaning.SIGN_IN: MailboxDisconnected,
    Meaning.GONE: AccountDisabled,
    Meaning.CONSENT: ConsentMissing,
    Meaning.TENANT_GONE: OrganizationGone,
    Meaning.UNKNOWN: RefusalUnexplained,
    Meaning.NOT_ASSIGNED: NotAssigned,
    Meaning.ADMIN: AdminApprovalRequired,
    Meaning.POLICY: PolicyBlocked,
    Meaning.OURS: OperatorMisconfigured,
    Meaning.TRANSIENT: ProviderUnavailable,
}


@pytest.mark.parametrize(("code", "meaning"), sorted(MEANINGS.items()))
def test_each_documented_code_means_one_thing(code: int, meaning: Meaning) -> None:
    answer = {
        "error": "invalid_grant",
        "error_description": f"AADSTS{code}: anna@example.org must …\r\nTrace ID: 1",
        "error_codes": [code],
    }
    error = failure(answer)
    assert type(error) is KINDS[meaning]
    assert f"AADSTS{code}" in str(error)
    assert "anna" not in str(error)
    # The authorize callback has no error_codes, only the text.
    assert (
        type(failure({"error": "access_denied", "error_description": f"AADSTS{code}: x"})) is KINDS[meaning]
    )


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error": "invalid_grant", "error_codes": [999999]}, MailboxDisconnected),
        ({"error": "invalid_grant", "suberror": "consent_required", "error_codes": [999999]}, ConsentMissing),
        ({"error": "invalid_grant", "suberror": "bad_token"}, MailboxDisconnected),
        ({"error": "interaction_required"}, MailboxDisconnected),
        ({"error": "invalid_client"}, OperatorMisconfigured),
        ({"error": "unauthorized_client"}, RefusalUnexplained),
        ({"error": "invalid_request"}, RefusalUnexplained),
        ({"error": "invalid_request", "error_codes": [900144]}, RefusalUnexplained),
        ({"error": "invalid_scope", "error_codes": [999999]}, RefusalUnexplained),
        ({"error": "invalid_tenant"}, OrganizationGone),
        # Case 13: an error of one customer only is never the operator's fault.
        ({"error": "invalid_request", "error_codes": [90002]}, OrganizationGone),
        ({"error": "interaction_required", "error_codes": [5000225]}, OrganizationGone),
        ({"error": "invalid_grant", "error_codes": [50059]}, OrganizationGone),
        ({"error": "invalid_request", "error_codes": [9002313]}, MailboxDisconnected),
        ({"error": "invalid_grant", "error_codes": [50020]}, AccountDisabled),
        ({"error": "invalid_grant", "error_codes": [50105]}, NotAssigned),
        ({"error": "invalid_client", "error_codes": [999999]}, OperatorMisconfigured),
        ({"error": "invalid_client", "error_codes": [500014]}, AdminApprovalRequired),
        ({"error": "temporarily_unavailable"}, ProviderUnavailable),
        ({"error": "something_new"}, ProviderUnavailable),
        ({"error": "invalid_grant", "error_codes": ["50173", None], "suberror": 3}, MailboxDisconnected),
        ({"error": 3}, ProviderUnavailable),
    ],
)
def test_unknown_numbers_are_read_by_their_words(
    answer: dict[str, object], kind: type[OnbehalfError]
) -> None:
    assert type(failure(answer)) is kind


@pytest.mark.parametrize("status", [400, 401])
def test_an_error_is_asked_anew_each_time(
    entra: Entra, server: OddServer, endpoint: Endpoint, status: int
) -> None:
    endpoint.reply = http(status, {"error": "invalid_grant", "error_codes": [50173]})
    for _ in range(2):
        with pytest.raises(MailboxDisconnected):
            entra.refresh("old", TENANT, scopes=SCOPES)
    endpoint.reply = http(200, GOOD)
    assert entra.refresh("old", TENANT, scopes=SCOPES)  # a new sign-in: the old error does not return
    assert len(forms(server)) == 3


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (http(429, {"error": "temporarily_unavailable"}, Retry_After="5"), 5),
        (http(429, {"error": "temporarily_unavailable"}), 30),
        (http(429, b"<html>", Retry_After="86400000"), 3600),
        (http(503, b"<html>", Retry_After="7"), 7),
    ],
)
def test_a_token_endpoint_that_asks_to_wait_says_how_long_and_nothing_can_have_left(
    entra: Entra, endpoint: Endpoint, reply: Reply, seconds: int
) -> None:
    endpoint.reply = reply
    with pytest.raises(Throttled) as raised:
        entra.refresh("old-refresh", TENANT, scopes=SCOPES)
    assert (raised.value.retry_after, raised.value.untaken) == (timedelta(seconds=seconds), True)
    assert "Entra" not in str(raised.value)


@pytest.mark.parametrize(
    "reply",
    [
        http(500, {"error": "server_error"}),
        http(503, b"<html>"),
        http(200, b""),
        http(200, b'{"access_token": "secret-part'),
        http(200, b"<html>secret-part</html>"),
        http(200, ["secret-part"]),
        http(200, {"access_token": "secret-part"}),
        http(200, {**GOOD, "expires_in": "secret-part"}),
        http(200, {**GOOD, "access_token": 3}),
        http(200, {**GOOD, "expires_in": -1}),
        http(400, {"nothing": "said"}),
        http(403, b"<html>proxy</html>"),
        http(302, {"error": "x"}, Location="http://127.0.0.1:1"),
        Cut(),
        Cut(reset=True),
        Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        Cut(b"garbage\r\n\r\n"),
    ],
)
def test_any_other_answer_is_unavailability_once_and_is_logged_by_nobody(
    entra: Entra, server: OddServer, endpoint: Endpoint, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.reply = reply
    with caplog.at_level(logging.DEBUG), pytest.raises(ProviderUnavailable) as raised:
        entra.refresh("old-refresh", TENANT, scopes=SCOPES)
    assert len(forms(server)) == 1
    assert "secret-part" not in caplog.text + str(raised.value)
    endpoint.reply = http(200, GOOD)
    assert entra.refresh("old-refresh", TENANT, scopes=SCOPES)  # and it is not held against the next one


def test_silence_ends_within_the_cap(
    entra: Entra, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    entra.application(TENANT)
    without = entra_http.CAP - 3.0  # seconds that it takes otherwise
    monkeypatch.setattr(entra_http, "CAP", 3.3)
    endpoint.reply = Hang()
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        entra.refresh("old", TENANT, scopes=SCOPES)
    assert time.monotonic() - started < without


def test_an_endless_answer_is_given_up(entra: Entra, endpoint: Endpoint) -> None:
    endpoint.reply = http(200, b"x" * 300_000)
    with pytest.raises(ProviderUnavailable):
        entra.refresh("old", TENANT, scopes=SCOPES)


def test_where_nobody_listens_it_is_unavailable() -> None:
    with odd_server(lambda _: http(200)) as gone:
        url = gone.url
    with pytest.raises(ProviderUnavailable):
        Entra("client", "secret", url).refresh("old", TENANT, scopes=SCOPES)


def test_the_environment_names_neither_proxy_nor_certificates(
    entra: Entra, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    assert entra.refresh("old", TENANT, scopes=SCOPES)


def test_discovery_is_asked_once_per_tenant(entra: Entra, server: OddServer) -> None:
    for _ in range(3):
        entra.refresh("old", TENANT, scopes=SCOPES)
    assert len([request for request in server.requests if request.method == "GET"]) == 1


def test_msal_keeps_no_token(entra: Entra) -> None:
    entra.refresh("old", TENANT, scopes=SCOPES)
    assert "new-access" not in repr(vars(entra.application(TENANT).token_cache))


@pytest.mark.parametrize("tenant", ["", "../common", "a/b", "x" * 200, "ü"])
def test_a_tenant_that_is_none_goes_nowhere(entra: Entra, server: OddServer, tenant: str) -> None:
    with pytest.raises(MailboxDisconnected):
        entra.refresh("old", tenant, scopes=SCOPES)
    assert server.requests == []


def test_missing_scopes_ignore_prefix_and_case() -> None:
    assert missing_scopes(["MAIL.send", "https://graph.microsoft.com/Mail.ReadWrite"], SCOPES) == {
        "MailboxSettings.Read"
    }
    assert missing_scopes(SCOPES, SCOPES) == frozenset()
    assert missing_scopes([], SCOPES) == {"Mail.ReadWrite", "Mail.Send", "MailboxSettings.Read"}
    assert normalise_scope(" https://Graph.Microsoft.com/Mail.Send ") == "mail.send"


def test_tokens_is_a_plain_value(entra: Entra) -> None:
    assert isinstance(entra.refresh("old", TENANT, scopes=SCOPES), Tokens)
