"""Google's sign-in as the emulator keeps it: consent, PKCE, tokens that stay, revocation, refusals."""

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from lab.emulator.google import DEFAULT_SCOPES, SCOPE
from tests.lab.emulator.google_local import API, GINA, GoogleLocal

BACK = "http://localhost/back"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def google() -> Iterator[GoogleLocal]:
    local = GoogleLocal()
    yield local
    local.runner.close()


def consent(google: GoogleLocal, **query: str) -> httpx.Response:
    asked = {
        "client_id": "onbehalf",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": f"openid email {SCOPE}gmail.modify",
        "state": "s",
        "nonce": "n",
        "access_type": "offline",
        "prompt": "consent",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "login_hint": GINA,
        "approve": "yes",
    }
    return google.call(("GET", "/o/oauth2/v2/auth", {"params": asked | query}))[0]


def came_back(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def redeem(google: GoogleLocal, code: str, **form: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER, **form}
    return google.redeem(code=code, **form)


def refresh(google: GoogleLocal, token: str, **form: str) -> httpx.Response:
    return google.redeem(grant_type="refresh_token", refresh_token=token, **form)


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_a_consent_yields_tokens_and_says_who_gave_it(google: GoogleLocal) -> None:
    back = came_back(consent(google))
    assert (back["state"], back["hd"]) == ("s", "acme-g.example")
    tokens = redeem(google, back["code"]).json()
    assert set(tokens["scope"].split()) == {*DEFAULT_SCOPES.split()}
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["nonce"]) == ("https://accounts.google.com", "onbehalf", "n")
    assert (claims["email"], claims["hd"]) == (GINA, "acme-g.example")
    who = google("GET", "/oauth2/v2/userinfo", token=tokens["access_token"]).json()
    assert (who["id"], who["email"]) == (claims["sub"], GINA)
    assert refresh(google, tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [{"code_verifier": "w" * 43}, {"redirect_uri": "http://localhost/other"}, {"client_id": "other"}],
)
def test_a_code_works_once_for_whom_it_was_made(google: GoogleLocal, wrong: dict[str, str]) -> None:
    code = came_back(consent(google))["code"]
    assert error(redeem(google, code, **wrong)) == (400, "invalid_grant")
    assert error(redeem(google, code)) == (400, "invalid_grant")


def test_a_person_may_leave_a_box_empty(google: GoogleLocal) -> None:
    google.control("mailboxes", mailboxes=[{"address": GINA, "granted": ""}])
    back = came_back(consent(google))
    assert set(back["scope"].split()) == {"openid", f"{SCOPE}userinfo.email"}
    tokens = redeem(google, back["code"]).json()
    assert google("GET", f"{API}/profile", token=tokens["access_token"]).status_code == 403


def test_a_second_sign_in_without_consent_yields_no_refresh_token(google: GoogleLocal) -> None:
    assert "refresh_token" in redeem(google, came_back(consent(google))["code"]).json()
    again = came_back(consent(google, prompt="select_account"))
    assert "refresh_token" not in redeem(google, again["code"]).json()


def test_a_refresh_keeps_the_refresh_token(google: GoogleLocal) -> None:
    token = google.refresh_token()
    first, second = refresh(google, token).json(), refresh(google, token).json()
    assert "refresh_token" not in first
    assert first["access_token"] != second["access_token"]


def test_a_consumer_account_has_no_domain(google: GoogleLocal) -> None:
    google.control("mailboxes", mailboxes=[{"address": "gina@gmail.com", "google": True}])
    back = came_back(consent(google, login_hint="gina@gmail.com"))
    assert "hd" not in back
    claims = jwt.decode(redeem(google, back["code"]).json()["id_token"], options={"verify_signature": False})
    assert "hd" not in claims


def test_revoking_any_token_ends_the_whole_grant(google: GoogleLocal) -> None:
    token = google.refresh_token()
    access = refresh(google, token).json()["access_token"]
    (answer,) = google.call(("POST", "/revoke", {"data": {"token": access}}))
    assert answer.status_code == 200
    assert error(refresh(google, token)) == (400, "invalid_grant")
    assert google("GET", f"{API}/profile", token=access).status_code == 401
    (again,) = google.call(("POST", "/revoke", {"data": {"token": access}}))
    assert error(again) == (400, "invalid_token")


def test_the_oldest_refresh_token_beyond_the_limit_stops_working(google: GoogleLocal) -> None:
    google.switch(google_refresh_tokens=2)
    first, second, third = (google.refresh_token() for _ in range(3))
    assert error(refresh(google, first)) == (400, "invalid_grant")
    assert refresh(google, second).status_code == refresh(google, third).status_code == 200


def test_an_app_in_testing_gets_refresh_tokens_for_seven_days(google: GoogleLocal) -> None:
    google.switch(google_testing=True)
    tokens = redeem(google, came_back(consent(google))["code"]).json()
    assert tokens["refresh_token_expires_in"] == 604_799
    google.world.refresh[tokens["refresh_token"]].expires_at -= 604_801
    assert error(refresh(google, tokens["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("refusal", "answer"),
    [
        ("google_revoked", (400, "invalid_grant")),
        ("google_reauth", (400, "invalid_grant")),
        ("google_policy", (400, "admin_policy_enforced")),
        ("google_deleted_client", (401, "deleted_client")),
    ],
)
def test_a_refusal_is_googles(google: GoogleLocal, refusal: str, answer: tuple[int, str]) -> None:
    token = google.refresh_token()
    google.control("mailboxes", mailboxes=[{"address": GINA, "refusal": refusal}])
    assert error(refresh(google, token)) == answer


def test_a_wrong_secret_is_the_apps_fault(google: GoogleLocal) -> None:
    answer = refresh(google, google.refresh_token(), client_secret="wrong")
    assert error(answer) == (401, "invalid_client")


@pytest.mark.parametrize("refusal", ["google_policy", "google_internal_app", "google_unverified"])
def test_an_administrators_block_is_shown_on_googles_own_page(google: GoogleLocal, refusal: str) -> None:
    google.control("mailboxes", mailboxes=[{"address": GINA, "refusal": refusal}])
    answer = consent(google)
    assert answer.status_code in (400, 403)
    assert "location" not in answer.headers


def test_whoever_declines_comes_back_with_that(google: GoogleLocal) -> None:
    google.control("mailboxes", mailboxes=[{"address": GINA, "refusal": "google_denied"}])
    assert came_back(consent(google)) == {"state": "s", "error": "access_denied"}


def test_the_page_offers_accounts_of_google_alone(google: GoogleLocal) -> None:
    page = consent(google, login_hint="").text
    assert GINA in page
    assert "rita@acme.example" not in page
