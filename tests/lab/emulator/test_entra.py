"""Entra as the emulator implements it: sign-in, consent, tokens and every class of refusal."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msal
import pytest
import requests
from requests.adapters import HTTPAdapter

from lab.emulator.background import Running
from tests.lab.emulator.local import RITA, SCOPES, Local

PUBLIC = "https://login.microsoftonline.com"
BACK = "https://app.example/back?from=entra"
VERIFIER = "a-verifier-of-forty-three-characters-or-more-0"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
GRAPH_SCOPES = [f"https://graph.microsoft.com/{name}" for name in ("Mail.ReadWrite", "Mail.Send")]
SMTP_SCOPE = "https://outlook.office.com/SMTP.Send"


class Redirected(HTTPAdapter):
    """Sends requests for Microsoft's host to the emulator, because MSAL accepts https only."""

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = self._url + str(request.url).removeprefix(PUBLIC)
        request.headers["X-Emulated-Host"] = "login.microsoftonline.com"
        return super().send(request, *args, **kwargs)


class Entra:
    """The emulator's Entra, with Rita in its directory."""

    def __init__(self, emulator: Running, http: httpx.Client, session: requests.Session) -> None:
        self.control, self.http, self._session = emulator.control, http, session
        (self.rita,) = emulator.control.add_mailboxes({"address": RITA, "name": "Rita"})

    def msal(self) -> msal.ConfidentialClientApplication:
        """A new client each time, because it remembers errors."""
        return msal.ConfidentialClientApplication(
            "onbehalf",
            client_credential="demo-secret",
            authority=f"{PUBLIC}/organizations",
            http_client=self._session,
            instance_discovery=False,
        )

    def token(self, **form: str) -> httpx.Response:
        known = {"client_id": "onbehalf", "client_secret": "demo-secret", "grant_type": "refresh_token"}
        return self.http.post("/organizations/oauth2/v2.0/token", data=known | form)

    def refreshed(self, refresh_token: str, **form: str) -> dict[str, Any]:
        answer = self.token(refresh_token=refresh_token, **form)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def authorize(self, **query: str) -> httpx.Response:
        known = {"client_id": "onbehalf", "redirect_uri": BACK, "scope": "Mail.Send", "state": "s-1"}
        known |= {"login_hint": RITA, "approve": "yes"}
        return self.http.get("/organizations/oauth2/v2.0/authorize", params=known | query)

    def code(self, **query: str) -> str:
        challenge = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        return back(self.authorize(**challenge | query))["code"]

    def redeem(self, code: str, **form: str) -> httpx.Response:
        known = {"grant_type": "authorization_code", "code_verifier": VERIFIER, "redirect_uri": BACK}
        return self.token(**known | {"code": code} | form)

    def graph(self, access_token: str, path: str = "/me") -> httpx.Response:
        return self.http.get(f"/v1.0{path}", headers={"Authorization": f"Bearer {access_token}".strip()})


def back(answer: httpx.Response) -> dict[str, str]:
    """What the redirect carries to the application."""
    assert answer.status_code == 302, answer.text
    location = answer.headers["Location"]
    assert location.startswith("https://app.example/back?")
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


def refused(answer: httpx.Response) -> tuple[int, str, list[int]]:
    body = answer.json()
    assert f"AADSTS{body['error_codes'][0]}: " in body["error_description"]
    return answer.status_code, body["error"], body["error_codes"]


@pytest.fixture
def entra(emulator: Running) -> Iterator[Entra]:
    with httpx.Client(base_url=emulator.url, trust_env=False) as http, requests.Session() as session:
        session.trust_env = False
        session.mount(f"{PUBLIC}/", Redirected(emulator.url))
        yield Entra(emulator, http, session)


@pytest.fixture
def local() -> Iterator[Local]:
    inside = Local()
    yield inside
    inside.runner.close()


@pytest.mark.filterwarnings("ignore:response_mode")  # a form post needs a page to post it
def test_microsofts_own_library_signs_a_user_in_and_refreshes(entra: Entra) -> None:
    application = entra.msal()
    flow = application.initiate_auth_code_flow(GRAPH_SCOPES, redirect_uri=BACK, login_hint=RITA)
    assert flow["auth_uri"].startswith(f"{PUBLIC}/organizations/oauth2/v2.0/authorize?")
    answer = entra.http.get(flow["auth_uri"].removeprefix(PUBLIC) + "&approve=yes")
    result = application.acquire_token_by_auth_code_flow(
        flow, {name: value for name, value in back(answer).items() if name != "from"}
    )
    claims = result["id_token_claims"]
    assert (claims["oid"], claims["tid"]) == (entra.rita["user_id"], entra.rita["tenant_id"])
    assert (claims["aud"], claims["preferred_username"], claims["name"]) == ("onbehalf", RITA, "Rita")
    assert set(GRAPH_SCOPES) <= set(result["scope"].split())
    (account,) = application.get_accounts()
    assert account["home_account_id"] == f"{entra.rita['user_id']}.{entra.rita['tenant_id']}"
    newer = entra.msal().acquire_token_by_refresh_token(result["refresh_token"], GRAPH_SCOPES)
    assert newer["access_token"] != result["access_token"]
    for token in (result, newer):
        assert entra.graph(token["access_token"], "/me/messages").status_code == 200


def test_discovery_names_the_host_that_was_asked_for(entra: Entra) -> None:
    path = "/organizations/v2.0/.well-known/openid-configuration"
    own = entra.http.get(path).json()
    assert own["token_endpoint"] == f"{str(entra.http.base_url).rstrip('/')}/organizations/oauth2/v2.0/token"
    public = entra.http.get(path, headers={"X-Emulated-Host": "login.microsoftonline.com"}).json()
    assert public["token_endpoint"] == f"{PUBLIC}/organizations/oauth2/v2.0/token"


def test_the_sign_in_page_offers_everyone_and_lets_them_approve(entra: Entra) -> None:
    entra.control.add_mailboxes({"address": "otto@acme.example"})
    page = entra.authorize(login_hint="")
    assert page.status_code == 200
    assert page.text.count("approve=yes") == 2
    assert "otto@acme.example" in page.text
    assert entra.http.get("/organizations/oauth2/v2.0/authorize").status_code == 400


def test_a_code_is_good_once_and_brings_back_the_state(entra: Entra) -> None:
    answer = back(entra.authorize())
    assert (answer["state"], answer["from"]) == ("s-1", "entra")
    assert entra.redeem(answer["code"]).status_code == 200
    assert refused(entra.redeem(answer["code"]))[:2] == (400, "invalid_grant")


@pytest.mark.parametrize(("verifier", "status"), [(VERIFIER, 200), (VERIFIER + "x", 400), ("", 400)])
def test_a_code_is_redeemed_only_with_the_verifier_behind_its_challenge(
    entra: Entra, verifier: str, status: int
) -> None:
    answer = entra.redeem(entra.code(), code_verifier=verifier)
    assert answer.status_code == status
    if status == 400:
        assert refused(answer) == (400, "invalid_grant", [501481])


def test_a_code_is_redeemed_only_with_the_redirect_uri_it_was_asked_for(entra: Entra) -> None:
    assert entra.redeem(entra.code(), redirect_uri="https://app.example/back").status_code == 400
    assert entra.redeem(entra.code()).status_code == 200


def test_an_old_code_is_refused(local: Local) -> None:
    query = {"client_id": "c", "redirect_uri": BACK, "scope": "Mail.Send", "login_hint": RITA, "approve": ""}
    (answer,) = local.call(("GET", "/organizations/oauth2/v2.0/authorize", {"params": query}))
    code = back(answer)["code"]
    local.world.codes[code]["expires_at"] -= 601.0
    form = {"client_id": "c", "client_secret": "demo-secret", "grant_type": "authorization_code"}
    form |= {"code": code, "redirect_uri": BACK}
    (answer,) = local.call(("POST", "/organizations/oauth2/v2.0/token", {"data": form}))
    assert refused(answer) == (400, "invalid_grant", [70008])


def test_a_user_may_decline_at_the_sign_in(entra: Entra) -> None:
    entra.control.add_mailboxes({"address": RITA, "refusal": "65004"})
    answer = back(entra.authorize())
    assert (answer["error"], answer["state"], "code" in answer) == ("access_denied", "s-1", False)
    assert answer["error_description"].startswith("AADSTS65004: ")


def test_admin_consent_brings_back_tenant_state_and_scopes(entra: Entra) -> None:
    query = {
        "client_id": "onbehalf",
        "redirect_uri": "https://app.example/back",
        "state": "s-2",
        "scope": "Mail.Send",
    }
    shown = entra.http.get("/acme.example/v2.0/adminconsent", params=query)
    assert (shown.status_code, "Accept" in shown.text) == (200, True)
    answer = back(entra.http.get("/acme.example/v2.0/adminconsent", params=query | {"approve": "yes"}))
    assert answer == {"admin_consent": "True", "tenant": "acme.example", "state": "s-2", "scope": "Mail.Send"}


def test_an_old_refresh_token_stays_good_after_use(entra: Entra) -> None:
    first = entra.control.refresh_token(RITA)
    application = entra.msal()
    results = [application.acquire_token_by_refresh_token(first, GRAPH_SCOPES) for _ in range(3)]
    assert len({each["refresh_token"] for each in results} | {first}) == 4
    assert "access_token" in application.acquire_token_by_refresh_token(
        results[0]["refresh_token"], GRAPH_SCOPES
    )
    assert [entra.graph(each["access_token"]).status_code for each in results] == [200, 200, 200]


def test_reuse_revokes_the_whole_family_where_switched_so(entra: Entra) -> None:
    entra.control.switch(strict_refresh_tokens=True)
    first, unrelated = entra.control.refresh_token(RITA), entra.control.refresh_token(RITA)
    second = entra.refreshed(first)["refresh_token"]
    assert refused(entra.token(refresh_token=first)) == (400, "invalid_grant", [50173])
    assert refused(entra.token(refresh_token=second)) == (400, "invalid_grant", [50173])
    entra.refreshed(unrelated)


def test_revocation_ends_all_tokens_of_the_user_and_of_nobody_else(entra: Entra) -> None:
    entra.control.add_mailboxes({"address": "otto@acme.example"})
    mine, other = entra.control.refresh_token(RITA), entra.control.refresh_token("otto@acme.example")
    access = entra.refreshed(mine)["access_token"]
    assert entra.graph(access).status_code == 200
    assert entra.control.revoke(RITA) == 3
    assert entra.graph(access).status_code == 401
    assert refused(entra.token(refresh_token=mine)) == (400, "invalid_grant", [50173])
    assert entra.graph(entra.refreshed(other)["access_token"]).status_code == 200


def test_a_refresh_token_unused_for_ninety_days_has_expired(local: Local) -> None:
    refresh = local.control("refresh-tokens", address=RITA)["refresh_token"]
    local.world.refresh[refresh].expires_at -= 90 * 86400 + 1
    form = {"client_secret": "demo-secret", "grant_type": "refresh_token", "refresh_token": refresh}
    (answer,) = local.call(("POST", "/organizations/oauth2/v2.0/token", {"data": form}))
    assert refused(answer) == (400, "invalid_grant", [700082])


def test_graph_takes_no_token_that_is_absent_expired_or_for_another_audience(entra: Entra) -> None:
    refresh = entra.control.refresh_token(RITA, f"{SCOPES} {SMTP_SCOPE}")
    good = entra.refreshed(refresh, scope=" ".join(GRAPH_SCOPES))["access_token"]
    smtp = entra.refreshed(refresh, scope=SMTP_SCOPE)
    assert smtp["scope"] == SMTP_SCOPE
    entra.control.switch(mailbox=RITA, access_token_lifetime=0)
    expired = entra.refreshed(refresh)
    assert expired["expires_in"] == 0
    for token in ("", "nonsense", smtp["access_token"], expired["access_token"], refresh):
        answer = entra.graph(token)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert entra.graph(good).status_code == 200


def test_a_token_request_speaks_for_one_resource_of_the_grant(entra: Entra) -> None:
    refresh = entra.control.refresh_token(RITA, f"Mail.Send {SMTP_SCOPE}")
    assert entra.refreshed(refresh, scope="Mail.Send")["scope"] == "https://graph.microsoft.com/Mail.Send"
    assert entra.refreshed(refresh, scope=SMTP_SCOPE)["scope"] == SMTP_SCOPE


def test_a_user_may_grant_less_than_was_asked_and_withdraw_later(entra: Entra) -> None:
    entra.control.add_mailboxes({"address": RITA, "granted": "User.Read Mail.Send"})
    token = entra.redeem(entra.code(scope=SCOPES)).json()
    assert token["scope"].split() == [f"https://graph.microsoft.com/{x}" for x in ("User.Read", "Mail.Send")]
    assert entra.graph(token["access_token"]).status_code == 200
    assert entra.graph(token["access_token"], "/me/messages").status_code == 403
    entra.control.add_mailboxes({"address": RITA, "granted": "Mail.Send"})
    assert entra.graph(entra.refreshed(token["refresh_token"])["access_token"]).status_code == 403


@pytest.mark.parametrize(
    ("number", "status", "error", "suberror"),
    [
        (50173, 400, "invalid_grant", "bad_token"),
        (700082, 400, "invalid_grant", None),
        (50133, 400, "invalid_grant", None),
        (50034, 400, "invalid_grant", None),
        (65001, 400, "invalid_grant", "consent_required"),
        (90094, 400, "invalid_grant", None),
        (53003, 400, "invalid_grant", None),
        (50076, 400, "interaction_required", "basic_action"),
        (7000222, 401, "invalid_client", None),
        (700016, 400, "unauthorized_client", None),
        (90033, 503, "temporarily_unavailable", None),
    ],
)
def test_a_refusal_has_the_shape_and_number_of_its_class(
    entra: Entra, number: int, status: int, error: str, suberror: str | None
) -> None:
    refresh = entra.control.refresh_token(RITA)
    entra.control.add_mailboxes({"address": RITA, "refusal": str(number)})
    answer = entra.token(refresh_token=refresh)
    assert refused(answer) == (status, error, [number])
    body = answer.json()
    assert (body.get("suberror"), body["error_uri"].endswith(f"code={number}")) == (suberror, True)
    assert ("claims" in body) is (number == 50076)
    entra.control.add_mailboxes({"address": RITA, "refusal": ""})
    assert entra.token(refresh_token=refresh).status_code == 200


def test_microsofts_own_library_hands_on_the_claims_to_meet(entra: Entra) -> None:
    refresh = entra.control.refresh_token(RITA)
    entra.control.add_mailboxes({"address": RITA, "refusal": "50079"})
    result = entra.msal().acquire_token_by_refresh_token(refresh, GRAPH_SCOPES)
    assert (result["error"], result["error_codes"]) == ("interaction_required", [50079])
    assert json.loads(result["claims"])["access_token"]["polids"]["essential"] is True


def test_a_disabled_user_an_unknown_token_and_a_wrong_secret_are_refused(entra: Entra) -> None:
    refresh = entra.control.refresh_token(RITA)
    assert refused(entra.token(refresh_token="unknown")) == (400, "invalid_grant", [70000])
    wrong = entra.token(refresh_token=refresh, client_secret="guess")
    assert refused(wrong) == (401, "invalid_client", [7000215])
    assert (
        entra.token(refresh_token=refresh, grant_type="password").json()["error"] == "unsupported_grant_type"
    )
    entra.control.add_mailboxes({"address": RITA, "enabled": False})
    assert refused(entra.token(refresh_token=refresh)) == (400, "invalid_grant", [50057])
