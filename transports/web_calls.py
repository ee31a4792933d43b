"""POST to an address that somebody typed: over TLS, to the open internet, once, and no redirect is followed."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from domain.errors import InvalidInput, ProviderUnavailable
from transports.addresses import resolve

_CONNECTING, _READING = 5.0, 10.0  # seconds; connecting, for all addresses together
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be called."""

    url: str
    host: str
    port: int
    path: str
    encrypted: bool


def check_url(url: str, *, anywhere: bool) -> Target:
    """Read a webhook's URL. ``anywhere``: plain http and this machine too (a demo). Raises ``InvalidInput``."""

    def refuse(what: str) -> InvalidInput:
        return InvalidInput(what, where="url", fix="Write it like https://hooks.example.org/onbehalf.")

    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise refuse("it is no URL") from error
    if len(url) > _LONGEST or not url.isascii() or any(ord(letter) <= 32 for letter in url):
        raise refuse("it is no URL")
    if parts.scheme != "https" and not (anywhere and parts.scheme == "http"):
        raise refuse("it is not https")
    if not parts.hostname or "@" in parts.netloc or parts.fragment or port == 0:
        raise refuse("it needs a host, and no user or fragment")
    encrypted = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url, parts.hostname, port or (443 if encrypted else 80), path, encrypted)


def post(target: Target, body: bytes, headers: Mapping[str, str], *, anywhere: bool) -> int:
    """The answer's status. Raises ``ServerUnsafe`` (it leads into a private network) and ``ProviderUnavailable``."""
    addresses = resolve(target.host, target.port, anywhere=anywhere)
    limits = urllib3.Timeout(connect=_CONNECTING / len(addresses), read=_READING)
    *others, last = addresses
    try:
        for address in others:
            try:
                return _post(address, target, body, headers, limits)
            except (NewConnectionError, ConnectTimeoutError):
                continue  # it has got nothing; the last one's error is told
        return _post(last, target, body, headers, limits)
    except (HTTPError, OSError) as error:
        name = type(error).__name__
        raise ProviderUnavailable(f"The webhook's server cannot be reached ({name}).", code=name) from error


def _post(
    address: str, target: Target, body: bytes, headers: Mapping[str, str], limits: urllib3.Timeout
) -> int:
    if target.encrypted:
        pool: urllib3.HTTPConnectionPool = urllib3.HTTPSConnectionPool(
            address,
            target.port,
            ssl_context=ssl.create_default_context(),
            server_hostname=target.host,  # the certificate must bear the name, whatever the address
            assert_hostname=target.host,
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, target.port)
    usual = 443 if target.encrypted else 80
    host = target.host if target.port == usual else f"{target.host}:{target.port}"
    with pool:
        answer = pool.urlopen(
            "POST", target.path, body=body, headers={**headers, "Host": host}, retries=False, redirect=False,
            timeout=limits, preload_content=False,
        )  # fmt: skip
        answer.close()  # what it says beside its status is nobody's business
    return int(answer.status)
