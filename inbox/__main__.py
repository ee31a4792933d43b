"""``python -m inbox``: takes mail for default addresses by SMTP, and can read none of it once it is kept."""

import asyncio
import logging
import signal
import ssl
import sys
from base64 import b64encode
from collections.abc import Iterable

import structlog

import counters
from app import health, telemetry
from app.heartbeat import Heartbeat
from app.one_environment import keep_own_secrets
from app.readiness import Readiness, check_at_start
from app.servers import open_database
from config import SCHEMA_ONLY, Settings
from db.core.crypto import KeyRing, Seal
from db.core.session import Database
from domain.errors import OperatorMisconfigured
from inbox.receiver import Receiver
from inbox.session import LINGERS, Hosts, Memory, SmtpSession
from inbox.settings import InboxSettings
from observability import configure_logging, log_whatever_ends_a_process

log = structlog.get_logger()

MAX_CONNECTIONS, MAX_CONNECTIONS_OF_ONE = 100, 20
MAX_MESSAGES_HELD = 4  # of the largest size, over all connections
_ENDS_WITHIN = 40.0  # seconds
_TURNS = 5  # of the event loop, until a connection that it has accepted is one of ours


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    keep_own_secrets(
        "inbox", lambda keys: {"SEALING_PUBLIC_KEY": b64encode(KeyRing(keys).public_key).decode()}
    )
    try:
        settings = Settings.from_environment(without=SCHEMA_ONLY, for_inbox=True)
        inbox = InboxSettings.from_environment()
        configure_logging(settings.log_format, settings.log_level, process="inbox", counted=counters.logged)
        log_whatever_ends_a_process()
        unwatch = telemetry.start("inbox")
        sealer = Seal(settings.sealing_public_key)
        database = open_database(settings, application="onbehalf-inbox", pool_size=4)
        check_at_start(database)
    except OperatorMisconfigured as error:
        sys.exit(f"onbehalf: {error}")
    logging.getLogger("mail.log").disabled = True  # aiosmtpd's, which names senders and recipients
    readiness = Readiness(database)
    key_ids = [settings.sealing_public_key[:8]]
    heartbeat = Heartbeat(database, "inbox", readiness, key_ids=key_ids, on=inbox is not None)
    heartbeat.start()
    health.serve(settings, lambda: True, readiness.troubles)
    try:
        asyncio.run(serve(inbox, database, sealer))
    except OSError as error:
        sys.exit(f"onbehalf: INBOX_HOST, INBOX_PORT: this process cannot listen there ({error.strerror}).")
    finally:
        heartbeat.close()
        database.close()
        unwatch()


async def serve(inbox: InboxSettings | None, database: Database, sealer: Seal) -> None:
    """Listen until stopped; without settings, only wait for that."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if inbox is None:
        log.warning("inbox_not_configured", reason="INBOX_PORT is not set: nobody's answers are taken")
        await stop.wait()
        return
    server = Server(inbox, database, sealer)
    loop.add_signal_handler(signal.SIGHUP, server.read_certificate)
    await server.start()
    log.info("inbox_started", port=server.port)
    if inbox.certificate == "":
        log.warning("inbox_without_tls", reason="INBOX_CERTIFICATE_FILE is not set: mail comes unencrypted")
    await stop.wait()
    await server.stop()
    log.info("inbox_stopped")


class Server:
    """The listening socket and its connections."""

    def __init__(self, inbox: InboxSettings, database: Database, sealer: Seal) -> None:
        self._inbox = inbox
        self._tls: ssl.SSLContext | None = inbox.tls()
        self._receiver = Receiver(database, sealer, max_size=inbox.max_size)
        self._hosts = Hosts(MAX_CONNECTIONS, MAX_CONNECTIONS_OF_ONE)
        self._memory = Memory(MAX_MESSAGES_HELD * inbox.max_size)
        self.port = inbox.port

    async def start(self) -> None:
        """Listen. Raises ``OSError``."""
        self._server = await asyncio.get_running_loop().create_server(
            self._session, self._inbox.host, self._inbox.port, backlog=200
        )

    async def stop(self) -> None:
        """Let what is being kept be kept and answered, and close everything else."""
        self._server.close()
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        await _all((each.idle for each in self._hosts.open()), _ENDS_WITHIN)
        for each in self._hosts.open():
            each.say_goodbye("421 4.3.2 This server ends; try again")
        # Who does not read the last reply is cut off after LINGERS.
        await _all((each.closed for each in self._hosts.open()), 2 * LINGERS)
        self._receiver.close()

    def read_certificate(self) -> None:
        """Take the certificate that is in the files now, for connections from now on (SIGHUP)."""
        try:
            self._tls = self._inbox.tls()
        except OperatorMisconfigured as error:
            log.error("certificate_not_read", error=str(error))  # noqa: TRY400 - the line says it all
            return
        log.info("certificate_read")

    def _session(self) -> SmtpSession:
        return SmtpSession(
            self._receiver,
            name=self._inbox.name,
            tls=self._tls,
            max_size=self._inbox.max_size,
            memory=self._memory,
            hosts=self._hosts,
        )


async def _all(events: Iterable[asyncio.Event], seconds: float) -> None:
    """Wait for all of them, no longer than that."""
    waiting = [asyncio.create_task(each.wait()) for each in events]
    if waiting:
        await asyncio.wait(waiting, timeout=seconds)


if __name__ == "__main__":
    main()
