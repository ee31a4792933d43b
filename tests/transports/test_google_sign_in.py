"""Consent at Google: what the page is asked, and whose answer counts."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from domain.errors import (
    ConsentMissing,
    NotPermitted,
    OnbehalfError,
    OperatorMisconfigured,
    PolicyBlocked,
    ProviderUnavailable,
    RefusalUnexplained,
)
from lab.emulator import google as emulated
from lab.emulator.background import Running
from lab.emulator.tokens import make_jwt
from transports import google_sign_in
from transports.google import Google
from transports.providers import PROVIDERS

GINA, BACK = "gina@acme-g.example", "https://onbehalf.example/sign-in/google"
CONSENTS = PROVIDERS["gmail"].consents


@pytest.fixture
def google(emulator: Running) -> Iterator[Google]:
    emulator.control.add_mailboxes({"address": GINA, "name": "Gina", "google": True})
    made = Google("onbehalf", "demo-secret", emulator.url)
    yield made
    made.close()


def begun(google: Google, hint: str = GINA) -> dict[str, Any]:
    return google_sign_in.begin(google, redirect_uri=BACK, scopes=CONSENTS, login_hint=hint)


def consented(flow: dict[str, Any]) -> dict[str, str]:
    """What Google sends back when its owner agrees."""
    answer = httpx.get(f"{flow['auth_uri']}&approve=yes", trust_env=False)
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(f"{BACK}?")
    return {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def test_the_page_is_asked_for_a_lasting_consent_with_pkce(google: Google) -> None:
    flow = begun(google)
    query = {name: value[0] for name, value in parse_qs(urlsplit(flow["auth_uri"]).query).items()}
    assert query["scope"].split() == ["https://www.googleapis.com/auth/gmail.modify", "openid", "email"]
    assert (query["access_type"], query["prompt"], query["response_type"]) == ("offline", "consent", "code")
    assert (query["code_challenge_method"], query["login_hint"], query["redirect_uri"]) == (
        "S256",
        GINA,
        BACK,
    )
    assert flow["code_verifier"] not in flow["auth_uri"]
    assert begun(google)["state"] != flow["state"] == query["state"]
    real = Google("onbehalf", "demo-secret")
    assert begun(real)["auth_uri"].startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    real.close()


def test_a_consent_says_who_gave_it_and_yields_tokens(google: Google) -> None:
    flow = begun(google)
    arrived = google_sign_in.finish(google, flow, consented(flow))
    assert (arrived.identity.address, arrived.identity.tenant_id) == (GINA, "acme-g.example")
    assert arrived.identity.account_id.isdecimal()
    assert arrived.tokens is not None
    assert "gmail.modify" in arrived.tokens.scopes
    assert google.refresh(arrived.tokens.refresh_token, "", scopes=()).scopes == arrived.tokens.scopes


@pytest.mark.parametrize("wrong", ["state", "verifier", "redirect", "code"])
def test_an_answer_to_something_else_is_refused(google: Google, wrong: str) -> None:
    flow = begun(google)
    answer = consented(flow)
    match wrong:
        case "state":
            answer["state"] = "another"
        case "verifier":
            flow["code_verifier"] = "w" * 96
        case "redirect":
            flow["redirect_uri"] = "https://elsewhere.example/"
        case "code":
            google_sign_in.finish(google, flow, answer)
    with pytest.raises(OnbehalfError) as caught:
        google_sign_in.finish(google, flow, answer)
    assert isinstance(caught.value, NotPermitted if wrong == "state" else OnbehalfError)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://accounts.google.evil.example"),
        ("aud", "another-app"),
        ("exp", 1_700_000_000),  # long ago; a time of now would name the test differently in each process
        ("nonce", "another"),
        ("sub", ""),
    ],
)
def test_an_identity_for_somebody_else_is_refused(
    google: Google, monkeypatch: pytest.MonkeyPatch, claim: str, value: object
) -> None:
    monkeypatch.setattr(emulated, "make_jwt", lambda claims: make_jwt({**claims, claim: value}))
    flow = begun(google)
    answer = consented(flow)
    with pytest.raises(ProviderUnavailable) as caught:
        google_sign_in.finish(google, flow, answer)
    assert caught.value.code == "foreign_identity"


def test_an_address_that_google_has_not_verified_counts_for_nothing(
    google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulated, "make_jwt", lambda claims: make_jwt({**claims, "email_verified": False}))
    flow = begun(google)
    with pytest.raises(NotPermitted, match="not verified"):
        google_sign_in.finish(google, flow, consented(flow))


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        ("google_denied", ConsentMissing),
        ("google_deleted_client", OperatorMisconfigured),
        ("google_wrong_secret", OperatorMisconfigured),
        ("google_restricted", PolicyBlocked),
    ],
)
def test_a_refusal_has_its_meaning(
    google: Google, emulator: Running, refusal: str, kind: type[OnbehalfError]
) -> None:
    flow = begun(google)
    emulator.control.add_mailboxes({"address": GINA, "google": True, "refusal": refusal})
    with pytest.raises(kind):
        google_sign_in.finish(google, flow, consented(flow))


def test_an_error_that_nobody_knows_repeats_nothing_of_it(google: Google) -> None:
    flow = begun(google)
    with pytest.raises(RefusalUnexplained) as caught:
        google_sign_in.finish(google, flow, {"state": flow["state"], "error": "<b>surprise</b>"})
    assert "surprise" not in str(caught.value)


def test_revoking_ends_the_whole_grant_and_twice_is_once(google: Google) -> None:
    flow = begun(google)
    arrived = google_sign_in.finish(google, flow, consented(flow))
    assert arrived.tokens is not None
    assert google.revoke(arrived.tokens.access_token.value) is True
    assert google.revoke(arrived.tokens.access_token.value) is False
    with pytest.raises(OnbehalfError):
        google.refresh(arrived.tokens.refresh_token, "", scopes=())
