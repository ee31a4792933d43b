"""From ``REDIS_URL`` to a client: one server (``redis``, ``rediss``, ``unix``), or whoever a Sentinel names as master.

``sentinel://[:password@]host:port[,host:port…]/SERVICE/DATABASE``; ``sentinels`` speaks TLS to Sentinels and servers.
The password is the servers'; Sentinels that ask for the same one get it too. ``rediss://NAME.redis.cache.windows.net:6380/0?auth=entra``
logs in at Azure's Redis with a token of Microsoft Entra (``db/core/entra_login.py``).
"""

from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

import redis
from redis.sentinel import Sentinel

from db.core import entra_login
from domain.errors import OperatorMisconfigured

_FORM = "Write it as sentinel://:password@host:26379,host:26379/SERVICE/0."


def connect(url: str, **options: Any) -> redis.Redis:
    """A client; connects at first use. ``options`` are redis-py's. Raises ``OperatorMisconfigured``."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("sentinel", "sentinels"):
        if "auth" in parse_qs(urlsplit(url).query):
            url, options = _without_login(url), {**options, "credential_provider": EntraLogin()}
        return redis.Redis.from_url(url, **options)
    place, _, path = rest.partition("/")
    userinfo, _, hosts = place.rpartition("@")
    service, _, database = path.partition("/")
    try:
        sentinels = [_host(each) for each in hosts.split(",")]
        number = int(database or "0")
    except ValueError:
        raise OperatorMisconfigured(
            f"REDIS_URL: a Sentinel's host or the database is malformed. {_FORM}"
        ) from None
    if not service:
        raise OperatorMisconfigured(f"REDIS_URL: the Sentinels' service name is missing. {_FORM}")
    user, _, password = userinfo.partition(":")
    access = {"password": unquote(password) or None, "username": unquote(user) or None}
    secure = {"ssl": True} if scheme == "sentinels" else {}
    patience = {"socket_timeout": options.get("socket_timeout", 5), "socket_connect_timeout": 5}
    found = Sentinel(  # type: ignore[no-untyped-call]
        sentinels, sentinel_kwargs={**access, **secure, **patience}, **access, **secure, **options, db=number
    )
    client: redis.Redis = found.master_for(service)  # type: ignore[no-untyped-call]
    return client


class EntraLogin(redis.CredentialProvider):
    """The host's identity at Azure's Redis: its object id, and a token that redis-py asks for with each new connection."""

    def get_credentials(self) -> tuple[str, str]:
        """Raises ``redis.ConnectionError``: as good as a Redis that is away."""
        try:
            token = entra_login.token(entra_login.REDIS)
            return entra_login.object_id(token), token
        except entra_login.NoEntraToken as error:
            raise redis.ConnectionError(str(error)) from error


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    if query.pop("auth") != ["entra"]:
        raise OperatorMisconfigured("REDIS_URL: auth can only be entra.")
    if parts.username or parts.password:
        raise OperatorMisconfigured("REDIS_URL: with ?auth=entra leave out the name and the password.")
    if parts.scheme == "redis" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise OperatorMisconfigured(
            "REDIS_URL: with ?auth=entra the connection must be encrypted: rediss://."
        )
    return urlunsplit(parts._replace(query=urlencode(query, doseq=True)))


def _host(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host:
        raise ValueError(text)
    return host.strip("[]"), int(port)
