"""Google's certificates are kept as long as their answer says, and no token that is odd gets past them."""

import base64
import json
import time

import pytest

from domain.errors import ProviderUnavailable
from lab.emulator.pubsub import GoogleKey
from tests.transports.odd_server import Cut, OddServer, Reply, Request, http, odd_server
from transports.google_push import AnotherCaller, NotSigned, Pushes

HOOK, ACCOUNT = "https://onbehalf.example/hooks/google", "push@acme.iam.gserviceaccount.com"
KEY = GoogleKey()


def token(**claims: object) -> str:
    now = int(time.time())
    said = {"iss": "https://accounts.google.com", "aud": HOOK, "email": ACCOUNT, "email_verified": True}
    return KEY.signed({**said, "iat": now, "exp": now + 3600, **claims})


def certificates(**headers: str) -> bytes:
    return http(200, {KEY.id: KEY.certificate}, **headers)


class Clock:
    """One that stands still until a test moves it."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def pushes(server: OddServer, clock: Clock) -> Pushes:
    return Pushes(HOOK, ACCOUNT, server.url, clock)


def test_certificates_are_kept_as_long_as_they_are_good() -> None:
    with odd_server(
        lambda _: certificates(Cache_Control="public, max-age=600, no-transform", Age="100")
    ) as server:
        clock = Clock()
        checks = pushes(server, clock)
        checks.check(f"Bearer {token()}")
        clock.now += 495
        checks.check(f"bearer {token()}")
        assert len(server.requests) == 1
        clock.now += 10
        checks.check(f"Bearer {token()}")
        assert len(server.requests) == 2
        checks.close()


@pytest.mark.parametrize(
    "reply", [http(500), http(200), http(200, []), http(200, {"kid": 3}), http(404, {}), Cut(b"", reset=True)]
)
def test_without_certificates_nothing_is_proven_and_google_is_asked_once_in_a_while(reply: Reply) -> None:
    with odd_server(lambda _: reply) as server:
        clock = Clock()
        checks = pushes(server, clock)
        for _ in range(3):
            with pytest.raises(ProviderUnavailable):
                checks.check(f"Bearer {token()}")
        assert len(server.requests) == 1
        clock.now += 11
        with pytest.raises(ProviderUnavailable):
            checks.check(f"Bearer {token()}")
        assert len(server.requests) == 2
        checks.close()


def test_no_odd_token_gets_past() -> None:
    head, payload, signature = token().split(".")

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    heads: list[object] = [
        [], 3, None, {}, {"alg": "none"}, {"alg": "HS256", "kid": KEY.id}, {"alg": "ES256", "kid": KEY.id}, {"alg": "PS256", "kid": KEY.id},
        {"alg": ["RS256"], "kid": KEY.id}, {"alg": "RS256", "kid": [KEY.id]}, {"alg": "RS256", "kid": "another"}, {"alg": "RS256", "kid": {}},
    ]  # fmt: skip
    odd = [f"{part(each)}.{payload}.{signature}" for each in heads]
    payloads: list[object] = [[], None, "x", {"iss": "https://accounts.google.com"}]
    odd += [f"{head}.{part(each)}.{signature}" for each in payloads]
    odd += [
        "..",
        f"{head}..{signature}",
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature}.x",
        "é.é.é",
        "",
    ]

    def script(_: Request) -> Reply:
        return certificates(Cache_Control="max-age=600")

    with odd_server(script) as server:
        clock = Clock()
        checks = pushes(server, clock)
        for each in (*(f"Bearer {one}" for one in odd), "", "Bearer", token(), f"Basic {token()}"):
            with pytest.raises(NotSigned):
                checks.check(each)
        with pytest.raises(AnotherCaller):
            checks.check(f"Bearer {token(email='push@evil.iam.gserviceaccount.com')}")
        checks.check(f"Bearer {token(email=ACCOUNT.upper())}")
        checks.close()
