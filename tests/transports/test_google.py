"""Google's tokens through google-auth: one request, our errors, one meaning for each cause."""

from collections.abc import Iterator

import pytest

from domain.errors import (
    AccountDisabled,
    AdminApprovalRequired,
    ConnectionRefused,
    MailboxDisconnected,
    OnbehalfError,
    OperatorMisconfigured,
    PolicyBlocked,
    ProviderUnavailable,
    RefusalUnexplained,
    Throttled,
)
from lab.emulator.background import Running, running_emulator
from lab.emulator.google import DEFAULT_SCOPES, SCOPE
from transports.google import MODIFY, Google, missing_scopes, normalise_scope
from transports.google_errors import failure

GINA = "gina@acme-g.example"
TOKEN = "POST /google/token"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running_emulator() as running:
        yield running


@pytest.fixture
def running(emulator: Running) -> Running:
    emulator.control.reset()
    emulator.control.add_mailboxes({"address": GINA, "google": True})
    return emulator


@pytest.fixture
def google(running: Running) -> Iterator[Google]:
    made = Google("onbehalf", "demo-secret", running.url)
    yield made
    made.close()


def refused(google: Google, token: str) -> OnbehalfError:
    with pytest.raises(OnbehalfError) as raised:
        google.refresh(token, "", scopes=(MODIFY,))
    return raised.value


def test_a_refresh_yields_a_new_token_the_same_refresh_token_and_what_was_granted(
    running: Running, google: Google
) -> None:
    token = running.control.refresh_token(GINA)
    first, second = (google.refresh(token, "", scopes=(MODIFY,)) for _ in range(2))
    assert first.refresh_token == token
    assert first.access_token.value != second.access_token.value
    assert first.scopes == {"openid", "userinfo.email", "gmail.modify"}
    assert "ya29" not in repr(first)
    assert token not in repr(first)


@pytest.mark.parametrize(
    ("refusal", "error", "code"),
    [
        ("google_revoked", MailboxDisconnected, "invalid_grant"),
        ("google_bad_grant", MailboxDisconnected, "invalid_grant"),
        ("google_reauth", MailboxDisconnected, "invalid_rapt"),
        ("google_deleted", AccountDisabled, "invalid_grant"),
        ("google_restricted", PolicyBlocked, "access_denied"),
        ("google_policy", AdminApprovalRequired, "admin_policy_enforced"),
        ("google_internal_app", OperatorMisconfigured, ""),
        ("google_unknown_client", OperatorMisconfigured, ""),
        ("google_deleted_client", OperatorMisconfigured, ""),
        ("google_wrong_kind", OperatorMisconfigured, ""),
    ],
)
def test_each_refusal_has_one_meaning_and_costs_one_request(
    running: Running, google: Google, refusal: str, error: type[OnbehalfError], code: str
) -> None:
    token = running.control.refresh_token(GINA)
    running.control.add_mailboxes({"address": GINA, "refusal": refusal})
    raised = refused(google, token)
    assert type(raised) is error
    assert getattr(raised, "code", "") == code
    assert running.control.stats()["requests"][TOKEN] == 1
    assert token not in str(raised)


def test_tokens_that_ended_in_any_way_are_one_cause(running: Running, google: Google) -> None:
    """A revoked consent, seven days of an app in testing, one token too many: the owner signs in again, for one reason."""
    running.control.switch(google_refresh_tokens=1)
    crowded_out = running.control.refresh_token(GINA)
    week_old = running.control.refresh_token(GINA)
    running.world.refresh[week_old].expires_at = 0.0
    causes = [refused(google, each) for each in (crowded_out, week_old)]
    revoked = running.control.refresh_token(GINA)
    running.control.revoke(GINA)
    causes.append(refused(google, revoked))
    assert all(isinstance(each, ConnectionRefused) for each in causes)
    assert (
        len({(type(each), each.reason, str(each)) for each in causes if isinstance(each, ConnectionRefused)})
        == 1
    )


def test_a_wrong_secret_is_the_operators(running: Running) -> None:
    wrong = Google("onbehalf", "wrong", running.url)
    assert isinstance(refused(wrong, running.control.refresh_token(GINA)), OperatorMisconfigured)
    wrong.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 500}, ProviderUnavailable),
        ({"status": 503}, ProviderUnavailable),
        ({"status": 503, "headers": {"Retry-After": "7"}}, Throttled),
        ({"status": 429}, Throttled),
        ({"reset": True}, ProviderUnavailable),
        ({"status": 200, "body": "<html>"}, ProviderUnavailable),
        ({"status": 200, "value": {}}, ProviderUnavailable),
        ({"status": 200, "value": {"access_token": "a", "expires_in": "soon"}}, ProviderUnavailable),
        ({"status": 400, "value": {"error": {"code": 1}}}, ProviderUnavailable),
        ({"status": 302, "headers": {"Location": "/elsewhere"}}, ProviderUnavailable),
    ],
)
def test_trouble_is_asked_once_and_says_nothing_about_the_mailbox(
    running: Running, google: Google, fault: dict[str, object], error: type[OnbehalfError]
) -> None:
    running.control.fault(TOKEN, times=5, **fault)
    assert type(refused(google, running.control.refresh_token(GINA))) is error
    assert running.control.stats()["requests"][TOKEN] == 1


def test_a_refusal_that_nobody_knows_is_unexplained_and_repeats_nothing() -> None:
    raised = failure({"error": "new_rule", "error_description": "gina@acme-g.example may not"})
    assert isinstance(raised, RefusalUnexplained)
    assert "gina" not in f"{raised} {raised.code}"


def test_scopes_have_one_spelling() -> None:
    assert normalise_scope(f"{SCOPE}gmail.modify") == normalise_scope("gmail.modify") == "gmail.modify"
    assert normalise_scope("email") == normalise_scope(f"{SCOPE}userinfo.email")
    assert missing_scopes(DEFAULT_SCOPES.split(), (MODIFY, "email")) == frozenset()
    assert missing_scopes(["openid"], (MODIFY,)) == {"gmail.modify"}
