"""What a push of Cloud Pub/Sub proves: by a token that Google signs, as google-auth checks it, with certificates that we fetch.

"Authentication for push subscriptions" (cloud.google.com/pubsub/docs/authenticate-push-subscriptions): the header ``Authorization`` has an OpenID
Connect token whose ``iss`` is https://accounts.google.com, whose ``aud`` is the push endpoint's address unless the subscription
names another, and whose ``email`` is the service account's that the subscription names, with ``email_verified``. It lives an hour at most, and one may come with
several pushes.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping

import orjson
from google.auth import exceptions, transport
from google.oauth2 import id_token

from domain.errors import ProviderUnavailable
from transports.google import GoogleHttp, HttpResponse

ISSUER = "https://accounts.google.com"
_GOOGLES = "https://www.googleapis.com"
_CERTS = "/oauth2/v1/certs"
_MAX_TOKEN = 4096
_CLOCKS_DIFFER = 30  # seconds
_SHORTEST, _LONGEST = 60.0, 86_400.0  # seconds for which certificates are kept
_UNSAID = 300.0  # the same where their answer does not say
_FAILED_FOR = 10.0  # seconds without another try
_PATIENCE = 2.0  # seconds for another request's fetch
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])")


class NotSigned(Exception):
    """Nothing in the request is signed by Google for us."""


class AnotherCaller(Exception):
    """Google has signed the token, for another account than the operators'."""


class Pushes:
    """Shared by the web process's threads. ``audience``: our endpoint's address. ``account``: the service account that calls us.

    ``url``: an emulator's, or empty for Google's own address.
    """

    def __init__(
        self, audience: str, account: str, url: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._audience, self._account = audience, account
        self._certificates = _Certificates(clock)
        self._url = f"{url.rstrip('/') or _GOOGLES}{_CERTS}"

    def check(self, authorization: str) -> None:
        """Return if the header proves the operators' subscription. Raises ``NotSigned``, ``AnotherCaller``, ``ProviderUnavailable``."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or token.count(".") != 2 or len(token) > _MAX_TOKEN:
            raise NotSigned
        try:
            claims = id_token.verify_token(
                token, self._certificates, self._audience, self._url, clock_skew_in_seconds=_CLOCKS_DIFFER
            )
        except (exceptions.GoogleAuthError, ValueError) as error:
            raise NotSigned from error
        if claims.get("iss") != ISSUER:
            raise NotSigned
        if claims.get("email_verified") is not True or str(claims.get("email")).lower() != self._account:
            raise AnotherCaller

    def close(self) -> None:
        """Close connections."""
        self._certificates.close()


class _Certificates(transport.Request):
    """Google's certificates, for google-auth, which asks for them with every token: kept for as long as their answer says.

    A forged token costs no request. While Google does not answer, one thread at a time finds that out, every ten seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._http, self._lock, self._clock = GoogleHttp(), threading.Lock(), clock
        self._kept: tuple[HttpResponse, float] | None = None  # with the moment until which it is good
        self._not_before = 0.0

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> HttpResponse:
        if (known := self._known()) is not None:
            return known
        if not self._lock.acquire(timeout=_PATIENCE):
            raise _unavailable()
        try:
            if (known := self._known()) is not None:
                return known
            if self._clock() < self._not_before:
                raise _unavailable()
            self._not_before = self._clock() + _FAILED_FOR
            fetched = self._fetched(url)
            self._kept, self._not_before = fetched, 0.0
            return fetched[0]
        finally:
            self._lock.release()

    def _known(self) -> HttpResponse | None:
        kept = self._kept
        return kept[0] if kept is not None and self._clock() < kept[1] else None

    def _fetched(self, url: str) -> tuple[HttpResponse, float]:
        asked_at = self._clock()
        status, body, headers = self._http.ask(url, "GET", None, None)
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            found = None
        if (
            status != 200
            or not isinstance(found, dict)
            or not all(isinstance(v, str) for v in found.values())
        ):
            raise _unavailable()
        lasts = _lifetime({name.lower(): value for name, value in headers.items()})
        return HttpResponse(status, headers, body), asked_at + lasts

    def close(self) -> None:
        self._http.close()


def _lifetime(headers: Mapping[str, str]) -> float:
    said, age = _MAX_AGE.search(headers.get("cache-control", "").lower()), headers.get("age", "0")
    if said is None:
        return _UNSAID
    left = float(said[1]) - (float(age) if re.fullmatch(r"\d{1,9}", age) else 0.0)
    return min(max(left, _SHORTEST), _LONGEST)


def _unavailable() -> ProviderUnavailable:
    return ProviderUnavailable("Google's certificates cannot be had.", code="no_certificates")
