"""A database URL in every form that libpq accepts. One that cannot be parsed gets an error that does not repeat it."""

import pytest

from db.core.database_url import read
from domain.errors import OperatorMisconfigured


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_several_hosts_are_taken(scheme: str) -> None:
    found = read(f"{scheme}://u:p@h1:5432,h2:5433/db?target_session_attrs=read-write&pooler=transaction")
    assert found.pooled
    assert found.parameters == {
        "user": "u", "password": "p", "dbname": "db", "host": "h1,h2", "port": "5432,5433", "target_session_attrs": "read-write",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://u@/db?host=h1:5432&host=h2:5433", "h1,h2", "5432,5433"),
        ("postgresql://u@/db?host=h1&host=h2:5433", "h1,h2", "5432,5433"),
        ("postgresql://u@/db?host=/var/run/postgresql", "/var/run/postgresql", None),
        ("postgresql://u@[::1]:5555/db", "::1", "5555"),
        ("postgresql://u@h/db?sslmode=verify-full&sslrootcert=/etc/ca.pem", "h", None),
    ],
)
def test_other_ways_to_name_hosts_are_taken(url: str, host: str, port: str | None) -> None:
    found = read(url).parameters
    assert (found["host"], found.get("port")) == (host, port)


def test_a_password_may_hold_anything_that_is_escaped() -> None:
    assert read("postgresql://u:p%40ss%2Fw%3A%23%25@h/db").parameters["password"] == "p@ss/w:#%"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hush@h/db", "postgresql://u:hu@sh#x@h:port/db", "postgresql://u:hush@h/db?no_such_option=1", "h/db",
        "postgresql://u:hush%zz@h/db", "postgresql://u:hush@h/db?pooler=session",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_not_repeated(url: str) -> None:
    with pytest.raises(OperatorMisconfigured, match="DATABASE_URL") as raised:
        read(url)
    assert "hu" not in str(raised.value).replace("should", "")
    assert "several hosts" in str(raised.value)
