"""``make servers`` runs on the servers that it says, and on all that the product says it supports."""

import os
from pathlib import Path

import psycopg
import redis

from domain import servers as supported
from lab.embedded import POSTGRES, REDIS, major_version
from lab.servers.__main__ import POSTGRESQL, VALKEY
from tests.conftest import Servers

_NEWEST = {"PostgreSQL": 18, "Valkey": 9}  # what the packages of pyproject.toml bring: all tests run on them


def test_every_version_that_is_supported_is_tried() -> None:
    tested = supported.TESTED
    assert {*POSTGRESQL, _NEWEST["PostgreSQL"]} == set(tested["PostgreSQL"])
    assert {VALKEY, _NEWEST["Valkey"]} == set(tested["Valkey"])


def test_the_environment_chooses_the_servers(servers: Servers, redis_url: str) -> None:
    with psycopg.connect(servers.admin_dsn) as connection:
        major = connection.info.server_version // 10_000
    if chosen := os.environ.get(POSTGRES):
        assert major == major_version(Path(chosen))
    else:
        assert major == _NEWEST["PostgreSQL"]
    with redis.Redis.from_url(redis_url) as client:
        info = client.info("server")
    if chosen := os.environ.get(REDIS):
        assert Path(info["executable"]).resolve() == Path(chosen).resolve()
    else:
        assert info["valkey_version"].startswith(f"{_NEWEST['Valkey']}.")
    assert supported.broker(info).fit is supported.Fit.TESTED
