"""From ``REDIS_URL`` to a client: one server (``redis``, ``rediss``, ``unix``), or whoever a Sentinel names as master.

``sentinel://[:password@]host:port[,host:port…]/SERVICE/DATABASE``; ``sentinels`` speaks TLS to Sentinels and servers.
The password is the servers'; Sentinels that ask for the same one get it too.
"""

from typing import Any
from urllib.parse import unquote

import redis
from redis.sentinel import Sentinel

from domain.errors import OperatorMisconfigured

_FORM = "Write it as sentinel://:password@host:26379,host:26379/SERVICE/0."


def connect(url: str, **options: Any) -> redis.Redis:
    """A client; connects at first use. ``options`` are redis-py's. Raises ``OperatorMisconfigured``."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("sentinel", "sentinels"):
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


def _host(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host:
        raise ValueError(text)
    return host.strip("[]"), int(port)
