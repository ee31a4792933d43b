"""Everything that an operator can get wrong, asked now, each with its fix. Changes nothing, and sends nothing.

It looks from where it runs: with the settings of this environment, over this host's network.
"""

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import assert_never, cast
from urllib.parse import urlsplit

import redis
import requests

from actions.doctor_hints import hints
from actions.doctor_outside import PATIENCE, Finding, State, plain, providers
from app import readiness
from app.redis_url import connect
from app.release import release
from app.runtime import Runtime
from db.core import stored_keys
from db.core.session import DatabaseUnavailable, Transaction, database_now
from db.schema import version
from db.sending import holds
from db.views import doctor, processes
from domain import servers
from domain.connection import Provider
from domain.errors import OperatorMisconfigured
from domain.moments import stated
from domain.processes import Process, missing, nobody, runs
from domain.servers import Fit, Server
from inbox.settings import InboxSettings
from workers.watchdog import MAX_SKEW, clock_skew

__all__ = ["Finding", "State", "examine"]
_RUN_ALL = "Start every process of the Procfile."


def examine(runtime: Runtime) -> list[Finding]:
    """Ask everything, one after the other; a minute at most."""
    return [
        Finding("settings", State.OK, "Every value is well-formed."),
        *_of_database(runtime),
        *_of_broker(runtime),
        *_clock(runtime),
        *_public_url(runtime),
        *_inbox_port(),
        *providers(runtime),
    ]


def _of_database(runtime: Runtime) -> Iterator[Finding]:
    try:
        with runtime.database.transaction() as tx:
            yield _fits_tests("database", doctor.server(tx), "It answers")
            if not version.is_recent(tx):
                yield Finding("schema", State.FAULT, readiness.OLD_SCHEMA, "onbehalf migrate")
                return
            yield Finding("schema", State.OK, f"It has what this release needs ({version.newest()}).")
            for check in (_roles, _keys, _google_mailboxes, hints, _tenants, _processes, _drain):
                yield from check(tx, runtime)
    except DatabaseUnavailable as error:
        yield Finding("database", State.FAULT, str(error), "Correct DATABASE_URL, or start the server.")


def _roles(tx: Transaction, _runtime: Runtime) -> Iterator[Finding]:
    if absent := doctor.absent_roles(tx):
        yield Finding(
            "roles",
            State.FAULT,
            f"There is no database role {', '.join(absent)}.",
            "onbehalf migrate --check prints the SQL for an administrator.",
        )
        return
    found = doctor.login(tx)
    if found.superuser or found.name == found.owner:
        yield Finding(
            "roles",
            State.WARNING,
            f"DATABASE_URL logs in as {found.name}, who owns the tables or is a superuser.",
            "Log in as onbehalf_worker here, and with each process's own role elsewhere (deploy/postgres/roles.sh).",
        )
    elif found.anybody_makes:
        yield Finding(
            "roles",
            State.WARNING,
            "Every role may make tables in this database, as before PostgreSQL 15.",
            f'As an administrator: ALTER SCHEMA public OWNER TO "{found.owner}"; REVOKE CREATE ON SCHEMA public FROM PUBLIC;',
        )
    else:
        yield Finding("roles", State.OK, f"Every role exists; this is {found.name}.")


def _keys(tx: Transaction, runtime: Runtime) -> Iterator[Finding]:
    if lacking := stored_keys.missing(tx, runtime.keys):
        yield Finding(
            "keys", State.FAULT, stored_keys.sentence(lacking), "Put the old keys back in SECRET_KEYS."
        )
    now, ours = database_now(tx), {each.hex() for each in runtime.keys.ids}
    running = [each for each in processes.everyone(tx) if runs(each, now)]
    wrong = [each for each in running if not _fits(each, ours, runtime.keys.newest_id.hex())]
    for each in wrong:
        variable = "SECRET_KEYS" if each.kind in ("worker", "scheduler") else "SEALING_PUBLIC_KEY"
        fix = (
            "Give it the SECRET_KEYS that all others have, and restart it."
            if variable == "SECRET_KEYS"
            else "Give it what `onbehalf keys web` prints, and restart it."
        )
        yield Finding("keys", State.FAULT, f"{_named(each)} has another {variable} than this.", fix)
    if not lacking and not wrong:
        yield Finding(
            "keys", State.OK, "The key ring reads everything that is stored, and all processes fit."
        )


def _fits(process: Process, ours: set[str], newest: str) -> bool:
    if process.kind in ("worker", "scheduler"):
        return newest in process.key_ids
    return set(process.key_ids) <= ours


def _processes(tx: Transaction, _runtime: Runtime) -> Iterator[Finding]:
    found, now = processes.everyone(tx), database_now(tx)
    running = [each for each in found if runs(each, now)]
    if not running:
        yield Finding("processes", State.FAULT, "No process has reported that it runs.", _RUN_ALL)
        return
    faults = [
        Finding("processes", State.FAULT, f"{nobody(each.role).capitalize()}.", _RUN_ALL)
        for each in missing(found, now)
        if not each.runs  # what keeps those from working follows
    ]
    if doctor.default_addresses(tx) and (said := _takes_no_answers(running)):
        fix = "Set INBOX_PORT and INBOX_NAME in the inbox process's environment, and start it."
        faults.append(
            Finding(
                "processes", State.FAULT, f"Default addresses are in use, and {said} what comes back.", fix
            )
        )
    faults += [
        Finding("processes", State.FAULT, f"{_named(each)}: {trouble}", "See its environment.")
        for each in running
        for trouble in each.troubles
    ]
    yield from faults or [
        Finding("processes", State.OK, f"{len(running)} run, and every queue has a worker.")
    ]
    if len(releases := {each.version for each in running} | {release()}) > 1:
        said = f"Several releases run, this command's included: {', '.join(sorted(releases))}."
        yield Finding("processes", State.WARNING, said, "Finish the upgrade: restart the older ones.")


def _drain(tx: Transaction, _runtime: Runtime) -> Iterator[Finding]:
    if (drain := holds.of_everybody(tx)) is None:
        yield Finding("drain", State.OK, "Nobody has stopped sending.")
        return
    since = stated(drain.since, "UTC", database_now(tx))
    said = f"All sending has been stopped since {since} UTC by {drain.held_by}: {drain.reason}."
    yield Finding("drain", State.WARNING, said, "When the maintenance is over: onbehalf drain --end")


def _takes_no_answers(running: list[Process]) -> str:
    inboxes = [each for each in running if each.kind == "inbox"]
    if not inboxes:
        return "no inbox process takes"
    # What else keeps one from working is among its own troubles.
    off = all(not each.works and not each.troubles for each in inboxes)
    return f"{_named(inboxes[0])}, which has no INBOX_PORT, does not take" if off else ""


def _named(process: Process) -> str:
    queues = f" {' '.join(process.queues)}" if process.queues else ""
    return f"{process.kind}{queues} on {process.host} (pid {process.pid})"


def _of_broker(runtime: Runtime) -> Iterator[Finding]:
    with closing(
        connect(runtime.settings.redis_url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    ) as client:
        try:
            client.ping()
            server = _broker(client)
        except redis.RedisError as error:
            said = f"Redis does not answer: {readiness.reason(error)}."
            yield Finding("broker", State.FAULT, said, "Correct REDIS_URL, or start the server.")
            return
        troubles = list(readiness.of_redis(client))
    for each in troubles:
        yield Finding(
            "broker", State.FAULT, each.said, "CONFIG SET maxmemory-policy noeviction, and in its file."
        )
    if not troubles:
        said = "It answers, and keeps what it has"
        yield _fits_tests("broker", server, said) if server else Finding("broker", State.OK, f"{said}.")


def _broker(client: redis.Redis) -> Server | None:
    try:
        return servers.broker(cast("dict[str, object]", client.info("server")))
    except redis.exceptions.NoPermissionError:
        return None  # INFO is not for every user


def _fits_tests(check: str, server: Server, otherwise: str) -> Finding:
    match server.fit:
        case Fit.TESTED:
            return Finding(check, State.OK, f"{otherwise} ({server.name} {server.version}).")
        case Fit.NEWER:
            fix = "Nothing, if all goes well; a newer Onbehalf is tested on it."
            return Finding(check, State.WARNING, server.sentence, fix)
        case Fit.TOO_OLD:
            return Finding(check, State.FAULT, server.sentence, "Upgrade the server.")
        case _:
            assert_never(server.fit)


def _clock(runtime: Runtime) -> Iterator[Finding]:
    skew = clock_skew(runtime)
    if skew is None:
        yield Finding("clock", State.SKIPPED, "The database did not answer fast enough to compare clocks.")
    elif abs(skew) > MAX_SKEW:
        said = (
            f"This host's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the database's."
        )
        yield Finding(
            "clock", State.FAULT, said, "Set both by NTP: workers end themselves while it is wrong."
        )
    else:
        yield Finding("clock", State.OK, f"This host and the database differ by {abs(skew):.1f} s.")


def _public_url(runtime: Runtime) -> Iterator[Finding]:
    url = runtime.settings.public_url
    fix = "Set PUBLIC_URL to where people reach the web process, and let its proxy pass /health."
    if (urlsplit(url).hostname or "") in ("localhost", "127.0.0.1", "::1") and not runtime.settings.emulated:
        yield Finding(
            "PUBLIC_URL", State.WARNING, f"{url} is this machine: links in emails lead nobody there.", fix
        )
        return
    try:
        said = requests.get(f"{url}/health/live", timeout=PATIENCE).text.strip()
    except OSError as error:
        yield Finding("PUBLIC_URL", State.FAULT, f"{url} does not answer: {plain(error)}.", fix)
        return
    if said == "ok":
        yield Finding("PUBLIC_URL", State.OK, f"{url} leads to a web process.")
    else:
        yield Finding("PUBLIC_URL", State.FAULT, f"{url} leads to something else than Onbehalf.", fix)


def _inbox_port() -> Iterator[Finding]:
    try:
        settings = InboxSettings.from_environment()
    except OperatorMisconfigured as error:
        yield Finding("inbox", State.FAULT, str(error), "Correct it in the inbox process's environment.")
        return
    if settings is None:
        yield Finding("inbox", State.SKIPPED, "INBOX_PORT is not set here.")
        return
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    place = f"{host}:{settings.port}"
    try:
        with socket.create_connection((host, settings.port), timeout=PATIENCE) as wire:
            greeting = wire.recv(100)
    except OSError as error:
        said = f"Nothing takes mail at {place}: {plain(error)}."
        yield Finding("inbox", State.FAULT, said, "Start inbox on this host, or run doctor where it runs.")
        return
    if greeting.startswith(b"220"):
        yield Finding("inbox", State.OK, f"Mail is taken at {place}.")
    else:
        yield Finding(
            "inbox", State.FAULT, f"{place} is no mail server.", "Correct INBOX_HOST and INBOX_PORT."
        )


def _tenants(tx: Transaction, _: Runtime) -> Iterator[Finding]:
    for each in doctor.lost_tenants(tx):
        said = f"Microsoft refuses us in the whole tenant of {each.organization} since {each.since:%Y-%m-%d %H:%M} UTC ({each.code})."
        fix = (
            f"Its administrator gives the consent again, then: onbehalf tenant connect {each.organization!r}."
        )
        yield Finding("tenant", State.WARNING, said, fix)


def _google_mailboxes(tx: Transaction, runtime: Runtime) -> Iterator[Finding]:
    if not runtime.settings.google_client_id and (count := doctor.connected_by(tx, Provider.GMAIL)):
        fix = "Set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET."
        yield Finding("google", State.FAULT, readiness.google_missing(count), fix)
