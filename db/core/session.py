"""The engine and the only commit in the product.

Rows change only within ``with database.transaction() as tx:``. If the answer to a commit is lost, it raises
``CommitUnknown``: the caller re-reads and assumes nothing.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import tracing
from db.core import database_url, entra_login, trouble
from db.core.pool import ClosingPool, check_rested
from domain.errors import OnbehalfError

Transaction: TypeAlias = Connection
Result = TypeVar("Result")

# Limits per session, so that we cannot hold a lock for long: the server cuts off a hung client, and the client notices a
# dead server.
_SETTINGS = {
    "statement_timeout": "30000",
    "lock_timeout": "10000",
    "idle_in_transaction_session_timeout": "15000",
    "timezone": "UTC",
    "synchronous_commit": "on",
    "jit": "off",
}
# The gate reads again after locking, which needs READ COMMITTED, whatever default the database or role has.
_OPTIONS = " ".join(
    [
        *(f"-c {name}={value}" for name, value in _SETTINGS.items()),
        r"-c default_transaction_isolation=read\ committed",
    ]
)
_SET_LOCALLY = text(
    "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items())
)
# Only for the transaction, so that a pooled connection goes back unchanged.
_AS_TENANT = text(
    "SELECT set_config('role', 'onbehalf_tenant', true), set_config('onbehalf.organization', :id, true)"
)
_KEEPALIVE = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


FOR_VISITORS = "The database is away or busy."  # the reason names hosts and roles, and is for operators


class DatabaseUnavailable(OnbehalfError):
    """The database is unreachable or gave up on a lock. The transaction changed nothing; try again later."""


class DatabaseRefuses(DatabaseUnavailable):
    """Our settings are wrong, or the server refuses them: waiting does not help. ``reason``: the server's or libpq's own words.

    Entry points end with it; whoever runs waits as for a database that is away, since a password may be changing.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The database cannot be used (DATABASE_URL): {reason}.")


class CommitUnknown(DatabaseUnavailable):
    """The connection broke during a commit, which may or may not have taken effect. Re-read before acting."""


class Database:
    """A pool of connections to one Postgres. ``url``: as libpq takes it (``db/core/database_url.py``).

    With ``?pooler=transaction``, there is a pooler such as PgBouncer in between and server sessions are not ours: we prepare
    no statements and set our settings in each transaction.

    ``by_key``: for work whose statements all find rows by key. Postgres then plans each statement once per connection, whatever
    its parameters, until it analyzes the tables again. By default it compares with what a plan seemed to cost when the tables
    were different, and may plan the same statement again for every email: 4 ms of CPU each (docs/performance.md).
    """

    def __init__(
        self, url: str, *, pool_size: int = 8, application: str = "onbehalf", by_key: bool = False
    ) -> None:
        self.url = url
        address = database_url.read(url)
        self._pooled, self._password = address.pooled, address.parameters.get("password")
        options = f"{_OPTIONS} -c plan_cache_mode=force_generic_plan" if by_key else _OPTIONS
        session = {"prepare_threshold": None} if self._pooled else {"options": options}
        self.engine = open_engine(
            url,
            application=application,
            session=session,
            poolclass=ClosingPool,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            pool_recycle=1800,
            pool_use_lifo=True,  # the most recently used connection: its Postgres process still has its caches
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )
        check_rested(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Run one transaction, committed when the block ends and rolled back when it raises.

        Raises ``DatabaseUnavailable`` and ``CommitUnknown``. Errors in a statement itself stay SQLAlchemy's.
        """
        try:
            with self.engine.connect() as connection:
                connection.begin()  # SQLAlchemy would not notice that a ``Statement`` began one, and would commit nothing
                if self._pooled:
                    connection.execute(_SET_LOCALLY)
                yield connection
                try:
                    with tracing.child("COMMIT", "client"):
                        connection.commit()
                except DBAPIError as error:
                    if error.connection_invalidated:
                        raise CommitUnknown("The database connection broke during a commit.") from error
                    raise
        except (DBAPIError, PoolTimeout) as error:
            trouble_met = self._unavailable(error)
            if trouble_met is None:
                raise
            raise trouble_met from error

    @contextmanager
    def statement(self) -> Iterator[Transaction]:
        """Run one statement in autocommit, which saves two round trips. Raises the same errors as ``transaction``."""
        if self._pooled:
            with self.transaction() as tx:
                yield tx
            return
        try:
            with self.engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                driver.autocommit = True  # SQLAlchemy's own way costs as much as the statement's round trip
                try:
                    yield connection
                finally:
                    if driver.pgconn.transaction_status == TransactionStatus.IDLE:
                        driver.autocommit = False
                    else:
                        # Broken, or interrupted: nobody may reuse it as a connection that begins transactions.
                        connection.invalidate()
        except (DBAPIError, PoolTimeout) as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise CommitUnknown("The database connection broke during a statement.") from error
            trouble_met = self._unavailable(error)
            if trouble_met is None:
                raise
            raise trouble_met from error

    def _unavailable(self, error: DBAPIError | PoolTimeout) -> DatabaseUnavailable | None:
        """Return the error for a transient failure; None if the statement is wrong."""
        if _demoted(error):
            # A failover behind one address: our connections lead to the former primary, which is up but refuses writes.
            self.engine.dispose()
            return DatabaseUnavailable(
                f"The database takes no writes: {trouble.reason(error, self._password)}."
            )
        # Psycopg's OperationalError: no server, a broken connection, a shutdown, a lock or statement timeout, a deadlock.
        if isinstance(error, (OperationalError, PoolTimeout)) or error.connection_invalidated:
            return unavailable(error, self._password)
        return None

    def for_tenant(self, organization_id: UUID) -> "Database":
        """Return the same database as one organization sees it: Postgres itself hides and refuses other organizations' rows."""
        return _TenantDatabase(self, organization_id)

    def close(self) -> None:
        """Close all connections, and those in use as soon as they return."""
        self.engine.pool.dispose()  # the engine's own would begin a new pool, which nobody closes


class _TenantDatabase(Database):
    """Row-level security applies in its transactions (``migrations``, ``tenants_apart``)."""

    def __init__(self, whole: Database, organization_id: UUID) -> None:
        self.engine, self._pooled, self._password = whole.engine, whole._pooled, whole._password
        self._organization_id = organization_id

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with super().transaction() as tx:
            as_tenant(tx, self._organization_id)
            yield tx

    @contextmanager
    def statement(self) -> Iterator[Transaction]:
        with self.transaction() as tx:
            yield tx


def as_tenant(tx: Transaction, organization_id: UUID) -> None:
    """Hide every other organization's rows for the rest of the transaction."""
    tx.execute(_AS_TENANT, {"id": str(organization_id)})


def retry_while_unavailable(work: Callable[[], Result], within: float) -> Result:
    """Repeat ``work``, a transaction that may run twice, every second while the database is unavailable.

    Use only when losing the result would lose information. After ``within`` seconds, raises its ``DatabaseUnavailable``.
    """
    until = time.monotonic() + within
    while True:
        try:
            return work()
        except DatabaseUnavailable:
            if time.monotonic() > until:
                raise
            time.sleep(1)


def unavailable(error: DBAPIError | PoolTimeout, password: str | None) -> DatabaseUnavailable:
    """Return our error for a database that is away, busy, or refuses our settings, with its own reason."""
    reason = trouble.reason(error, password)
    at_connecting = isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) is None
    if at_connecting and trouble.is_wrong(reason):
        return DatabaseRefuses(reason)
    return DatabaseUnavailable(f"The database is away or busy: {reason}.")


def _demoted(error: DBAPIError | PoolTimeout) -> bool:
    """Has the server become a standby, or is it read-only?"""
    return isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.errors.ReadOnlySqlTransaction)


def open_engine(url: str, *, application: str, session: Mapping[str, object], **pool: Any) -> Engine:
    """Create an engine whose connections libpq opens, with all its options. Raises ``OperatorMisconfigured``.

    ``session``: settings in addition to the URL. Timeouts and options in the URL apply too.
    """
    address = database_url.read(url)
    given = dict(address.parameters)
    if "options" in session and "options" in given:
        given["options"] = f"{given['options']} {session['options']}"
    values: dict[str, Any] = {"application_name": application, **_KEEPALIVE, **session, **given}

    def connect() -> psycopg.Connection[Any]:
        if not address.by_entra:
            return psycopg.connect(**values)
        try:
            token = entra_login.token(entra_login.POSTGRES)
        except entra_login.NoEntraToken as error:  # treat it like an unreachable database
            raise psycopg.OperationalError(str(error)) from error
        return psycopg.connect(**values, password=token)

    # Each BEGIN names the isolation level, because a pooler keeps no session settings.
    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        **pool,
    )


def database_now(tx: Transaction) -> datetime:
    """Return the time of the clock that all processes share, aware UTC."""
    now: datetime = tx.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now
