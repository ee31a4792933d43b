"""What the inbox process answers: for whom it takes mail, and 250 once Postgres has it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from ipaddress import ip_address
from typing import Any, TypeVar

import structlog
from aiosmtpd.smtp import TLSSetupException

import tracing
from db.core.crypto import Sealer
from db.core.session import Database, DatabaseUnavailable
from db.listening import received
from db.listening.received import Arrival, Recipient
from domain.address import parse_address
from domain.errors import InvalidInput
from inbox.content import digest, refusal
from inbox.session import MAX_RECIPIENTS, TOO_LARGE, SmtpSession

log = structlog.get_logger()
Result = TypeVar("Result")

MAX_UNKNOWN = 20  # unknown recipients of a connection; whoever names more tries out addresses
_LATER = "451 4.3.0 This cannot be kept at the moment; try again"
_MAX_STORING = 2  # messages at once, each with its ciphertext and the driver's copy of that


class Receiver:
    """aiosmtpd's handler, one for all connections. ``threads``: for questions to the database, which block."""

    def __init__(self, database: Database, sealer: Sealer, *, max_size: int, threads: int = 4) -> None:
        self._database, self._sealer, self._max_size = database, sealer, max_size
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="inbox")
        self._storing = asyncio.Semaphore(_MAX_STORING)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's naming
        self, _server: SmtpSession, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Say what this server can do."""
        session.host_name = hostname
        tls = [each for each in responses if each == "250-STARTTLS"]
        return [
            responses[0],
            f"250-SIZE {self._max_size}",
            "250-8BITMIME",
            "250-PIPELINING",
            *tls,
            "250 SMTPUTF8",
        ]

    async def handle_MAIL(  # noqa: N802
        self, _server: SmtpSession, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take any sender; reports have none. Refuse a size that is too large before it is sent."""
        for each in options:
            name, _, value = each.partition("=")
            if name == "SIZE" and int(value) > self._max_size:
                return TOO_LARGE
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SmtpSession, session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Take a default address, with anything behind a +, and no other."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients; send the rest as another message"
        try:
            found = await self._in_thread(lambda: self._recipient(address))
        except DatabaseUnavailable as error:
            log.warning("database_unavailable", error=str(error))
            return _LATER
        if found is None:
            session.unknown = getattr(session, "unknown", 0) + 1
            if session.unknown > MAX_UNKNOWN:
                server.say_goodbye("421 4.7.0 Too many unknown recipients")
            return "550 5.1.1 There is no such address here"
        envelope.rcpt_tos.append(found)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SmtpSession, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep the message. Nothing else makes it ours: before the commit every answer is a refusal."""
        with tracing.root("keep mail", "server") as span:
            reply = await self._keep(session, envelope)
            span.note({"code": reply[:3]})
            return reply

    async def _keep(self, session: Any, envelope: Any) -> str:
        content: bytes = envelope.content
        refused = refusal(content)
        peer = str(session.peer[0])
        if refused is not None:
            log.info("mail_refused", code=refused[:9], source=shown(peer))
            return refused
        arrival = Arrival(
            raw=content,
            digest=digest(content),
            sender=printable(envelope.mail_from.removeprefix("<").removesuffix(">")),
            peer=peer,
            helo=printable(session.host_name),
            encrypted=session.ssl is not None,
        )
        recipients: list[Recipient] = list(envelope.rcpt_tos)
        try:
            async with self._storing:
                new = await self._in_thread(lambda: self._store(arrival, recipients))
        except DatabaseUnavailable as error:
            log.warning("database_unavailable", error=str(error))
            return _LATER
        log.info("mail_received", count=new, source=shown(peer))
        return "250 2.0.0 Kept"

    async def handle_exception(self, error: Exception) -> str:
        """Answer so that the other server tries again; its queue keeps the message."""
        if isinstance(error, TLSSetupException):  # anybody can cause it, so it is no fault of ours
            log.info("tls_not_begun", error=type(error.__cause__).__name__)
            return _LATER
        log.error("inbox_failed", error=type(error).__name__, exc_info=error)
        return _LATER

    def close(self) -> None:
        """End the threads, once what they do is done."""
        self._threads.shutdown()

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        # With the context, so that its lines and statements belong to the same trace.
        return await asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, work)

    def _recipient(self, address: str) -> Recipient | None:
        try:
            written = parse_address(address, international=True).email
        except InvalidInput:
            return None
        local, _, domain = written.rpartition("@")
        with self._database.statement() as tx:
            return received.find_recipient(tx, f"{local.partition('+')[0]}@{domain}", written)

    def _store(self, arrival: Arrival, recipients: list[Recipient]) -> int:
        with self._database.transaction() as tx:
            return received.store(tx, self._sealer, arrival, recipients)


def printable(text: str) -> str:
    """What a row and a page can hold of what a stranger says."""
    return "".join(letter for letter in text if letter.isprintable())[:320]


def shown(peer: str) -> str:
    """A host as it may stand in a log: IPv6 by its network."""
    address = ip_address(peer.partition("%")[0])
    return peer if address.version == 4 else f"{address.exploded[:19]}::/64"
