"""A PostgreSQL for each test process of the matrix, because its cells crash it."""

from collections.abc import Iterator

import psycopg
import pytest

from db.schema.migrate import upgrade
from lab.embedded import EmbeddedPostgres
from tests.conftest import Servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Some cells crash it; it is back at once."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("matrix") / "postgres", durable=False) as postgres:
        dsn = postgres.url("postgres").replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute("CREATE DATABASE template_onbehalf")
        upgrade(postgres.url("template_onbehalf"))
        yield Servers(postgres, dsn)
