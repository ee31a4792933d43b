"""Our OAuth client against an emulator by others (npm's ``emulate``).

It does not share our own emulator's mistakes. Its refresh tokens work once, and it has no tenants' paths. What it
lacks (refusals, consent) is tested elsewhere.
"""

from collections.abc import Iterator

import pytest

from domain.connection import Provider
from domain.errors import MailboxDisconnected, NotPermitted, OperatorMisconfigured
from tests.transports.another_emulator import emulate, installed
from tests.transports.another_emulator import signed_in as chosen
from transports import entra_sign_in
from transports.entra import Entra
from transports.providers import PROVIDERS

pytestmark = installed
GRAPH = PROVIDERS[Provider.GRAPH]
BACK = "http://localhost:8000/sign-in/callback"
TENANT = "4f1c2b7a-0d7e-4a55-9d53-1f3f0c7a9e11"
_WORLD = f"""
microsoft:
  users:
    - {{email: hans@acme.example, name: Hans Holder, tenant_id: {TENANT}}}
    - {{email: pat@outlook.example, name: Pat Private}}
  oauth_clients:
    - client_id: onbehalf-check
      client_secret: a-secret
      name: Onbehalf
      tenant_id: {TENANT}
      redirect_uris: ["{BACK}"]
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address. It believes that it is Microsoft's, as MSAL demands."""
    folder = tmp_path_factory.mktemp("emulate")
    with emulate(folder, "microsoft", _WORLD, believes="https://login.microsoftonline.com") as url:
        yield url


@pytest.fixture
def entra(provider: str) -> Iterator[Entra]:
    made = Entra("onbehalf-check", "a-secret", provider)
    yield made
    made.close()


def signed_in(page_url: str, address: str) -> dict[str, str]:
    return chosen(page_url, address, BACK)


@pytest.mark.row("M3")
def test_a_sign_in_with_pkce_names_who_signed_in(entra: Entra) -> None:
    flow = entra_sign_in.begin(entra, redirect_uri=BACK)
    arrived = entra_sign_in.finish(entra, flow, signed_in(flow["auth_uri"], "hans@acme.example"))
    assert (arrived.identity.tenant_id, arrived.identity.address) == (TENANT, "hans@acme.example")
    assert arrived.identity.name == "Hans Holder"
    assert arrived.tokens is None


def test_a_code_works_once_and_with_its_own_verifier_only(entra: Entra) -> None:
    flow = entra_sign_in.begin(entra, redirect_uri=BACK)
    answer = signed_in(flow["auth_uri"], "hans@acme.example")
    with pytest.raises(MailboxDisconnected):
        entra_sign_in.finish(entra, {**flow, "code_verifier": "x" * 43}, answer)
    again = entra_sign_in.begin(entra, redirect_uri=BACK)
    answer = signed_in(again["auth_uri"], "hans@acme.example")
    entra_sign_in.finish(entra, again, answer)
    with pytest.raises(MailboxDisconnected):
        entra_sign_in.finish(entra, again, answer)


def test_an_answer_to_another_sign_in_is_refused(entra: Entra) -> None:
    flow = entra_sign_in.begin(entra, redirect_uri=BACK)
    answer = signed_in(flow["auth_uri"], "hans@acme.example")
    with pytest.raises(NotPermitted):
        entra_sign_in.finish(entra, flow, {**answer, "state": "another"})


@pytest.mark.row("M5")
def test_personal_accounts_are_refused(entra: Entra) -> None:
    flow = entra_sign_in.begin(entra, redirect_uri=BACK)
    with pytest.raises(NotPermitted, match="personal Microsoft account"):
        entra_sign_in.finish(entra, flow, signed_in(flow["auth_uri"], "pat@outlook.example"))


def test_a_connections_tokens_are_renewed_and_a_used_one_is_refused(entra: Entra) -> None:
    flow = entra_sign_in.begin(entra, redirect_uri=BACK, scopes=GRAPH.consents)
    arrived = entra_sign_in.finish(
        entra, flow, signed_in(flow["auth_uri"], "hans@acme.example"), with_mail=True
    )
    assert arrived.tokens is not None
    first = arrived.tokens
    renewed = entra.refresh(first.refresh_token, "organizations", scopes=GRAPH.scopes)
    assert renewed.access_token.value != first.access_token.value
    assert renewed.refresh_token != first.refresh_token
    with pytest.raises(MailboxDisconnected):
        entra.refresh(first.refresh_token, "organizations", scopes=GRAPH.scopes)


def test_a_wrong_secret_is_the_operators(provider: str) -> None:
    wrong = Entra("onbehalf-check", "wrong", provider)
    flow = entra_sign_in.begin(wrong, redirect_uri=BACK)
    with pytest.raises(OperatorMisconfigured):
        entra_sign_in.finish(wrong, flow, signed_in(flow["auth_uri"], "hans@acme.example"))
    wrong.close()
