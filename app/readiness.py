"""Why a process is not ready, in sentences that name the setting and the server's own reason.

``check_at_start`` ends a process whose settings are wrong: a supervisor shows its last line. What is only away is waited for.
``Readiness`` is what probes ask while it runs, and what its heartbeat says of it.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

import redis
import structlog

from db.core import stored_keys, trouble
from db.core.crypto import KeyRing
from db.core.session import Database, DatabaseRefuses, DatabaseUnavailable
from db.schema import version
from db.sending import holds
from db.views import doctor
from domain.connection import Provider
from domain.errors import OperatorMisconfigured

log = structlog.get_logger()

OLD_SCHEMA = "The database's schema is older than this release: run onbehalf migrate."
_DRAINED = (
    "drained: all sending is stopped since {:%Y-%m-%d %H:%M:%S} UTC by {}; onbehalf drain --end lets it go on"
)
_KEYS_HOLD = 60.0  # seconds for which a good answer about the key ring holds
_NAMES_WITHIN = 60.0  # seconds from the start in which a host may get its address
_ASK_EVERY = 1.0
_WRONG_REDIS = re.compile(r"certificate|DB index is out of range")


class Trouble(NamedTuple):
    """Why a process is not ready. ``stops``: it can do nothing at all; otherwise what it lacks concerns some of its work."""

    said: str
    stops: bool


class Readiness:
    """Asks the database, the key ring and the broker. ``ring``, ``broker``: None where the process has none.

    ``google``: can it use mailboxes there, or does it use none?
    """

    def __init__(
        self,
        database: Database,
        *,
        ring: KeyRing | None = None,
        broker: redis.Redis | None = None,
        google: bool = True,
    ) -> None:
        self._database, self._ring, self._broker, self._google = database, ring, broker, google
        self._recent = False
        self._keys_good_until = 0.0
        self._remarks: tuple[str, ...] = ()

    @property
    def schema_is_recent(self) -> bool:
        """Has the database, when it last answered, had what this release needs?"""
        return self._recent

    def remarks(self) -> tuple[str, ...]:
        """Return what is good to know and no trouble, as of the last time that it was asked for troubles: a drain."""
        return self._remarks

    def troubles(self) -> tuple[str, ...]:
        """Return why this process is not ready; empty = it is."""
        return tuple(each.said for each in self.examine())

    def examine(self) -> tuple[Trouble, ...]:
        """Return the same, and whether it works nevertheless."""
        return (*self._of_database(), *(() if self._broker is None else of_redis(self._broker)))

    def _of_database(self) -> list[Trouble]:
        try:
            with self._database.transaction() as tx:
                # A schema never gets older, so a good answer holds.
                self._recent = self._recent or version.is_recent(tx)
                if not self._recent:
                    return [Trouble(OLD_SCHEMA, stops=True)]
                if self._ring is None:
                    return []
                # Of a process that sends, or plans what is sent.
                drain = holds.of_everybody(tx)
                self._remarks = () if drain is None else (_DRAINED.format(drain.since, drain.held_by),)
                if time.monotonic() < self._keys_good_until:
                    return []
                if missing := stored_keys.missing(tx, self._ring):
                    # One that lacks a single key serves everybody else.
                    nothing = not stored_keys.reads_something(tx, self._ring)
                    return [Trouble(stored_keys.sentence(missing), stops=nothing)]
                if not self._google and (count := doctor.connected_by(tx, Provider.GMAIL)):
                    return [Trouble(google_missing(count), stops=False)]
        except DatabaseUnavailable as error:
            return [Trouble(str(error), stops=True)]
        self._keys_good_until = time.monotonic() + _KEYS_HOLD
        return []


def google_missing(count: int) -> str:
    """Say that nothing leaves from so many mailboxes."""
    return f"{count} {'mailbox is' if count == 1 else 'mailboxes are'} connected at Google, and GOOGLE_CLIENT_ID is not set."


def of_redis(client: redis.Redis) -> Iterator[Trouble]:
    """Yield what is wrong with the broker."""
    try:
        policy = eviction_policy(client)
    except redis.exceptions.NoPermissionError:
        return  # it answers, and INFO is not for every user
    except redis.RedisError as error:
        yield Trouble(f"Redis does not answer: {reason(error)}.", stops=True)
        return
    # Queues have no expiry, so volatile-* evicts none of them. All is well until the memory is full.
    if policy.startswith("allkeys"):
        said = f"Redis throws messages away when its memory is full (maxmemory-policy {policy}). Set it to noeviction."
        yield Trouble(said, stops=False)


def eviction_policy(client: redis.Redis) -> str:
    """Return what Redis does when its memory is full; empty if it does not say. Raises ``redis.RedisError``."""
    info = cast("dict[str, object]", client.info("memory"))
    return str(info.get("maxmemory_policy", ""))


def reason(error: redis.RedisError) -> str:
    """Return Redis's own words, in one line. They hold no password."""
    return " ".join(str(error).split()).rstrip(".")[:300] or type(error).__name__


def check_at_start(
    database: Database, *, ring: KeyRing | None = None, broker: redis.Redis | None = None
) -> None:
    """Raise ``OperatorMisconfigured`` if a setting is wrong. Log what else keeps the process from working, and go on.

    A host without an address may be a container that is down: a minute later, it is a wrong name.
    """
    until = time.monotonic() + _NAMES_WITHIN
    if broker is not None:
        _wait_for_names(lambda: _check_redis(broker), until)
    _wait_for_names(lambda: _check_database(database, ring), until)


class _NoName(OperatorMisconfigured):
    """A host has no address at present."""


def _wait_for_names(check: Callable[[], None], until: float) -> None:
    """Repeat ``check`` while a host has no address. ``until``: monotonic seconds."""
    while True:
        try:
            check()
        except _NoName as error:
            if time.monotonic() > until:
                raise
            log.warning("host_not_known", error=str(error))
            time.sleep(_ASK_EVERY)
        else:
            return


def _check_database(database: Database, ring: KeyRing | None) -> None:
    try:
        with database.transaction() as tx:
            if not version.is_recent(tx):
                log.error("schema_too_old", reason=OLD_SCHEMA)
            elif ring is not None and (missing := stored_keys.missing(tx, ring)):
                if not stored_keys.reads_something(tx, ring):
                    raise OperatorMisconfigured(stored_keys.sentence(missing))
                log.error("keys_missing", reason=stored_keys.sentence(missing))
    except DatabaseRefuses as error:
        kind = _NoName if trouble.is_unnamed(error.reason) else OperatorMisconfigured
        raise kind(f"DATABASE_URL: {error.reason}.") from error
    except DatabaseUnavailable as error:
        log.warning("database_unavailable", job="start", error=str(error))


def _check_redis(client: redis.Redis) -> None:
    try:
        client.ping()
    except redis.RedisError as error:
        # redis-py tells a refused login apart; a wrong host, number or certificate only by its text.
        refused = isinstance(error, (redis.AuthenticationError, redis.exceptions.NoPermissionError))
        if trouble.is_unnamed(str(error)):
            raise _NoName(f"REDIS_URL: {reason(error)}.") from error
        if refused or _WRONG_REDIS.search(str(error)):
            raise OperatorMisconfigured(f"REDIS_URL: {reason(error)}.") from error
        log.warning("broker_unavailable", job="start", error=reason(error))
        return
    for each in of_redis(client):
        log.error("broker_unfit", reason=each.said)
