"""The engine and the one commit of the whole product.

``with database.transaction() as tx:`` is the only way rows change. A commit whose answer was lost raises
``CommitUnknown``: the caller re-reads, it never assumes.
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
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from db.core import database_url, entra_login
from domain.errors import OnbehalfError

Transaction: TypeAlias = Connection
Result = TypeVar("Result")

# Limits of one session, so that nothing of ours can hold a lock for long: a hung client is cut off by the
# server, a dead server is noticed by the client.
_SETTINGS = {
    "statement_timeout": "30000",
    "lock_timeout": "10000",
    "idle_in_transaction_session_timeout": "15000",
    "timezone": "UTC",
    "synchronous_commit": "on",
    "jit": "off",
}
# The gate reads again after it has locked, which needs READ COMMITTED, whatever the database or the role has for a default.
_OPTIONS = " ".join(
    [
        *(f"-c {name}={value}" for name, value in _SETTINGS.items()),
        r"-c default_transaction_isolation=read\ committed",
    ]
)
_SET_LOCALLY = text(
    "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items())
)
# For the transaction only, so that a pooled connection comes back as it was.
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


_RESTED = 2.0  # seconds in the pool after which a connection is asked whether it lives


class DatabaseUnavailable(OnbehalfError):
    """The database cannot be reached, or gave up on a lock. Nothing of the transaction stands; try again later."""


class CommitUnknown(DatabaseUnavailable):
    """The connection broke while committing: the change may or may not stand. Re-read before acting."""


class Database:
    """A pool of connections to one Postgres. ``url``: as libpq takes it (``db/core/database_url.py``).

    With ``?pooler=transaction`` in it a pooler such as PgBouncer stands between, whose server sessions are not ours:
    nothing is prepared in them, and our settings are set in each transaction.

    ``by_key``: for work whose statements all find their rows by keys. Postgres then plans each once a connection, whatever its
    parameters, until it has counted its tables anew. Left to itself it compares with what a plan seemed to cost while the tables
    were other tables, and may plan the same statement for every email again: 4 ms of CPU each (docs/performance.md).
    """

    def __init__(
        self, url: str, *, pool_size: int = 8, application: str = "onbehalf", by_key: bool = False
    ) -> None:
        self.url = url
        address = database_url.read(url)
        self._pooled = address.pooled
        options = f"{_OPTIONS} -c plan_cache_mode=force_generic_plan" if by_key else _OPTIONS
        session = {"prepare_threshold": None} if self._pooled else {"options": options}
        self.engine = open_engine(
            url,
            application=application,
            session=session,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            pool_recycle=1800,
            pool_use_lifo=True,  # the connection used last: what Postgres' process of it needs is still at hand
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )
        event.listen(self.engine, "checkin", _note_use)
        event.listen(self.engine, "checkout", _ping_after_rest)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction, committed when the block ends and rolled back when it raises.

        Raises ``DatabaseUnavailable`` and ``CommitUnknown``; what is wrong with a statement itself stays SQLAlchemy's error.
        """
        try:
            with self.engine.connect() as connection:
                connection.begin()  # SQLAlchemy would not see that a ``Statement`` has begun one, and commit nothing
                if self._pooled:
                    connection.execute(_SET_LOCALLY)
                yield connection
                try:
                    connection.commit()
                except DBAPIError as error:
                    if error.connection_invalidated:
                        raise CommitUnknown("The database connection broke during a commit.") from error
                    raise
        except (DBAPIError, PoolTimeout) as error:
            unavailable = self._unavailable(error)
            if unavailable is None:
                raise
            raise unavailable from error

    @contextmanager
    def statement(self) -> Iterator[Transaction]:
        """For one statement, which commits by itself: two round trips less. Raises as ``transaction``."""
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
                        # Broken, or left in the middle: nobody may take it for one that begins transactions.
                        connection.invalidate()
        except (DBAPIError, PoolTimeout) as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise CommitUnknown("The database connection broke during a statement.") from error
            unavailable = self._unavailable(error)
            if unavailable is None:
                raise
            raise unavailable from error

    def _unavailable(self, error: DBAPIError | PoolTimeout) -> DatabaseUnavailable | None:
        """What passes by itself; None for a statement that is wrong."""
        if _demoted(error):
            # A failover behind one address: the connections lead to the former primary, which stays up and takes no writes.
            self.engine.dispose()
            return DatabaseUnavailable(f"The database takes no writes ({_reason(error)}).")
        # Psycopg's OperationalError: no server, a broken connection, a shutdown, a lock or statement timeout, a deadlock.
        if isinstance(error, (OperationalError, PoolTimeout)) or error.connection_invalidated:
            return DatabaseUnavailable(f"The database is away or busy ({_reason(error)}).")
        return None

    def for_tenant(self, organization_id: UUID) -> "Database":
        """The same database as one organization sees it: Postgres itself shows and takes no other's rows."""
        return _TenantDatabase(self, organization_id)

    def close(self) -> None:
        """Give all connections back to the server."""
        self.engine.dispose()


class _TenantDatabase(Database):
    """Row-level security holds in its transactions (``migrations``, ``tenants_apart``)."""

    def __init__(self, whole: Database, organization_id: UUID) -> None:
        self.engine, self._pooled = whole.engine, whole._pooled
        self._organization_id = organization_id

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with super().transaction() as tx:
            tx.execute(_AS_TENANT, {"id": str(self._organization_id)})
            yield tx

    @contextmanager
    def statement(self) -> Iterator[Transaction]:
        with self.transaction() as tx:
            yield tx


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _ping_after_rest(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask whether a connection still lives, but not when it was used a moment ago: that costs a round trip each time."""
    if time.monotonic() - record.info.get("used_at", time.monotonic()) < _RESTED:
        return
    alone = connection.autocommit
    try:
        # Without a transaction: that would need a rollback, after which psycopg forgets what it has prepared.
        connection.autocommit = True
        connection.execute("")
        connection.autocommit = alone
    except psycopg.Error as error:
        raise DisconnectionError from error  # the pool makes a new one


def retry_while_unavailable(work: Callable[[], Result], within: float) -> Result:
    """Do ``work``, a transaction that may run twice, again each second while the database is away.

    For what is known here and nowhere else. After ``within`` seconds its ``DatabaseUnavailable`` passes.
    """
    until = time.monotonic() + within
    while True:
        try:
            return work()
        except DatabaseUnavailable:
            if time.monotonic() > until:
                raise
            time.sleep(1)


def _reason(error: DBAPIError | PoolTimeout) -> str:
    """The kind of failure; never the text, which may quote a URL."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return type(cause).__name__


def _demoted(error: DBAPIError | PoolTimeout) -> bool:
    """Whether the server has become a standby, or is set to read only."""
    return isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.errors.ReadOnlySqlTransaction)


def open_engine(url: str, *, application: str, session: Mapping[str, object], **pool: Any) -> Engine:
    """An engine whose connections libpq opens, by all that it understands. Raises ``OperatorMisconfigured``.

    ``session``: what a connection is opened with beside the URL. What the URL says of time limits and options stands too.
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
        except entra_login.NoEntraToken as error:  # as good as a database that is away
            raise psycopg.OperationalError(str(error)) from error
        return psycopg.connect(**values, password=token)

    # The isolation level stands in each BEGIN: a pooler keeps no settings of a session.
    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        **pool,
    )


def database_now(tx: Transaction) -> datetime:
    """The clock all processes share, aware UTC."""
    now: datetime = tx.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now
