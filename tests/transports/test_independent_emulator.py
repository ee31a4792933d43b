"""Our OAuth client against an emulator by others (npm's ``emulate``).

It does not share our own emulator's mistakes. Its refresh tokens work once, and it has no tenants' paths. What it
lacks (refusals, consent) is tested elsewhere.
"""

import html
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import playwright
import pytest

from domain.connection import Provider
from domain.errors import MailboxDisconnected, NotPermitted, OperatorMisconfigured
from lab.embedded import free_port
from transports import entra_sign_in
from transports.entra import Entra
from transports.providers import PROVIDERS

PROGRAM = Path(__file__).parents[1] / "node" / "node_modules" / "emulate" / "dist" / "index.js"
NODE = Path(playwright.__file__).with_name("driver") / "node"  # one that is new enough, wherever we are
# `make test` installs it where there is npm, and CI has npm.
pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(), reason="emulate is not installed (npm ci, in tests/node)"
)
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
    (folder / "world.yaml").write_text(_WORLD)
    port = free_port()
    process = subprocess.Popen(
        [str(NODE), str(PROGRAM), "start", "--service", "microsoft", "--port", str(port), "--seed", "world.yaml",
         "--base-url", "https://login.microsoftonline.com"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + 20
    while True:
        try:
            httpx.get(url, trust_env=False)
            break
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                pytest.fail(f"emulate did not start: {process.communicate()[0]}")
            time.sleep(0.1)
    yield url
    process.kill()
    process.communicate()


@pytest.fixture
def entra(provider: str) -> Iterator[Entra]:
    made = Entra("onbehalf-check", "a-secret", provider)
    yield made
    made.close()


def signed_in(page_url: str, address: str) -> dict[str, str]:
    """Choose an account on its page. Returns the callback's query."""
    page = httpx.get(page_url, trust_env=False)
    for form in re.findall(r"<form.*?</form>", page.text, re.DOTALL):
        if address in form:
            fields = {
                html.unescape(name): html.unescape(value)
                for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', form)
            }
            action = re.search(r'action="([^"]*)"', form)
            assert action is not None
            answer = httpx.post(urljoin(page_url, html.unescape(action[1])), data=fields, trust_env=False)
            assert answer.status_code in (302, 303), answer.text[:300]
            assert answer.headers["location"].startswith(BACK)
            return dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    raise AssertionError(f"{address} is not on the page")


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
